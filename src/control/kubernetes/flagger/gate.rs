//! Gates of Flagger's load tester, opened and closed through the API server's proxy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{FACTS, Scene, UNTIL};
use crate::cluster::flagger::spec::Gate;
use crate::cluster::httproute::SERVICES;
use crate::control::kubernetes::answer::Meaning;
use crate::control::kubernetes::object::{Place, Written, uid_of};
use crate::control::kubernetes::{Site, facts, request};
use crate::control::{Sent, Settled};
use crate::domain::FaultKind;
use crate::domain::act::{Hand, Known, Request};

/// Opens a gate now.
pub(super) async fn open(scene: &mut Scene<'_>, gate: &Gate, words: &str) {
    let facts = facts::gather(&scene.canary, &FACTS);
    let request = post(scene, gate, "open", words, facts).await;
    scene.draft.requests.push(request);
}

/// Closes it again when what it was opened for has happened.
pub(super) async fn close(scene: &mut Scene<'_>, gate: &Gate, until: &str, after: &str, wait_s: f64) {
    let words = format!("{} gate: close again", gate.door);
    let mut request = post(scene, gate, "close", &words, Vec::new()).await;
    request.after = after.into();
    request.wait_s = wait_s;
    request.keep.insert(UNTIL.into(), json!(until));
    scene.draft.requests.push(request);
}

async fn post(scene: &Scene<'_>, gate: &Gate, word: &str, words: &str, mut facts: Vec<Known>) -> Request {
    let place = Place::new(SERVICES, &gate.namespace, &gate.service);
    facts.insert(0, Known { name: "metadata.uid".into(), value: uid_of(&scene.canary).into() });
    Request {
        hand: Hand::Controller,
        words: words.into(),
        verb: "POST".into(),
        path: gate.path(word),
        content_type: "application/json".into(),
        body: json!({"name": scene.ask.target.name, "namespace": scene.ask.target.namespace}),
        may: scene.site.objects.may("create", &place, "proxy").await,
        dry_run: None,
        after: String::new(),
        wait_s: 0.0,
        optional: false,
        keep: BTreeMap::from([
            (request::OBJECT.to_owned(), json!(scene.place.path())),
            (request::FACTS.to_owned(), serde_json::to_value(&facts).unwrap_or_default()),
        ]),
    }
}

/// Looks at the Canary once more and knocks.
pub(super) async fn send(site: &Site, request: &Request, audit_id: &str) -> Sent {
    let Some(path) = request.keep.get(request::OBJECT).and_then(Value::as_str) else {
        return Sent::Refused("the plan does not name the object; make it again".into());
    };
    let facts = request.keep.get(request::FACTS).cloned().unwrap_or_default();
    let facts: Vec<Known> = serde_json::from_value(facts).unwrap_or_default();
    match site.objects.get(path).await {
        Ok(live) => {
            if let Some(difference) = facts::compare(&facts, &live) {
                return Sent::Moved(difference);
            }
        }
        Err(fault) if fault.kind == FaultKind::Absent => {
            return Sent::Moved("the object is not there any more".into());
        }
        Err(fault) => return Sent::Refused(format!("nothing was sent, the object cannot be read: {fault}")),
    }
    match site.objects.post(&request.path, &request.body, audit_id).await {
        Written::Accepted { audit_id: told, .. } => Sent::Accepted {
            audit_id: told.unwrap_or_else(|| audit_id.to_owned()),
            note: "the tester has taken it; it keeps its gates in memory only".into(),
        },
        Written::Not(Meaning::Unknown(why)) => Sent::Unknown(why),
        Written::Not(Meaning::Refused(why)) => Sent::Refused(why),
        Written::Not(other) => Sent::Refused(format!("the tester refused: {other:?}")),
    }
}

/// A gate tells its state only by being asked the way Flagger asks, which some testers count: it is not asked.
pub(super) fn settled() -> Settled {
    Settled::CannotTell("a gate does not tell who opened it; the checks tell whether Flagger moved".into())
}
