//! Documents of a whole incident, and the promise that nothing is lost on the way out and back.

use proptest::prelude::*;

use super::*;
use crate::domain::incident::{Entry, EntryId, IncidentId, Mark, Matter, Milestone, Severity, sample};
use crate::domain::{Event, EventKind, Kpi, Level, ModelId};

/// A moment so many minutes into the story.
pub(super) fn at(minutes: i64) -> Time {
    sample::at(minutes * 60)
}

fn entry(minutes: i64, by: &str, matter: Matter) -> Entry {
    sample::entry(&format!("e-{minutes}-{by}"), minutes * 60, by, matter)
}

/// A line that wrote itself.
pub(super) fn seen(minutes: i64, model: &str, kind: EventKind, level: Level, what: &str) -> Entry {
    entry(minutes, "wardroom", Matter::Seen { event: sample::event(minutes * 60, model, kind, level, what) })
}

fn acted(minutes: i64, stage: &str, audit: u64, ids: &[&str]) -> Entry {
    entry(
        minutes,
        "kim@bastion",
        Matter::Acted {
            act: ActId("a-3f9c21d4".into()),
            headline: "rollback alzheimer to 1.2.0".into(),
            stage: stage.into(),
            audit: Some(audit),
            audit_ids: ids.iter().map(ToString::to_string).collect(),
        },
    )
}

fn story() -> Incident {
    let mut late =
        entry(20, "kim@bastion", Matter::Note { text: "ward 3 calls | `results` are late".into() });
    late.happened = at(3);
    let mut entries = vec![
        seen(0, "alzheimer", EventKind::Rollout, Level::Ok, "weight 10 → 25 %"),
        seen(1, "alzheimer", EventKind::Judgement, Level::Critical, "p95 612 ms > 500"),
        entry(2, "kim@bastion", sample::declared()),
        entry(
            4,
            "kim@bastion",
            Matter::Hypothesis { text: "1.3.0 loads its tokenizer for each request".into() },
        ),
        acted(5, "confirmed", 41, &[]),
        acted(7, "effective", 44, &["6f0c", "91ab"]),
        seen(8, "alzheimer", EventKind::Judgement, Level::Ok, "p95 210 ms ≤ 300"),
        entry(
            9,
            "kim@bastion",
            Matter::Milestone {
                milestone: Milestone::Mitigated,
                evidence: "act a-3f9c21d4 effective".into(),
            },
        ),
        entry(
            10,
            "kim@bastion",
            Matter::FollowUp { text: "load test with 1.3.1".into(), owner: String::new() },
        ),
        late,
    ];
    entries.push(entry(
        21,
        "ann@bastion",
        Matter::Correction { of: entries[9].id.clone(), text: "it was ward 4".into(), happened: Some(at(4)) },
    ));
    let mut incident = sample::incident(entries);
    let mark = |minutes, by: &str, evidence: &str| Mark {
        at: at(minutes),
        by: by.into(),
        evidence: evidence.into(),
    };
    incident.marks.insert(Milestone::Started, mark(0, "wardroom", "weight 10 → 25 %"));
    incident.marks.insert(Milestone::Detected, mark(1, "wardroom", "p95 612 ms > 500"));
    incident.marks.insert(Milestone::Mitigated, mark(9, "kim@bastion", "act a-3f9c21d4 effective"));
    incident.hypothesis = Some("1.3.0 loads its tokenizer for each request".into());
    incident.people = vec!["kim@bastion".into(), "ann@bastion".into()];
    incident.roles.insert("communication".into(), "ann@bastion".into());
    incident
}

fn told(with: impl Fn(&Dossier<'_>) -> String) -> String {
    let incident = story();
    let detail = ActDetail {
        act: Some(ActId("a-3f9c21d4".into())),
        model: "alzheimer".into(),
        verb: "rollback".into(),
        who: "kim".into(),
        why: "latency on ward 4".into(),
        before: "1.3.0 at 25 %".into(),
        after: "1.2.0 at 100 %".into(),
        evidence: "p95 612 ms > 500".into(),
        outcome: "effective".into(),
        confirmed: Some(at(5)),
        accepted: Some(at(5)),
        effective: Some(at(7)),
        checks: vec![(
            "the expected version answers".into(),
            "passed".into(),
            "20 of 20 probes 1.2.0".into(),
        )],
    };
    let chart = Chart {
        model: "alzheimer".into(),
        kpi: Kpi::LatencyP95,
        points: (0..30)
            .map(|minute| (at(minute).timestamp(), if (1..8).contains(&minute) { 612.0 } else { 210.0 }))
            .collect(),
    };
    let traffic = Traffic {
        model: "alzheimer".into(),
        requests: Some(52_340.0),
        errors: Some(12.0),
        from: "history, 15 s".into(),
    };
    let facts = Facts {
        model: "alzheimer".into(),
        at: Some(at(22)),
        live: "1.2.0".into(),
        registries: vec![("mlflow".into(), "3 (1.3.0)".into())],
        disagreements: vec!["mlflow calls 3 (1.3.0) production, the rollout serves 1.2.0".into()],
        drift: Some(0.24),
        drifted: vec![Drifted {
            feature: "age_at_visit".into(),
            method: "PSI".into(),
            raw: 0.31,
            level: "high".into(),
            since: Some(at(-600)),
        }],
        level: "ok".into(),
        ..Facts::default()
    };
    with(&Dossier {
        incident: &incident,
        environment: "prod-eu",
        now: at(22),
        acts: &[detail],
        charts: &[chart],
        traffic: &[traffic],
        facts: &[facts],
    })
}

#[test]
fn the_incident_as_markdown() {
    insta::assert_snapshot!(told(markdown));
}

#[test]
fn the_message_to_stakeholders() {
    insta::assert_snapshot!(told(stakeholder));
}

#[test]
fn the_report_after_a_rollback() {
    insta::assert_snapshot!(told(post_rollback));
}

#[test]
fn the_root_cause_template() {
    insta::assert_snapshot!(told(root_cause));
}

#[test]
fn what_is_not_known_is_left_to_somebody() {
    let incident = sample::incident(Vec::new());
    let dossier = Dossier {
        incident: &incident,
        environment: "prod-eu",
        now: at(0),
        acts: &[],
        charts: &[],
        traffic: &[],
        facts: &[],
    };
    for text in [stakeholder(&dossier), post_rollback(&dossier), root_cause(&dossier)] {
        assert!(text.contains("to be filled in by the "), "{text}");
    }
    assert!(
        markdown(&dossier).contains("not known: started and detected are not set"),
        "{}",
        markdown(&dossier)
    );
}

#[test]
fn a_wrong_export_names_its_line() {
    assert!(lines::read("{}\n").unwrap_err().starts_with("line 1: "));
    assert!(sheet::read("id,by\n").unwrap_err().contains("no column `incident`"));
    let whole = sheet::write(&story().entries).unwrap();
    let broken = whole.replacen("2026-11", "soon", 1);
    assert!(sheet::read(&broken).unwrap_err().starts_with("record 1: `happened`"), "{broken}");
}

/// Any text, with what breaks formats more often than chance would have it.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![".{0,30}", "(?s).{0,12}", "['=+@\t\r\n,;\"|`\\\\<>&#*_\\[\\]\u{2028}\u{feff}\u{0}é心-]{0,12}",]
}

fn moments() -> impl Strategy<Value = Time> {
    (0i64..253_402_300_799, prop_oneof![Just(0u32), 0u32..1_000_000_000])
        .prop_map(|(seconds, nanos)| Time::from_timestamp(seconds, nanos).unwrap())
}

fn matters() -> impl Strategy<Value = Matter> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let milestone = prop::sample::select(Milestone::ALL.to_vec());
    let kinds =
        vec![EventKind::Judgement, EventKind::Alert, EventKind::Rollout, EventKind::Source, EventKind::Drift];
    let levels = vec![Level::Ok, Level::Unknown, Level::Warning, Level::Critical];
    let event = (
        moments(),
        prop::sample::select(kinds),
        prop::option::of((words(), words())),
        prop::sample::select(levels),
        words(),
        words(),
    )
        .prop_map(|(at, kind, model, level, what, detail)| Event {
            at,
            kind,
            model: model.map(|(environment, name)| ModelId::new(&environment, &name)),
            level,
            what,
            detail,
        });
    prop_oneof![
        (words(), severity.clone(), prop::collection::vec(words(), 0..3))
            .prop_map(|(title, severity, models)| Matter::Declared { title, severity, models }),
        Just(Matter::Joined),
        (words(), words()).prop_map(|(role, person)| Matter::Role { role, person }),
        severity.prop_map(|severity| Matter::Severity { severity }),
        (milestone, words()).prop_map(|(milestone, evidence)| Matter::Milestone { milestone, evidence }),
        words().prop_map(|text| Matter::Hypothesis { text }),
        (moments(), words()).prop_map(|(due, text)| Matter::NextDecision { due, text }),
        words().prop_map(|text| Matter::Note { text }),
        (words(), words()).prop_map(|(text, owner)| Matter::FollowUp { text, owner }),
        words().prop_map(|text| Matter::Update { text }),
        event.prop_map(|event| Matter::Seen { event }),
        (words(), words(), words(), prop::option::of(any::<u64>()), prop::collection::vec(words(), 0..3))
            .prop_map(|(act, headline, stage, audit, audit_ids)| Matter::Acted {
                act: ActId(act),
                headline,
                stage,
                audit,
                audit_ids
            }),
        (words(), words(), prop::option::of(moments())).prop_map(|(of, text, happened)| Matter::Correction {
            of: EntryId(of),
            text,
            happened
        }),
    ]
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (words(), words(), moments(), moments(), words(), matters()).prop_map(
        |(id, incident, happened, recorded, by, matter)| Entry {
            id: EntryId(id),
            incident: IncidentId(incident),
            happened,
            recorded,
            by,
            matter,
        },
    );
    prop::collection::vec(one, 0..6)
}

/// The cells of a row of a table, as renderers cut it: at bars that no backslash stands before.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut rest = row.trim().trim_start_matches('|').strip_suffix('|').unwrap().chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => cells.last_mut().unwrap().extend(rest.next()),
            '|' => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

proptest! {
    #[test]
    fn entries_come_back_from_csv(entries in entries()) {
        prop_assert_eq!(sheet::read(&sheet::write(&entries).unwrap()).unwrap(), entries);
    }

    #[test]
    fn entries_come_back_from_json_lines(entries in entries()) {
        let text = lines::write(&entries).unwrap();
        prop_assert_eq!(text.lines().count(), entries.len());
        prop_assert_eq!(lines::read(&text).unwrap(), entries);
    }

    #[test]
    fn no_cell_is_run_as_a_formula(entries in entries()) {
        let text = sheet::write(&entries).unwrap();
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            for cell in record.unwrap().iter() {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            }
        }
    }

    #[test]
    fn no_text_breaks_the_table_and_no_entry_is_left_out(entries in entries()) {
        let table = timeline::table(&entries);
        let rows: Vec<&str> = table.split('\n').filter(|row| !row.is_empty()).collect();
        prop_assert_eq!(rows[0], "| Time (UTC) | Event | Evidence |");
        for row in &rows {
            prop_assert_eq!(cells(row).len(), 3, "{}", row);
            prop_assert!(!row.chars().any(char::is_control), "{row:?}");
            let tags = row.replace("<br>", "");
            prop_assert!(!tags.contains('<'), "{row}");
        }
        let corrected: usize = rows.iter().map(|row| row.matches("<br>correction by ").count()).sum();
        prop_assert!(rows.len() - 2 + corrected >= entries.len());
    }
}
