//! Values made of other values.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::cycle::Making;
use super::inspect::{Derived, NodeReport, Timing, ValueReport};
use super::reactive::{Failure, Hub, Node, Source, revision};
use super::value::{NodeRef, Reactive};
use crate::edge::Stopwatch;
use crate::edge::primitives::{Mutex, lock};

/// A value made of live queries, signals and other computeds.
///
/// It is made when it is read, and again only if something that it read last time has changed
/// since. What it reads may differ from time to time. [`computed`] makes one.
pub struct Computed<V>(Arc<ComputedNode<V>>);

struct ComputedNode<V> {
    hub: Hub,
    compute: Compute<V>,
    is_same: fn(&V, &V) -> bool,
    last: Mutex<Last<V>>,
    made_at: &'static Location<'static>,
    this: Weak<Self>,
}

type Compute<V> = Box<dyn Fn(&Get) -> Arc<V> + Send + Sync>;

struct Last<V> {
    made: Option<Arc<Made<V>>>,
    timing: Timing,
}

/// What came of making the value.
struct Made<V> {
    /// The last value there was, and its version.
    value: Option<(u64, Arc<V>)>,
    /// This time there was none.
    failed: bool,
    of: Vec<Input>,
    /// The revision at which the inputs were last seen to be fresh.
    checked: AtomicU64,
}

/// Something that was read, and its version then.
#[derive(Clone)]
struct Input {
    node: Arc<dyn Node>,
    version: u64,
}

/// Reads values for a computed, and remembers which.
#[derive(Default)]
pub struct Get(RefCell<Vec<Input>>);

/// Makes a [`Computed`].
///
/// A new value that is equal to the old one is no change. `compute` should do nothing but read and
/// reckon: it may run at any time, and in two threads at once.
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
/// If `compute` panics, so does whoever reads the value. A subscriber is not called then; it hears of
/// the next value there is. A computed that reads itself, by way of others, has no value: it panics,
/// too, and the message says which way it goes, by where in the source each one was made.
#[track_caller]
pub fn computed<V: PartialEq + Send + Sync + 'static>(
    compute: impl Fn(&Get) -> V + Send + Sync + 'static,
) -> Computed<V> {
    computed_with(move |get| Arc::new(compute(get)), |left, right| left == right)
}

#[track_caller]
pub(crate) fn computed_with<V: Send + Sync + 'static>(
    compute: impl Fn(&Get) -> Arc<V> + Send + Sync + 'static,
    is_same: fn(&V, &V) -> bool,
) -> Computed<V> {
    let made_at = Location::caller();
    Computed(Arc::new_cyclic(|this| ComputedNode {
        hub: Hub::default(),
        compute: Box::new(compute),
        is_same,
        last: Mutex::new(Last { made: None, timing: Timing::default() }),
        made_at,
        this: this.clone(),
    }))
}

impl Get {
    /// The value of `reactive`; the computed depends on it from now on.
    ///
    /// # Panics
    /// When it is a computed that panics or reads itself.
    pub fn of<R: Reactive>(&self, reactive: &R) -> Arc<R::Value> {
        let node = reactive.node();
        let (version, value) = node.read();
        let mut inputs = self.0.borrow_mut();
        if !inputs.iter().any(|input| input.is(&*node.0)) {
            inputs.push(Input { node: node.0, version });
        }
        value
    }
}

impl Input {
    fn is(&self, node: &dyn Node) -> bool {
        self.node.hub().id() == node.hub().id()
    }

    fn is_fresh(&self) -> bool {
        self.node.settle().is_ok() && self.node.hub().version() == self.version
    }
}

impl<V> Made<V> {
    /// The value, if it needs not be made again.
    fn fresh(&self) -> Option<(u64, Arc<V>)> {
        let now = revision();
        let is_fresh = !self.failed
            && (self.checked.load(Ordering::Acquire) == now || self.of.iter().all(Input::is_fresh));
        if !is_fresh {
            return None;
        }
        self.checked.store(now, Ordering::Release);
        self.value.clone()
    }
}

/// How often a value is made anew because an input has changed meanwhile. Only a function that
/// sets what it reads never comes to rest.
const MOST_ROUNDS: usize = 100;

impl<V: Send + Sync + 'static> ComputedNode<V> {
    /// No lock is held while a user's code runs: computeds that wait for each other cannot be.
    fn current(&self) -> Result<(u64, Arc<V>), Failure> {
        let _making = Making::begin(self.hub.id(), self.made_at).map_err(Failure::Cycle)?;
        for _ in 0..MOST_ROUNDS {
            let made = lock(&self.last).made.clone();
            // Also what was just made is looked at again: until its inputs knew of us, they could
            // change without telling.
            if let Some(value) = made.as_ref().and_then(|made| made.fresh()) {
                return Ok(value);
            }
            self.make(made)?;
        }
        tracing::error!(at = %self.made_at, "a computed never comes to rest: does it set what it reads?");
        let made = lock(&self.last).made.clone();
        made.and_then(|made| made.value.clone())
            .ok_or_else(|| Failure::Panic(Box::new("it never comes to rest".to_owned())))
    }

    fn make(&self, last: Option<Arc<Made<V>>>) -> Result<(), Failure> {
        let get = Get::default();
        let before = last.as_ref().and_then(|last| last.value.as_ref());
        let mut watch = Stopwatch::start();
        let made = catch_unwind(AssertUnwindSafe(|| {
            let value = (self.compute)(&get);
            let is_same = before.is_some_and(|(_, before)| (self.is_same)(before, &value));
            (!is_same).then_some(value)
        }));
        let took = watch.lap();
        let of = get.0.into_inner();
        match made {
            Ok(value) => {
                self.keep(last, value, false, of, took);
                Ok(())
            }
            Err(panic) => {
                self.keep(last, None, true, of, took);
                Err(Failure::Panic(panic))
            }
        }
    }

    /// Takes what was made of `last`, unless another thread was faster. No value: the last stays.
    fn keep(
        &self,
        last: Option<Arc<Made<V>>>,
        value: Option<Arc<V>>,
        failed: bool,
        of: Vec<Input>,
        took: std::time::Duration,
    ) {
        let mut slot = lock(&self.last);
        slot.timing.add(took);
        if slot.made.as_ref().map(Arc::as_ptr) != last.as_ref().map(Arc::as_ptr) {
            return;
        }
        self.depend(last.as_ref().map_or(&[], |last| &last.of), &of);
        let value = match value {
            Some(value) => {
                self.hub.bump();
                Some((self.hub.version(), value))
            }
            None => last.as_ref().and_then(|last| last.value.clone()),
        };
        let made = Made { value, failed, of, checked: AtomicU64::new(0) };
        // What is dropped may own handles, whose drops want locks: `last` has it until we are done.
        slot.made = Some(Arc::new(made));
    }

    /// Tells the inputs who depends on them.
    fn depend(&self, old: &[Input], new: &[Input]) {
        let id = self.hub.id();
        let lacks = |inputs: &[Input], input: &Input| !inputs.iter().any(|it| it.is(&*input.node));
        old.iter()
            .filter(|input| lacks(new, input))
            .for_each(|input| input.node.hub().remove_dependent(id));
        new.iter()
            .filter(|input| lacks(old, input))
            .for_each(|input| input.node.hub().add_dependent(id, self.this.clone()));
    }
}

impl<V: Send + Sync + 'static> Node for ComputedNode<V> {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    fn settle(&self) -> Result<(), Failure> {
        self.current().map(|_| ())
    }

    fn inputs(&self) -> Vec<Arc<dyn Node>> {
        let made = lock(&self.last).made.clone();
        let inputs = made.iter().flat_map(|made| &made.of);
        inputs.map(|input| Arc::clone(&input.node)).collect()
    }

    fn report(&self) -> NodeReport {
        let timing = lock(&self.last).timing;
        NodeReport::Value(ValueReport::new(Derived::Computed, &self.hub, self.made_at, &timing))
    }
}

impl<V: Send + Sync + 'static> Source<V> for ComputedNode<V> {
    fn read(&self) -> Result<(u64, Arc<V>), Failure> {
        self.current()
    }
}

/// Its inputs forget it.
impl<V> Drop for ComputedNode<V> {
    fn drop(&mut self) {
        let made = lock(&self.last).made.take();
        for input in made.iter().flat_map(|made| &made.of) {
            input.node.hub().remove_dependent(self.hub.id());
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
        f.debug_struct("Computed").field("version", &self.0.hub.version()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Get {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(&self.0.borrow().len()).finish()
    }
}
