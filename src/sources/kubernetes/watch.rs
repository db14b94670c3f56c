//! One watch: list, then follow, and begin again after every kind of trouble. Sends only GETs.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Error, Event};

use super::board::{Board, Objects};
use super::wanted::Scope;
use crate::cluster::connect::WATCH_S;
use crate::cluster::{Resource, trouble};

/// How long a watch rests that may not list, or whose kind the server does not know.
const REST: Duration = Duration::from_secs(60);
/// Objects a page: bounds what is in memory of an answer.
const PAGE: u32 = 200;

/// The pause after a failure, doubled at each up to five seconds: the usual thirty would show an old state as live when
/// the server is back.
#[derive(Default)]
struct Patience {
    failures: u32,
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = Duration::from_millis(250 << self.failures.min(5)).min(Duration::from_secs(5));
        self.failures += 1;
        // Watches that were cut off together come back apart.
        Some(pause.mul_f64(rand::random_range(0.7..1.0)))
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Watches until it is dropped. Where all namespaces may not be listed, the wanted ones are tried one by one.
pub async fn keep(client: kube::Client, resource: Resource, scope: Scope, board: Arc<Board>) {
    let number = board.enter(resource, scope.clone());
    let denied = follow(&client, resource, &scope, &board, number).await;
    if denied {
        let places: Vec<Scope> = board.wants.namespaces.iter().cloned().map(Scope::In).collect();
        let numbers: Vec<usize> = places.iter().map(|place| board.enter(resource, place.clone())).collect();
        board.give_way(number);
        let each = places
            .iter()
            .zip(numbers)
            .map(|(place, number)| follow(&client, resource, place, &board, number));
        join_all(each).await;
    }
}

/// Follows one scope; ends, with true, only when all namespaces may not be listed at once.
async fn follow(
    client: &kube::Client,
    resource: Resource,
    scope: &Scope,
    board: &Board,
    number: usize,
) -> bool {
    let kind = GroupVersionKind::gvk(resource.group, resource.version, resource.kind);
    let kind = ApiResource::from_gvk_with_plural(&kind, resource.plural);
    let api: Api<DynamicObject> = match scope {
        Scope::All => Api::all_with(client.clone(), &kind),
        Scope::In(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
    };
    let settings = watcher::Config::default().timeout(WATCH_S).page_size(PAGE);
    loop {
        let mut stream = Box::pin(
            watcher::watcher(api.clone(), settings.clone())
                .modify(|object| object.metadata.managed_fields = None)
                .backoff(Patience::default()),
        );
        let mut list: Option<Objects> = None;
        while let Some(event) = stream.next().await {
            match event {
                // The old objects stay until the new list is whole: no blink.
                Ok(Event::Init) => list = Some(Objects::new()),
                Ok(Event::InitApply(object)) => {
                    if let (Some(list), Some((namespace, name, value))) = (list.as_mut(), read(object, board))
                    {
                        list.insert((namespace, name), value);
                    }
                }
                Ok(Event::InitDone) => board.replace(number, list.take().unwrap_or_default()),
                Ok(Event::Apply(object)) => {
                    if let Some((namespace, name, value)) = read(object, board) {
                        board.put(&resource, &namespace, &name, value);
                    }
                }
                Ok(Event::Delete(object)) => {
                    if let Some((namespace, name, value)) = read(object, board) {
                        board.remove(&resource, &namespace, &name, &value);
                    }
                }
                Err(error) => {
                    let code = code(&error);
                    let what = format!("{} in {scope}", resource.plural);
                    tracing::debug!(target: "sources", "watch of {what}: {}", word(&error));
                    if code == Some(403) && *scope == Scope::All && !board.wants.namespaces.is_empty() {
                        return true;
                    }
                    let listing = matches!(error, Error::InitialListFailed(_));
                    let refused = matches!(code, Some(401 | 403 | 404 | 405));
                    if listing || refused {
                        board.failed(number, code, fault(&error, &what));
                    }
                    if refused {
                        break;
                    }
                }
            }
        }
        drop(stream);
        tokio::time::sleep(REST).await;
    }
}

/// An object as a value, when it is in a wanted namespace.
fn read(object: DynamicObject, board: &Board) -> Option<(Arc<str>, Arc<str>, Arc<serde_json::Value>)> {
    let mut object = object;
    let namespace: Arc<str> = object.metadata.namespace.as_deref()?.into();
    if !board.wants.namespaces.contains(&namespace) {
        return None;
    }
    let name: Arc<str> = object.metadata.name.as_deref()?.into();
    // A second copy of the whole object, for kubectl.
    if let Some(annotations) = &mut object.metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    Some((namespace, name, Arc::new(serde_json::to_value(&object).ok()?)))
}

fn inner(error: &Error) -> Option<&kube::Error> {
    match error {
        Error::InitialListFailed(inner) | Error::WatchStartFailed(inner) | Error::WatchFailed(inner) => {
            Some(inner)
        }
        _ => None,
    }
}

fn code(error: &Error) -> Option<u16> {
    match error {
        Error::WatchError(status) => Some(status.code),
        other => inner(other).and_then(trouble::code),
    }
}

fn fault(error: &Error, what: &str) -> crate::domain::Fault {
    match (error, inner(error)) {
        (_, Some(inner)) => trouble::of(inner, what),
        (Error::WatchError(status), _) => trouble::of_status(status.code, &status.message, what),
        _ => crate::domain::Fault::new(
            crate::domain::FaultKind::Unreadable,
            format!("{what}: cannot be watched"),
        ),
    }
}

fn word(error: &Error) -> String {
    match code(error) {
        Some(code) => format!("{code}"),
        None => "connection lost".into(),
    }
}
