//! Dialogs of acts at each of their stages, over the fleet of `screen`.

use std::collections::BTreeMap;

use serde_json::Value;
use tui_input::Input;
use wardroom::app::acting::{ActDialog, ActStage, Field, Proposal};
use wardroom::app::{App, Dialog};
use wardroom::domain::act::{
    Act, ActId, Beware, CheckPlan, CheckState, Confirm, Hand, May, Operation, Outcome, Plan, Refusal,
    Request, RequestState, Stage, VersionMap, Who,
};
use wardroom::domain::{
    Analysis, AnalysisMetric, Condition, ControllerKind, Level, ModelId, Phase, Revision, Rollout, Situation,
    SourceId, Target, Time, Version,
};
use wardroom::store::Store;

use crate::screen::now;

fn ago(milliseconds: i64) -> Time {
    now() - chrono::TimeDelta::milliseconds(milliseconds)
}

fn target() -> Target {
    Target {
        system: SourceId::new("prod-eu"),
        kind: ControllerKind::Argo,
        context: "prod-eu".into(),
        namespace: "ml".into(),
        name: "alzheimer".into(),
    }
}

fn model() -> ModelId {
    ModelId::new("prod-eu", "alzheimer")
}

fn revision(number: u64, name: &str, days: i64, bad: &str) -> Revision {
    Revision {
        number: Some(number),
        hash: format!("5f6d8c{number}"),
        version: Some(Version::new(name)),
        images: vec![format!("ml/alzheimer:{name}")],
        created: Some(ago(days * 86_400_000)),
        is_stable: name == "1.2.0",
        is_canary: name == "1.3.0",
        pods: match name {
            "1.2.0" => (3, 3),
            "1.3.0" => (1, 1),
            _ => (0, 0),
        },
        known_bad: bad.into(),
    }
}

/// The rollout of alzheimer as a real controller would tell it.
pub fn rich_rollout(store: &mut Store) {
    let Some(rollout) = store.models.iter_mut().find(|m| m.id == model()).and_then(|m| m.rollout.as_mut())
    else {
        return;
    };
    rollout.target = Some(target());
    rollout.set = Some(25.0);
    rollout.autoscaler = "HPA 2–10, now 4".into();
    rollout.revisions = vec![
        revision(13, "1.3.0", 0, ""),
        revision(12, "1.2.0", 31, ""),
        revision(11, "1.2.1", 40, "aborted 12 May 14:02, p95"),
        revision(9, "1.1.0", 90, ""),
    ];
    if let Some(step) = rollout.steps.get_mut(2) {
        step.runs = "analysis auc".into();
    }
    let metric = |name: &str, phase: &str, value: &str, counts| AnalysisMetric {
        name: name.into(),
        phase: phase.into(),
        value: value.into(),
        limit: "result[0] >= 0.95".into(),
        counts,
    };
    rollout.analyses = vec![Analysis {
        name: "alzheimer-13-2-auc".into(),
        kind: "step".into(),
        phase: "Running".into(),
        message: String::new(),
        metrics: vec![
            metric("auc", "Running", "0.962", (4, 1, Some(2))),
            metric("success-rate", "Failed", "0.914", (3, 3, Some(2))),
        ],
    }];
    rollout.conditions = vec![Condition { level: Level::Ok, text: "Available: minimum availability".into() }];
}

/// The rollout of alzheimer with something wrong at the controller.
pub fn bad_rollout(store: &mut Store) {
    rich_rollout(store);
    let Some(rollout) = store.models.iter_mut().find(|m| m.id == model()).and_then(|m| m.rollout.as_mut())
    else {
        return;
    };
    (rollout.situation, rollout.phase, rollout.set) = (Situation::Degraded, Phase::Degraded, Some(10.0));
    rollout.message = "ProgressDeadlineExceeded".into();
    rollout.conditions.insert(
        0,
        Condition { level: Level::Critical, text: "InvalidSpec: no stable service alzheimer-stable".into() },
    );
    if let Some(target) = &mut rollout.target {
        target.kind = ControllerKind::HttpRoute;
    }
    if let Some(canary) = rollout.revisions.first_mut() {
        canary.known_bad = "rolled back 3 days ago, errors".into();
    }
}

/// The rollout of alzheimer after an abort.
pub fn aborted(store: &mut Store) {
    rich_rollout(store);
    let Some(rollout) = store.models.iter_mut().find(|m| m.id == model()).and_then(|m| m.rollout.as_mut())
    else {
        return;
    };
    (rollout.situation, rollout.phase, rollout.asked) = (Situation::Aborted, Phase::Aborted, 0.0);
    (rollout.until, rollout.waits) = (None, true);
}

fn request(hand: Hand, verb: &str, path: &str, words: &str, may: May) -> Request {
    Request {
        hand,
        words: words.into(),
        verb: verb.into(),
        path: path.into(),
        content_type: "application/merge-patch+json".into(),
        body: Value::Null,
        may,
        dry_run: None,
        after: String::new(),
        wait_s: 0.0,
        optional: false,
        keep: BTreeMap::new(),
    }
}

const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/alzheimer";

fn check(id: &str, words: &str, needed: bool) -> CheckPlan {
    CheckPlan { id: id.into(), words: words.into(), needed, within_s: 15.0 }
}

/// A plan as the engine would make it.
pub fn plan(operation: Operation, confirm: Confirm) -> Plan {
    let is_rollback = matches!(operation, Operation::RollBack { .. });
    let query = format!("{ROLLOUT}/status?fieldManager=wardroom&fieldValidation=Strict");
    let mut requests = vec![request(Hand::Controller, "PATCH", &query, "abort: true", May::Yes)];
    requests[0].dry_run = Some(Ok("status.abort false → true".into()));
    let mut beware = Vec::new();
    if is_rollback {
        let mut second = request(Hand::Controller, "PATCH", ROLLOUT, "template ← 1.1.0", May::Yes);
        (second.after, second.wait_s) = ("the controller has seen the abort".into(), 15.0);
        requests.push(second);
        let may = May::Unknown("the registry does not tell".into());
        let path = "/api/2.0/mlflow/registered-models/alias";
        let mut third = request(Hand::Registry, "POST", path, "champion → 1.1.0", may);
        third.optional = true;
        requests.push(third);
        let text =
            "managed by Argo CD with self-heal: step 2 will be reverted within 5 s unless Git says the same";
        beware.push(Beware { level: Level::Critical, text: text.into() });
        beware.push(Beware { level: Level::Warning, text: "HPA 2–10 may scale in between".into() });
    }
    Plan {
        id: ActId("a-3f9c21d4".into()),
        model: model(),
        target: target(),
        operation,
        reason: String::new(),
        evidence: "errors 2.9× (1.9×–4.6×), holds at every look; critical: p95 612 ms > 500".into(),
        who: Who {
            user: "sre".into(),
            origin: "10.0.0.7".into(),
            host: "bastion".into(),
            identity: "oidc:sre".into(),
            by: "room".into(),
        },
        made_at: now(),
        before: "1.3.0 at 25 %, paused by its step".into(),
        after: if is_rollback { "1.1.0 at 100 %" } else { "1.2.0 at 100 %" }.into(),
        facts: Vec::new(),
        affects: "25 % of traffic, 29.5 req/s, namespace ml".into(),
        version: is_rollback.then(|| VersionMap {
            name: "1.1.0".into(),
            revision: Some(9),
            hash: "5f6d8c9".into(),
            registry: "4".into(),
        }),
        requests,
        beware,
        checks: vec![
            check("observed", "controller has seen it", true),
            check("weight", "weight 0 % on the route", true),
            check("version", "endpoint answers as 1.2.0", true),
            check("samples", "samples match", false),
            check("metrics", "metrics settle", false),
        ],
        expected_s: 3.0,
        confirm,
        stepper: false,
    }
}

fn dialog(store: &Store, stage: ActStage) -> ActDialog {
    let seen: Option<Box<Rollout>> =
        store.model(&model()).and_then(|model| model.rollout.clone()).map(Box::new);
    ActDialog { seen, ..ActDialog::new(model(), stage) }
}

/// An act some seconds after its confirmation.
pub fn act(operation: Operation) -> Act {
    let mut act = Act::confirmed(plan(operation, Confirm::Enter), ago(3_200));
    act.plan.reason = "p95 regression".into();
    act.stage = Stage::Verifying;
    let id = "7f3a91c2-77aa-4c1e-9d3f".to_owned();
    for (place, state) in act.requests.iter_mut().enumerate() {
        *state = match place {
            0 => RequestState::Accepted {
                sent: ago(3_190),
                at: ago(3_050),
                audit_id: id.clone(),
                note: "resourceVersion 88123 → 88140".into(),
            },
            1 => RequestState::Sent { at: ago(800), audit_id: id.clone() },
            _ => RequestState::Waiting { for_what: "the template to be observed".into() },
        };
    }
    act.checks[0].state = CheckState::Passed { at: ago(2_700) };
    act.checks[0].detail = "generation 13".into();
    act.checks[1].state = CheckState::Passed { at: ago(1_100) };
    act.checks[2].detail = "17 of 20 probes 1.2.0".into();
    act.checks[3].state = CheckState::Skipped;
    act.checks[3].detail = "name a file in model.verify.samples".into();
    act
}

fn over(outcome: Outcome) -> Act {
    let mut act = act(Operation::Abort);
    let effective = outcome == Outcome::Effective;
    act.checks[2].state =
        if effective { CheckState::Passed { at: ago(300) } } else { CheckState::Failed { at: ago(300) } };
    act.effective_at = effective.then(|| ago(300));
    act.stage = if effective { Stage::Watching } else { Stage::Over };
    act.watch_until = effective.then(|| now() + chrono::TimeDelta::hours(1));
    act.audit = Some(41);
    act.outcome = Some(outcome);
    act
}

/// The names of the stages, for the names of snapshots.
pub const STAGES: [&str; 15] = [
    "versions",
    "weight",
    "asking",
    "refused",
    "abort",
    "rollback",
    "typing",
    "forbidden",
    "moved",
    "stepper",
    "progress",
    "effective",
    "failed",
    "unfinished",
    "waits",
];

/// Opens the dialog of a stage.
pub fn open(app: &mut App, store: &mut Store, stage: &str) {
    rich_rollout(store);
    let back = || Operation::RollBack { to: Version::new("1.1.0") };
    let propose = |operation, confirm| Proposal::of(Box::new(plan(operation, confirm)));
    let stage = match stage {
        "versions" => {
            let list = store.model(&model()).and_then(|m| m.rollout.as_ref()).map(|r| r.revisions.clone());
            ActStage::Versions { list: list.unwrap_or_default(), cursor: 3 }
        }
        "weight" => ActStage::Weight(Input::new("12".into())),
        "asking" => ActStage::Asking { number: 1, operation: Operation::Abort, since: ago(400) },
        "refused" => ActStage::Refused {
            operation: Operation::Promote,
            refusal: Refusal::new(
                "the rollout has no canary any more: 1.3.0 was aborted 14:01:59 by kubectl",
                "Y tries it again, R goes to a version",
            ),
        },
        "abort" => ActStage::Planned(propose(Operation::Abort, Confirm::Enter)),
        "rollback" => ActStage::Planned(propose(back(), Confirm::Choose)),
        "typing" => {
            let mut proposal = propose(back(), Confirm::Type("alzheimer".into()));
            proposal.reason = Input::new("p95 regression since 13:58".into());
            proposal.typed = Input::new("alzh".into());
            proposal.focus = Field::Name;
            ActStage::Planned(proposal)
        }
        "forbidden" => {
            let mut plan = plan(Operation::PromoteFull, Confirm::Choose);
            plan.requests[0].may = May::No("pauser may not patch rollouts/status in ml".into());
            ActStage::Planned(Proposal::of(Box::new(plan)))
        }
        "moved" | "stepper" => {
            let mut plan = plan(Operation::Promote, Confirm::Choose);
            plan.stepper = stage == "stepper";
            ActStage::Planned(Proposal::of(Box::new(plan)))
        }
        "unfinished" => {
            app.acting.unfinished = vec![act(back()), Act { requests: Vec::new(), ..act(Operation::Abort) }];
            app.dialog = Dialog::Unfinished(0);
            return;
        }
        "waits" => {
            for model in &mut store.models {
                if let Some(rollout) = &mut model.rollout {
                    rollout.waits = true;
                }
            }
            app.dialog = Dialog::Waits(1);
            return;
        }
        following => {
            let act = match following {
                "effective" => over(Outcome::Effective),
                "failed" => over(Outcome::Failed { why: "the endpoint still answers as 1.3.0".into() }),
                _ => act(back()),
            };
            let stage = ActStage::Following(act.plan.id.clone());
            app.acting.acts.push(act);
            stage
        }
    };
    let mut dialog = dialog(store, stage);
    if matches!(&dialog.stage, ActStage::Planned(p) if p.plan.operation == Operation::Promote && !p.plan.stepper)
        && let Some(seen) = &mut dialog.seen
    {
        (seen.asked, seen.situation) = (10.0, Situation::Progressing);
    }
    app.dialog = Dialog::Act(Box::new(dialog));
}
