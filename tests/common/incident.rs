//! An incident on the fleet of `screen`, as it stands after a quarter of an hour.

use tui_input::Input;
use wardroom::app::incident::{
    Ask, Asked, Declaration, DeclareField, IncidentDialog, IncidentStage, Scope, take,
};
use wardroom::app::{App, Dialog};
use wardroom::domain::act::ActId;
use wardroom::domain::incident::{Entry, EntryId, IncidentId, Matter, Milestone, Severity};
use wardroom::domain::{Event, EventKind, Level, ModelId, Time};
use wardroom::store::Store;

use crate::screen::now;

fn ago(seconds: i64) -> Time {
    now() - chrono::TimeDelta::seconds(seconds)
}

fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |happened: i64, recorded: i64, by: &str, matter: Matter| {
        let id = EntryId(format!("e-a-{:05}", entries.len()));
        let incident = IncidentId("i-1120-7f3a".into());
        let (happened, recorded) = (ago(happened), ago(recorded));
        entries.push(Entry { id, incident, happened, recorded, by: by.into(), matter });
    };
    let (sre, kim, own) = ("sre@bastion", "kim@bastion", "wardroom");
    let reached = |milestone, evidence: &str| Matter::Milestone { milestone, evidence: evidence.into() };
    let seen = |at: i64, kind, level, what: &str, detail: &str| Matter::Seen {
        event: Event {
            at: ago(at),
            kind,
            model: Some(ModelId::new("prod-eu", "alzheimer")),
            level,
            what: what.into(),
            detail: detail.into(),
        },
    };
    let acted = |stage: &str, audit| Matter::Acted {
        act: ActId("a-3f9c21d4".into()),
        headline: "abort alzheimer".into(),
        stage: stage.into(),
        audit: Some(audit),
        audit_ids: vec!["4f1c-88".into(), "4f1c-89".into()],
    };
    let (title, models) = ("alzheimer p95 612 ms > 500".to_owned(), vec!["alzheimer".to_owned()]);
    add(700, 700, sre, Matter::Declared { title, severity: Severity::Sev1, models });
    add(761, 700, own, reached(Milestone::Started, "alzheimer critical since 13:49:26: p95 612 ms > 500"));
    add(741, 700, own, reached(Milestone::Detected, "alert ModelLatencyHigh fires"));
    add(700, 700, sre, reached(Milestone::Acknowledged, "sre@bastion declared it"));
    add(
        755,
        699,
        own,
        seen(755, EventKind::Judgement, Level::Critical, "p95 612 ms > 500", "was 204 ms, ok"),
    );
    add(690, 690, sre, Matter::Role { role: "commander".into(), person: sre.into() });
    add(640, 640, kim, Matter::Joined);
    add(630, 630, kim, Matter::Note { text: "deploy of 1.3.0 at 13:40".into() });
    add(600, 600, kim, Matter::Hypothesis { text: "the new tokenizer allocates for each request".into() });
    add(
        500,
        500,
        own,
        seen(500, EventKind::Rollout, Level::Ok, "weight 10 → 25 %", "argo-rollouts  step 3 of 5"),
    );
    add(
        -900,
        480,
        kim,
        Matter::Correction {
            of: EntryId("e-a-00007".into()),
            text: "it was at 13:44".into(),
            happened: Some(ago(1_087)),
        },
    );
    add(
        400,
        400,
        sre,
        Matter::Update { text: "users of alzheimer see slow answers, a canary is suspected".into() },
    );
    add(300, 300, sre, Matter::NextDecision { due: ago(-773), text: "roll back unless p95 falls".into() });
    add(30, 30, sre, acted("confirmed", 41));
    add(24, 24, sre, acted("effective", 44));
    for entry in &mut entries {
        entry.happened = entry.happened.min(entry.recorded);
    }
    entries
}

/// The stages of [`open`].
pub const STAGES: [&str; 9] =
    ["bar", "declare", "choose", "sheet", "note", "milestone", "correct", "alone", "spectator"];

/// The room at a stage.
pub fn open(app: &mut App, store: &mut Store, stage: &str) {
    let id = IncidentId("i-1120-7f3a".into());
    take(app, store, entries());
    app.message = None;
    let ask = |what| Some(Ask { what, input: Input::default() });
    let stage = match stage {
        "bar" => return,
        "declare" => IncidentStage::Declare(Box::new(Declaration {
            title: Input::new("alzheimer p95 612 ms > 500".into()),
            severity: Severity::Sev2,
            scopes: vec![Scope { words: "alzheimer".into(), models: vec!["alzheimer".into()] }],
            scope: 0,
            field: DeclareField::Severity,
        })),
        "choose" => IncidentStage::Choose { cursor: 0 },
        "sheet" => IncidentStage::sheet(id),
        "note" => IncidentStage::Sheet {
            id,
            ask: Some(Ask { what: Asked::Note, input: Input::new("p95 falls".into()) }),
        },
        "milestone" => IncidentStage::Sheet { id, ask: ask(Asked::Milestone(3)) },
        "correct" => IncidentStage::Sheet { id, ask: ask(Asked::Choosing(4)) },
        "alone" => {
            app.incidents.alone = Some("the disk is full".into());
            let mut entry = entries().remove(7);
            entry.id = EntryId("e-b-00001".into());
            entry.matter = Matter::Note { text: "this one is not on the disk".into() };
            (entry.happened, entry.recorded) = (ago(1), ago(1));
            app.incidents.pending.insert(entry.id.clone(), entry);
            take(app, store, Vec::new());
            IncidentStage::sheet(id)
        }
        _ => {
            (app.spectator, app.read_only) = (true, true);
            IncidentStage::sheet(id)
        }
    };
    app.dialog = Dialog::Incident(Box::new(IncidentDialog { stage, scroll: 0 }));
}
