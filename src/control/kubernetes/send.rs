//! Sends one request of a plan: reads the object again, compares the facts, pins what was read, sends once.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::answer::Meaning;
use super::facts;
use super::object::{JSON, Objects, Written, uid_of, version_of};
use super::request::{EFFECT, FACTS, OBJECT, URGENT, as_json_patch, pinned};
use crate::control::{Sent, Settled};
use crate::domain::act::{Known, Request};
use crate::domain::{Fault, FaultKind};

/// How often a request is sent anew after an answer that proves that nothing was done.
const TRIES: u32 = 3;
/// And within what time.
const WITHIN: Duration = Duration::from_secs(2);

/// Sends a request whose facts still hold.
pub async fn send(objects: &Objects, request: &Request, audit_id: &str) -> Sent {
    let Some(path) = request.keep.get(OBJECT).and_then(Value::as_str) else {
        return Sent::Refused("the plan does not name the object; make it again".into());
    };
    let facts = known(request, FACTS);
    let json = request.content_type == JSON;
    let start = Instant::now();
    let mut last = Value::Null;
    for attempt in 0..TRIES {
        if attempt > 0 {
            if start.elapsed() > WITHIN {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let live = match read(objects, path, &facts).await {
            Ok(live) => live,
            Err(sent) => return sent,
        };
        let body = pinned(&request.body, uid_of(&live), version_of(&live));
        let written = objects.patch(&request.path, &request.content_type, &body, audit_id).await;
        match understood(objects, written, path, &live, audit_id).await {
            Some(sent) => return sent,
            None => last = live,
        }
    }
    let urgent = request.keep.get(URGENT).and_then(Value::as_bool) == Some(true);
    if urgent && !json {
        let body = as_json_patch(&request.body, uid_of(&last));
        let written = objects.patch(&request.path, JSON, &body, audit_id).await;
        if let Some(sent) = understood(objects, written, path, &last, audit_id).await {
            return sent;
        }
    }
    Sent::Refused(format!(
        "the object changed each time before the request came ({TRIES} times); nothing was done"
    ))
}

/// The live object, when the facts hold in it.
async fn read(objects: &Objects, path: &str, facts: &[Known]) -> Result<Value, Sent> {
    let live = objects.get(path).await.map_err(|fault| match fault.kind {
        FaultKind::Absent => Sent::Moved("the object is not there any more".into()),
        _ => Sent::Refused(format!("nothing was sent, the object cannot be read: {fault}")),
    })?;
    match facts::compare(facts, &live) {
        Some(difference) => Err(Sent::Moved(difference)),
        None => Ok(live),
    }
}

/// What came of it; `None` when it was proved that nothing was done and it may be tried again.
async fn understood(
    objects: &Objects,
    written: Written,
    path: &str,
    before: &Value,
    audit_id: &str,
) -> Option<Sent> {
    Some(match written {
        Written::Accepted { audit_id: told, version } => {
            let before = version_of(before).unwrap_or_default();
            let after = match version {
                Some(version) => version,
                None => objects
                    .get(path)
                    .await
                    .ok()
                    .and_then(|object| version_of(&object).map(ToOwned::to_owned))
                    .unwrap_or_default(),
            };
            let note = if after == before {
                "already so".into()
            } else if after.is_empty() {
                "accepted".into()
            } else {
                format!("resourceVersion {before} → {after}")
            };
            Sent::Accepted { audit_id: told.unwrap_or_else(|| audit_id.to_owned()), note }
        }
        Written::Not(Meaning::Conflict | Meaning::TestFailed) => return None,
        Written::Not(Meaning::OtherObject) => Sent::Moved("the object was deleted and made again".into()),
        Written::Not(Meaning::Refused(why)) => Sent::Refused(why),
        Written::Not(Meaning::Unknown(why)) => Sent::Unknown(why),
    })
}

/// Whether the effect that the request itself names is in the object.
///
/// # Errors
/// The object cannot be read.
pub async fn settled(objects: &Objects, request: &Request) -> Result<Settled, Fault> {
    let Some(path) = request.keep.get(OBJECT).and_then(Value::as_str) else {
        return Ok(Settled::CannotTell("the plan does not name the object".into()));
    };
    let live = match objects.get(path).await {
        Ok(live) => live,
        Err(fault) if fault.kind == FaultKind::Absent => {
            return Ok(Settled::CannotTell("the object is not there any more".into()));
        }
        Err(fault) => return Err(fault),
    };
    Ok(settled_in(request, &live))
}

/// Whether the effect that the request names is in this object.
pub fn settled_in(request: &Request, live: &Value) -> Settled {
    let uid: Vec<Known> =
        known(request, FACTS).into_iter().filter(|known| known.name == "metadata.uid").collect();
    if let Some(difference) = facts::compare(&uid, live) {
        return Settled::CannotTell(difference);
    }
    let effect = known(request, EFFECT);
    if effect.is_empty() {
        return Settled::CannotTell("its effect cannot be told from the object".into());
    }
    match facts::compare(&effect, live) {
        None => {
            let seen = effect.iter().map(|known| format!("{} is {}", known.name, facts::word(&known.value)));
            Settled::Done(seen.collect::<Vec<_>>().join(", "))
        }
        Some(_) => {
            let seen = effect
                .iter()
                .map(|known| format!("{} is {}", known.name, facts::word(&facts::read(live, &known.name))));
            Settled::NotDone(seen.collect::<Vec<_>>().join(", "))
        }
    }
}

fn known(request: &Request, key: &str) -> Vec<Known> {
    request.keep.get(key).and_then(|kept| serde_json::from_value(kept.clone()).ok()).unwrap_or_default()
}
