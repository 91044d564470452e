//! Values made of other values.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use super::reactive::{Hub, Node};
use super::value::{NodeRef, Reactive, Reader, lock};

/// A value made of live queries, signals and other computeds.
///
/// It is made when it is read, and again only if something that it read last time has changed
/// since. What it reads may differ from time to time.
pub struct Computed<V>(Arc<ComputedNode<V>>);

struct ComputedNode<V> {
    hub: Hub,
    compute: Compute<V>,
    is_same: fn(&V, &V) -> bool,
    made: Mutex<Option<Made<V>>>,
    this: Weak<Self>,
}

type Compute<V> = Box<dyn Fn(&Get) -> Arc<V> + Send + Sync>;

struct Made<V> {
    value: Arc<V>,
    of: Vec<Input>,
}

/// Something that was read, and its version then.
struct Input {
    node: Arc<dyn Node>,
    version: u64,
}

/// Reads values for a computed, and remembers which.
#[derive(Default)]
pub struct Get(RefCell<Vec<Input>>);

/// Makes a computed. See [`signal`](super::signal) for an example.
///
/// A new value that is equal to the old one is no change.
pub fn computed<V: PartialEq + Send + Sync + 'static>(
    compute: impl Fn(&Get) -> V + Send + Sync + 'static,
) -> Computed<V> {
    computed_with(move |get| Arc::new(compute(get)), |left, right| left == right)
}

pub(crate) fn computed_with<V: Send + Sync + 'static>(
    compute: impl Fn(&Get) -> Arc<V> + Send + Sync + 'static,
    is_same: fn(&V, &V) -> bool,
) -> Computed<V> {
    Computed(Arc::new_cyclic(|this| ComputedNode {
        hub: Hub::default(),
        compute: Box::new(compute),
        is_same,
        made: Mutex::new(None),
        this: this.clone(),
    }))
}

impl Get {
    /// The value of `reactive`; the computed depends on it from now on.
    pub fn of<R: Reactive>(&self, reactive: &R) -> Arc<R::Value> {
        let NodeRef(node) = reactive.node();
        node.settle();
        // The version before the value: if it moves in between, we are made once too often.
        let version = node.hub().version();
        let value = reactive.get();
        self.0.borrow_mut().push(Input { node, version });
        value
    }
}

thread_local! {
    /// The computeds that this thread is making.
    static MAKING: RefCell<Vec<*const ()>> = const { RefCell::new(Vec::new()) };
}

/// Notes that this thread makes a computed, and notices a cycle.
struct Making;

impl Making {
    #[expect(clippy::panic, reason = "a cycle has no value; waiting for one would be forever")]
    fn begin(node: *const ()) -> Self {
        MAKING.with_borrow_mut(|making| {
            if making.contains(&node) {
                panic!("a computed reads itself, by way of others: break the cycle");
            }
            making.push(node);
        });
        Self
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        MAKING.with_borrow_mut(|making| making.pop());
    }
}

impl<V: Send + Sync + 'static> ComputedNode<V> {
    fn get(&self) -> Arc<V> {
        let _making = Making::begin(std::ptr::from_ref(self).cast());
        let mut made = lock(&self.made);
        if let Some(made) = &*made
            && made.of.iter().all(Input::is_fresh)
        {
            return Arc::clone(&made.value);
        }
        let get = Get::default();
        let value = (self.compute)(&get);
        let of = get.0.into_inner();
        self.depend(made.as_ref().map_or(&[], |made| &made.of), &of);
        let old = made.take();
        let value = match old {
            Some(old) if (self.is_same)(&old.value, &value) => old.value,
            _ => {
                self.hub.bump();
                value
            }
        };
        *made = Some(Made { value: Arc::clone(&value), of });
        value
    }

    fn depend(&self, old: &[Input], new: &[Input]) {
        let this: Weak<dyn Node> = self.this.clone();
        let has = |inputs: &[Input], input: &Input| {
            inputs.iter().any(|other| Arc::ptr_eq(&other.node, &input.node))
        };
        old.iter()
            .filter(|input| !has(new, input))
            .for_each(|input| input.node.hub().remove_dependent(&this));
        new.iter()
            .filter(|input| !has(old, input))
            .for_each(|input| input.node.hub().add_dependent(this.clone()));
    }
}

impl Input {
    fn is_fresh(&self) -> bool {
        self.node.settle();
        self.node.hub().version() == self.version
    }
}

impl<V: Send + Sync + 'static> Node for ComputedNode<V> {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    fn settle(&self) {
        self.get();
    }
}

impl<V: Send + Sync + 'static> Reactive for Computed<V> {
    type Value = V;

    fn get(&self) -> Arc<V> {
        self.0.get()
    }

    fn node(&self) -> NodeRef {
        NodeRef(Arc::clone(&self.0) as Arc<dyn Node>)
    }

    fn reader(&self) -> Reader<V> {
        let weak = Arc::downgrade(&self.0);
        Box::new(move || weak.upgrade().map(|node| node.get()))
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
