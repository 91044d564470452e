//! Values that are computed from other values.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::cycle::ComputingGuard;
use super::graph::{ComputeError, GraphNode, ValueNode};
use super::inspect::{NodeReport, Timing, ValueKind, ValueReport};
use super::observers::{Observers, revision};
use super::reactive::{NodeRef, Reactive};
use crate::edge::primitives::{Mutex, lock};
use crate::edge::{Stopwatch, catch_panic};
use crate::table::QueryError;

/// A value that is computed from live queries, signals and other computeds.
///
/// It is computed when it is read, and again only if something that it read last time has changed
/// since. It may read different values each time. While a live query that it read fails, so does it: it
/// is computed from the last value of that, and has the same [`error`](Reactive::error). [`computed`]
/// makes one.
pub struct Computed<V>(Arc<ComputedNode<V>>);

struct ComputedNode<V> {
    observers: Observers,
    compute: Compute<V>,
    is_same: fn(&V, &V) -> bool,
    last: Mutex<Last<V>>,
    made_at: &'static Location<'static>,
    this: Weak<Self>,
}

type Compute<V> = Box<dyn Fn(&Getter) -> Arc<V> + Send + Sync>;

struct Last<V> {
    outcome: Option<Arc<Outcome<V>>>,
    timing: Timing,
}

/// The outcome of computing the value.
struct Outcome<V> {
    /// The version and the value; those of an earlier time if the function panicked.
    value: Option<(u64, Arc<V>)>,
    panicked: bool,
    /// The failure of an input, because of which the value is not up to date.
    error: Option<Arc<QueryError>>,
    inputs: Vec<Input>,
    /// The revision at which the inputs were last found unchanged.
    checked: AtomicU64,
}

/// A node that was read, and its version at that time.
#[derive(Clone)]
struct Input {
    node: Arc<dyn GraphNode>,
    version: u64,
}

/// Reads values for a [`Computed`], and records which: those are what it depends on.
#[derive(Default)]
pub struct Getter {
    inputs: RefCell<Vec<Input>>,
    /// The first failure among them.
    error: RefCell<Option<Arc<QueryError>>>,
}

/// Makes a [`Computed`].
///
/// A new value that equals the old one does not count as a change. `compute` should have no side
/// effects: it may run at any time, and in two threads at once.
///
/// ```
/// use livestore::live::{Reactive, computed, signal};
///
/// let (celsius, metric) = (signal(20), signal(true));
/// let shown = computed({
///     let (celsius, metric) = (celsius.clone(), metric.clone());
///     move |get| match *get.of(&metric) {
///         true => format!("{} °C", get.of(&celsius)),
///         false => format!("{} °F", *get.of(&celsius) * 9 / 5 + 32),
///     }
/// });
/// let _guard = shown.subscribe(|text| println!("{text}"));
/// metric.set(false);
/// assert_eq!(*shown.get(), "68 °F");
/// ```
///
/// If `compute` panics, reading the value panics, too. Subscribers are not called then, but when
/// there is a value again. A computed that reads itself, directly or by way of others, panics when it
/// is read. The message has the path from it to itself, by where in the source each one was made.
#[track_caller]
pub fn computed<V: PartialEq + Send + Sync + 'static>(
    compute: impl Fn(&Getter) -> V + Send + Sync + 'static,
) -> Computed<V> {
    computed_with(move |get| Arc::new(compute(get)), |left, right| left == right)
}

#[track_caller]
pub(crate) fn computed_with<V: Send + Sync + 'static>(
    compute: impl Fn(&Getter) -> Arc<V> + Send + Sync + 'static,
    is_same: fn(&V, &V) -> bool,
) -> Computed<V> {
    let made_at = Location::caller();
    Computed(Arc::new_cyclic(|this| ComputedNode {
        observers: Observers::default(),
        compute: Box::new(compute),
        is_same,
        last: Mutex::new(Last { outcome: None, timing: Timing::default() }),
        made_at,
        this: this.clone(),
    }))
}

impl Getter {
    /// Returns the value of `reactive`, on which the computed depends from now on.
    ///
    /// # Panics
    /// When `reactive` is a computed whose function panics or reads itself.
    pub fn of<R: Reactive>(&self, reactive: &R) -> Arc<R::Value> {
        let node = reactive.node();
        let (version, value) = node.read();
        if let Some(error) = node.0.error() {
            self.fail(error);
        }
        let mut inputs = self.inputs.borrow_mut();
        if !inputs.iter().any(|input| input.is(&*node.0)) {
            inputs.push(Input { node: node.0, version });
        }
        value
    }
}

impl Getter {
    /// Records that the value which is computed is not up to date.
    pub(crate) fn fail(&self, error: Arc<QueryError>) {
        self.error.borrow_mut().get_or_insert(error);
    }
}

impl Input {
    fn is(&self, node: &dyn GraphNode) -> bool {
        self.node.observers().id() == node.observers().id()
    }

    fn is_unchanged(&self) -> bool {
        self.node.update().is_ok() && self.node.observers().version() == self.version
    }
}

impl<V> Outcome<V> {
    /// Returns the version and the value if they are up to date.
    fn up_to_date(&self) -> Option<(u64, Arc<V>)> {
        let now = revision();
        let is_up_to_date = !self.panicked
            && (self.checked.load(Ordering::Acquire) == now
                || self.inputs.iter().all(Input::is_unchanged));
        if !is_up_to_date {
            return None;
        }
        self.checked.store(now, Ordering::Release);
        self.value.clone()
    }
}

/// The number of times that a value is computed again because an input has changed meanwhile. Only a
/// function that sets what it reads gets this far.
const MAX_ROUNDS: usize = 100;

impl<V: Send + Sync + 'static> ComputedNode<V> {
    /// Returns the version and the value, which is computed first if it is out of date.
    ///
    /// No lock is held while a user's code runs, so computeds cannot wait for each other.
    fn current(&self) -> Result<(u64, Arc<V>), ComputeError> {
        let id = self.observers.id();
        let _guard = ComputingGuard::enter(id, self.made_at).map_err(ComputeError::Cycle)?;
        for _ in 0..MAX_ROUNDS {
            let last = lock(&self.last).outcome.clone();
            // Also checks an outcome of just now: until this node was registered with its inputs,
            // they could change without notifying it.
            if let Some(value) = last.as_ref().and_then(|last| last.up_to_date()) {
                return Ok(value);
            }
            self.recompute(last)?;
        }
        tracing::error!(at = %self.made_at, "a computed keeps changing: does it set what it reads?");
        let last = lock(&self.last).outcome.clone();
        last.and_then(|last| last.value.clone())
            .ok_or_else(|| ComputeError::Panic(Box::new("it keeps changing".to_owned())))
    }

    fn recompute(&self, last: Option<Arc<Outcome<V>>>) -> Result<(), ComputeError> {
        let get = Getter::default();
        let before = last.as_ref().and_then(|last| last.value.as_ref());
        let mut watch = Stopwatch::start();
        let computed = catch_panic(|| {
            let value = (self.compute)(&get);
            let is_same = before.is_some_and(|(_, before)| (self.is_same)(before, &value));
            (!is_same).then_some(value)
        });
        let took = watch.lap();
        let (value, panicked) = match computed {
            Ok(value) => (value, Ok(())),
            Err(panic) => (None, Err(ComputeError::Panic(panic))),
        };
        self.store(last, value, panicked.is_err(), get, took);
        panicked
    }

    /// Stores the outcome that came after `last`, unless another thread has stored one meanwhile.
    /// Without a new value, the last one stays.
    fn store(
        &self,
        last: Option<Arc<Outcome<V>>>,
        value: Option<Arc<V>>,
        panicked: bool,
        get: Getter,
        took: Duration,
    ) {
        let (inputs, error) = (get.inputs.into_inner(), get.error.into_inner());
        let mut slot = lock(&self.last);
        slot.timing.add(took);
        if slot.outcome.as_ref().map(Arc::as_ptr) != last.as_ref().map(Arc::as_ptr) {
            return;
        }
        self.register(last.as_ref().map_or(&[], |last| &last.inputs), &inputs);
        let (before, error_before) = match &last {
            Some(last) => (last.value.clone(), last.error.clone()),
            None => (None, None),
        };
        let value = value.or_else(|| {
            let (_, before) = before.clone()?;
            (error != error_before).then_some(before)
        });
        let value = match value {
            Some(value) => {
                self.observers.bump();
                Some((self.observers.version(), value))
            }
            None => before,
        };
        let outcome = Outcome { value, panicked, error, inputs, checked: AtomicU64::new(0) };
        // The old outcome may own handles, whose drops take locks: `last` keeps it until the lock
        // is free.
        slot.outcome = Some(Arc::new(outcome));
    }

    /// Registers this node with its new inputs, and no longer with those that it had before.
    fn register(&self, old: &[Input], new: &[Input]) {
        let id = self.observers.id();
        let lacks = |inputs: &[Input], input: &Input| !inputs.iter().any(|it| it.is(&*input.node));
        old.iter()
            .filter(|input| lacks(new, input))
            .for_each(|input| input.node.observers().remove_dependent(id));
        new.iter()
            .filter(|input| lacks(old, input))
            .for_each(|input| input.node.observers().add_dependent(id, self.this.clone()));
    }
}

impl<V: Send + Sync + 'static> GraphNode for ComputedNode<V> {
    fn observers(&self) -> &Observers {
        &self.observers
    }

    fn update(&self) -> Result<(), ComputeError> {
        self.current().map(|_| ())
    }

    fn error(&self) -> Option<Arc<QueryError>> {
        lock(&self.last).outcome.as_ref()?.error.clone()
    }

    fn inputs(&self) -> Vec<Arc<dyn GraphNode>> {
        let last = lock(&self.last).outcome.clone();
        let inputs = last.iter().flat_map(|last| &last.inputs);
        inputs.map(|input| Arc::clone(&input.node)).collect()
    }

    fn report(&self) -> NodeReport {
        let timing = lock(&self.last).timing;
        let (kind, observers) = (ValueKind::Computed, &self.observers);
        NodeReport::Value(ValueReport::new(kind, observers, self.made_at, &timing))
    }
}

impl<V: Send + Sync + 'static> ValueNode<V> for ComputedNode<V> {
    fn read(&self) -> Result<(u64, Arc<V>), ComputeError> {
        self.current()
    }
}

impl<V> Drop for ComputedNode<V> {
    fn drop(&mut self) {
        let last = lock(&self.last).outcome.take();
        for input in last.iter().flat_map(|last| &last.inputs) {
            input.node.observers().remove_dependent(self.observers.id());
        }
    }
}

impl<V: Send + Sync + 'static> Reactive for Computed<V> {
    type Value = V;

    fn node(&self) -> NodeRef<V> {
        NodeRef(Arc::clone(&self.0) as _)
    }
}

impl<V> Clone for Computed<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> fmt::Debug for Computed<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed")
            .field("version", &self.0.observers.version())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Getter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Getter").field(&self.inputs.borrow().len()).finish()
    }
}
