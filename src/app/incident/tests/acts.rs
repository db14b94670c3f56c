//! What an act leaves in an incident, and which ones mitigate it.

use super::super::tick;
use super::{at, bad, declare, kinds, only, room, written};
use crate::app::{Msg, update};
use crate::domain::act::{
    Act, ActId, Confirm, Operation, Outcome, Plan, RequestState, Stage, Told, VersionMap, Who,
};
use crate::domain::incident::{Entry, Matter, Milestone};
use crate::domain::{ControllerKind, Level, ModelId, SourceId, Target};

fn act(operation: Operation, outcome: Option<Outcome>) -> Act {
    let plan = Plan {
        id: ActId("a-1".into()),
        model: ModelId::new("test", "alzheimer"),
        target: Target {
            system: SourceId::new("cluster"),
            kind: ControllerKind::Argo,
            context: "".into(),
            namespace: "".into(),
            name: "alzheimer".into(),
        },
        operation,
        reason: String::new(),
        evidence: String::new(),
        who: Who { user: "kim".into(), host: "bastion".into(), ..Who::default() },
        made_at: at(10),
        before: String::new(),
        after: String::new(),
        facts: Vec::new(),
        affects: String::new(),
        version: None::<VersionMap>,
        requests: Vec::new(),
        beware: Vec::new(),
        checks: Vec::new(),
        expected_s: 3.0,
        confirm: Confirm::Enter,
        stepper: false,
    };
    let mut act = Act::confirmed(plan, at(10));
    act.requests = vec![RequestState::Accepted {
        sent: at(10),
        at: at(11),
        audit_id: "4f1c".into(),
        note: String::new(),
    }];
    act.audit = Some(7);
    act.stage = if outcome.is_some() { Stage::Watching } else { Stage::Sending };
    act.effective_at = matches!(outcome, Some(Outcome::Effective)).then(|| at(13));
    act.outcome = outcome;
    act
}

#[test]
fn an_act_stands_in_it_with_its_audit_entry_and_a_well_model_is_mitigated() {
    let (mut app, mut store) = room("a", "sam");
    declare(&mut app, &mut store);
    update(&mut app, &mut store, Msg::Told(Box::new(Told::Act(Box::new(act(Operation::Abort, None))))));
    app.now = at(11);
    let told = written(tick(&mut app, &store));
    let [Entry { matter: Matter::Acted { stage, audit, audit_ids, .. }, by, happened, .. }] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!((stage.as_str(), *audit, audit_ids.as_slice()), ("confirmed", Some(7), &["4f1c".into()][..]));
    assert_eq!((by.as_str(), *happened), ("kim@bastion", at(10)));
    let over = act(Operation::Abort, Some(Outcome::Effective));
    update(&mut app, &mut store, Msg::Told(Box::new(Told::Act(Box::new(over)))));
    app.now = at(14);
    assert_eq!(kinds(&written(tick(&mut app, &store))), ["acted"]);
    bad(&mut store, Level::Ok, 20);
    app.now = at(25);
    assert!(
        written(tick(&mut app, &store))
            .iter()
            .all(|entry| !kinds(std::slice::from_ref(entry)).contains(&"mitigated"))
    );
    app.now = at(31);
    tick(&mut app, &store);
    let mark = &only(&app).marks[&Milestone::Mitigated];
    assert_eq!((mark.at, mark.by.as_str()), (at(20), "wardroom"));
    assert!(
        mark.evidence.contains("a-1 effective") && mark.evidence.contains("alzheimer ok since"),
        "{}",
        mark.evidence
    );
}

#[test]
fn an_act_that_does_not_lead_back_mitigates_nothing() {
    for (operation, outcome) in [
        (Operation::Promote, Outcome::Effective),
        (Operation::Abort, Outcome::Failed { why: "refused".into() }),
    ] {
        let (mut app, mut store) = room("a", "sam");
        declare(&mut app, &mut store);
        let act = act(operation, Some(outcome));
        update(&mut app, &mut store, Msg::Told(Box::new(Told::Act(Box::new(act)))));
        bad(&mut store, Level::Ok, 14);
        app.now = at(300);
        tick(&mut app, &store);
        assert!(!only(&app).marks.contains_key(&Milestone::Mitigated));
    }
}
