//! The ledger as its users meet it.

mod entries;
mod shared;
mod tamper;
mod troubles;

use super::*;
use crate::domain::act::{
    Check, CheckState, Confirm, Hand, May, Operation, Outcome, Plan, Request, RequestState, Stage, Who,
};
use crate::domain::{ControllerKind, ModelId, SourceId, Target, Version};

pub(super) fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 123_000_000).unwrap()
}

pub(super) fn act(id: &str) -> Act {
    let request = Request {
        hand: Hand::Controller,
        words: "template ← 1.2.0".into(),
        verb: "PATCH".into(),
        path: "/apis/argoproj.io/v1alpha1/namespaces/prod/rollouts/als".into(),
        content_type: "application/json-patch+json".into(),
        body: serde_json::json!([{ "op": "test", "path": "/metadata/uid", "value": "u" }]),
        may: May::Yes,
        dry_run: None,
        after: String::new(),
        wait_s: 5.0,
        optional: false,
        keep: std::collections::BTreeMap::new(),
    };
    let plan = Plan {
        id: ActId(id.into()),
        model: ModelId::new("prod", "als"),
        target: Target {
            system: SourceId::new("eu"),
            kind: ControllerKind::Argo,
            context: "eu".into(),
            namespace: "prod".into(),
            name: "als".into(),
        },
        operation: Operation::RollBack { to: Version::new("1.2.0") },
        reason: "errors, \"many\"".into(),
        evidence: "abort: 3.2 % against 0.4 %".into(),
        who: Who {
            user: "ada".into(),
            origin: "10.0.0.7".into(),
            host: "bastion".into(),
            identity: "ada@example".into(),
            by: "room".into(),
        },
        made_at: at(0),
        before: "1.3.0 at 25 %".into(),
        after: "1.2.0 at 100 %".into(),
        facts: Vec::new(),
        affects: "25 % of traffic, 29.5 req/s".into(),
        version: None,
        requests: vec![request],
        beware: Vec::new(),
        checks: Vec::new(),
        expected_s: 42.0,
        confirm: Confirm::Choose,
        stepper: false,
    };
    Act::confirmed(plan, at(1))
}

/// Writes an act of one request from its beginning to its end; six rows, four of them audited.
pub(super) fn whole(ledger: &Ledger, id: &str) {
    let mut act = act(id);
    ledger.write(at(1), "confirmed", &act, true).unwrap();
    act.stage = Stage::Sending;
    act.requests[0] = RequestState::Sent { at: at(2), audit_id: "aid-1".into() };
    ledger.write(at(2), "before request 1", &act, false).unwrap();
    act.requests[0] = RequestState::Accepted {
        sent: at(2),
        at: at(3),
        audit_id: "aid-1".into(),
        note: "resourceVersion 7 → 8".into(),
    };
    ledger.write(at(3), "after request 1", &act, true).unwrap();
    act.stage = Stage::Verifying;
    act.checks = vec![Check {
        id: "weight".into(),
        words: "no traffic on the canary".into(),
        needed: true,
        state: CheckState::Passed { at: at(4) },
        detail: "weight 0 % on the route".into(),
    }];
    ledger.write(at(4), "check weight", &act, false).unwrap();
    act.stage = Stage::Watching;
    act.outcome = Some(Outcome::Effective);
    ledger.write(at(5), "effective", &act, true).unwrap();
    act.stage = Stage::Over;
    ledger.write(at(6), "over", &act, true).unwrap();
}

#[test]
fn what_is_written_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    {
        let ledger = Ledger::open(folder.path(), None).unwrap();
        whole(&ledger, "a-1");
    }
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let rows = ledger.journal(&ActId("a-1".into())).unwrap();
    let points: Vec<&str> = rows.iter().map(|row| row.point.as_str()).collect();
    assert_eq!(
        points,
        ["confirmed", "before request 1", "after request 1", "check weight", "effective", "over"]
    );
    assert_eq!(rows[0].at, at(1));
    assert_eq!(rows[0].process, std::process::id());
    let audited: Vec<Option<u64>> = rows.iter().map(|row| row.act.audit).collect();
    assert_eq!(audited, [Some(1), None, Some(2), None, Some(3), Some(4)]);
    assert_eq!(rows[0].act, Act { audit: Some(1), ..act("a-1") });
    assert_eq!(ledger.act(&ActId("a-1".into())).unwrap().as_ref(), Some(&rows[5].act));
    assert_eq!(ledger.act(&ActId("a-2".into())).unwrap(), None);
}

#[test]
fn acts_are_given_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    for id in ["a-1", "a-2", "a-3"] {
        whole(&ledger, id);
    }
    let ids: Vec<String> = ledger.acts(2).unwrap().into_iter().map(|act| act.plan.id.0).collect();
    assert_eq!(ids, ["a-3", "a-2"]);
    assert!(ledger.acts(10).unwrap().iter().all(|act| act.stage == Stage::Over));
    assert_eq!(ledger.unfinished().unwrap(), []);
}

/// Makes all rows those of a process that is gone.
pub(super) fn orphan(ledger: &Ledger) {
    let connection = ledger.lock();
    let dead = Process::this().started + 1;
    connection.execute("UPDATE journal SET started = ?1, boot = boot || 'x'", [dead as i64]).unwrap();
}

#[test]
fn an_open_act_of_a_gone_process_is_taken_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let id = ActId("a-1".into());
    ledger.write(at(1), "confirmed", &act("a-1"), true).unwrap();
    whole(&ledger, "a-2");
    assert_eq!(ledger.unfinished().unwrap(), [], "its process runs");
    assert!(!ledger.take_over(&id, at(9)).unwrap(), "its process runs");
    orphan(&ledger);
    let found: Vec<String> = ledger.unfinished().unwrap().into_iter().map(|act| act.plan.id.0).collect();
    assert_eq!(found, ["a-1"], "the act that is over is not among them");

    let winners: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let own = Ledger::open(folder.path(), None).unwrap();
                    usize::from(own.take_over(&id, at(9)).unwrap())
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(winners, 1);
    assert_eq!(ledger.unfinished().unwrap(), []);
    assert!(!ledger.take_over(&ActId("a-2".into()), at(9)).unwrap(), "it is over");
    assert!(!ledger.take_over(&ActId("a-9".into()), at(9)).unwrap(), "it never was");
    let last = ledger.act(&id).unwrap().unwrap();
    assert!(last.resumed.contains("took it over from process"), "{}", last.resumed);
    assert_eq!(last.audit, Some(6), "taking over is audited");
}

#[test]
fn an_act_is_not_confirmed_twice_and_not_driven_by_two() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    ledger.write(at(1), "confirmed", &act("a-1"), true).unwrap();
    let error = ledger.write(at(2), "confirmed", &act("a-1"), true).unwrap_err().to_string();
    assert!(error.contains("a-1 was confirmed before"), "{error}");
    // A process that runs and is not this one: the parent.
    let parent = std::os::unix::process::parent_id();
    let stat = std::fs::read_to_string(format!("/proc/{parent}/stat")).unwrap();
    let started: i64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    ledger.lock().execute("UPDATE journal SET process = ?1, started = ?2", (parent, started)).unwrap();
    let error = ledger.write(at(3), "over", &act("a-1"), true).unwrap_err().to_string();
    assert!(error.contains(&format!("driven by process {parent}")), "{error}");
    assert_eq!(ledger.journal(&ActId("a-1".into())).unwrap().len(), 1);
}

#[test]
fn an_act_that_would_not_be_read_again_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let mut lost = act("a-1");
    lost.plan.expected_s = f64::NAN;
    let error = ledger.write(at(1), "confirmed", &lost, true).unwrap_err().to_string();
    assert!(error.contains("a-1 cannot be written"), "{error}");
    assert_eq!(ledger.acts(9).unwrap(), []);
}
