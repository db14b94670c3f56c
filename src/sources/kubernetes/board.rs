//! What the watches of one cluster have seen, and which rollouts that concerns.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;

use super::wanted::{Scope, Wants};
use crate::cluster::{Around, Resource};
use crate::domain::Fault;

pub use crate::cluster::kind::Objects;

/// How one watch is.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Of what.
    pub resource: Resource,
    /// Where.
    pub scope: Scope,
    /// Whether everything there has been listed once.
    pub synced: bool,
    /// Why it cannot be listed, with the status code when the server said one.
    pub fault: Option<(Option<u16>, Fault)>,
    /// Whether narrower watches took its place.
    pub replaced: bool,
}

/// Everything seen.
#[derive(Default)]
pub struct Seen {
    /// The objects.
    pub around: Around,
    /// Rollouts to look at again, by index.
    pub dirty: BTreeSet<usize>,
    /// How often these were taken.
    pub taken: u64,
    /// The watches.
    pub watches: Vec<Watch>,
}

/// Shared by the watches and the poll.
pub struct Board {
    /// What is wanted.
    pub wants: Wants,
    seen: Mutex<Seen>,
    /// Something became dirty.
    pub news: Notify,
    /// A watch was synced, or cannot be.
    pub settled: Notify,
}

impl Board {
    /// An empty board.
    pub fn new(wants: Wants) -> Self {
        Self { wants, seen: Mutex::default(), news: Notify::new(), settled: Notify::new() }
    }

    /// What was seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a watch; its number.
    pub fn enter(&self, resource: Resource, scope: Scope) -> usize {
        let mut seen = self.seen();
        seen.watches.push(Watch { resource, scope, synced: false, fault: None, replaced: false });
        seen.watches.len() - 1
    }

    /// A whole list: what is not in it is gone. What is unchanged stays unread.
    pub fn replace(&self, watch: usize, objects: Objects) {
        let mut seen = self.seen();
        let Some((resource, scope)) =
            seen.watches.get(watch).map(|watch| (watch.resource, watch.scope.clone()))
        else {
            return;
        };
        let plural = resource.plural;
        let places: Vec<Arc<str>> = match &scope {
            Scope::All => self.wants.namespaces.iter().cloned().collect(),
            Scope::In(namespace) => vec![Arc::clone(namespace)],
        };
        let mut touched = Vec::new();
        for namespace in places {
            let gone: Vec<(String, Value)> = seen
                .around
                .of(plural, &namespace)
                .filter_map(|old| Some((old.pointer("/metadata/name")?.as_str()?.to_owned(), old)))
                .filter(|(name, _)| !objects.contains_key(&(Arc::clone(&namespace), name.as_str().into())))
                .map(|(name, old)| (name, old.clone()))
                .collect();
            for (name, old) in gone {
                touched.extend(self.wants.touched(&resource, &namespace, &name, &old));
                seen.around.remove(plural, &namespace, &name);
            }
        }
        for ((namespace, name), object) in objects {
            if seen.around.get(plural, &namespace, &name) != Some(&*object) {
                touched.extend(self.wants.touched(&resource, &namespace, &name, &object));
                seen.around.put(plural, &namespace, &name, object);
            }
        }
        if !seen.watches[watch].synced && self.wants.is_primary(&resource) {
            // What is wanted and not there is news too.
            let all = self.wants.all.iter().enumerate();
            touched
                .extend(all.filter(|(_, wanted)| wanted.kind.resource() == resource).map(|(index, _)| index));
        }
        seen.watches[watch].synced = true;
        seen.watches[watch].fault = None;
        self.tell(&mut seen, touched);
        self.settled.notify_one();
    }

    /// An object is there or has changed.
    pub fn put(&self, resource: &Resource, namespace: &str, name: &str, object: Arc<Value>) {
        let touched = self.wants.touched(resource, namespace, name, &object);
        let mut seen = self.seen();
        seen.around.put(resource.plural, namespace, name, object);
        self.tell(&mut seen, touched);
    }

    /// An object is gone.
    pub fn remove(&self, resource: &Resource, namespace: &str, name: &str, object: &Value) {
        let touched = self.wants.touched(resource, namespace, name, object);
        let mut seen = self.seen();
        seen.around.remove(resource.plural, namespace, name);
        self.tell(&mut seen, touched);
    }

    /// A watch cannot list.
    pub fn failed(&self, watch: usize, code: Option<u16>, fault: Fault) {
        if let Some(watch) = self.seen().watches.get_mut(watch) {
            watch.fault = Some((code, fault));
        }
        self.settled.notify_one();
    }

    /// Narrower watches take the place of a watch.
    pub fn give_way(&self, watch: usize) {
        if let Some(watch) = self.seen().watches.get_mut(watch) {
            watch.replaced = true;
        }
    }

    /// Looks at a rollout again.
    pub fn again(&self, index: usize) {
        let mut seen = self.seen();
        self.tell(&mut seen, vec![index]);
    }

    /// Whether every watch was synced, or cannot be.
    pub fn is_settled(&self) -> bool {
        self.seen().watches.iter().all(|watch| watch.synced || watch.replaced || watch.fault.is_some())
    }

    fn tell(&self, seen: &mut Seen, touched: Vec<usize>) {
        if !touched.is_empty() {
            seen.dirty.extend(touched);
            self.news.notify_one();
        }
    }
}
