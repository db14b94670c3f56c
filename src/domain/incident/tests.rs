//! The same entries give the same incident, in whatever order and however often they come.

use proptest::prelude::*;

use super::sample::{at, entry, event, name};
use super::*;
use crate::domain::{EventKind, Level};

fn seen(id: &str, second: i64, level: Level, what: &str) -> Entry {
    let event = event(second, "alzheimer", EventKind::Judgement, level, what);
    entry(id, second, "wardroom", Matter::Seen { event })
}

fn milestone(id: &str, second: i64, milestone: Milestone) -> Entry {
    entry(id, second, "kim", Matter::Milestone { milestone, evidence: "seen".into() })
}

fn declared() -> Entry {
    entry("a", 0, "kim", sample::declared())
}

fn one(entries: &[Entry]) -> Incident {
    let mut folded = Incident::fold(entries);
    assert_eq!(folded.len(), 1);
    folded.remove(0)
}

#[test]
fn the_last_word_holds_and_both_stand() {
    let role = |id: &str, second, person: &str| {
        entry(id, second, person, Matter::Role { role: "commander".into(), person: person.into() })
    };
    let hypothesis =
        |id: &str, second, text: &str| entry(id, second, "kim", Matter::Hypothesis { text: text.into() });
    let incident = one(&[
        declared(),
        role("b", 1, "kim"),
        role("c", 2, "sam"),
        hypothesis("d", 3, "the cache"),
        hypothesis("e", 4, "the new tokenizer"),
        entry("f", 5, "sam", Matter::Severity { severity: Severity::Sev1 }),
        entry("g", 6, "sam", Matter::Joined),
    ]);
    assert_eq!(incident.roles["commander"], "sam");
    assert_eq!(incident.hypothesis.as_deref(), Some("the new tokenizer"));
    assert_eq!(
        (incident.severity, incident.people.as_slice()),
        (Severity::Sev1, &["kim".into(), "sam".into()][..])
    );
    assert_eq!(incident.entries.len(), 7);
}

#[test]
fn durations_are_between_milestones_and_wait_for_both() {
    let mut incident = one(&[declared(), milestone("b", -60, Milestone::Started)]);
    assert_eq!((incident.time_to_detect(), incident.is_open()), (None, true));
    assert!(incident.take(milestone("c", -40, Milestone::Detected)));
    assert!(incident.take(milestone("d", 20, Milestone::Acknowledged)));
    assert!(incident.take(milestone("e", 240, Milestone::Mitigated)));
    assert!(incident.take(milestone("f", 600, Milestone::Resolved)));
    assert!(!incident.take(milestone("f", 600, Milestone::Resolved)), "an entry counts once");
    let seconds = [
        incident.time_to_detect(),
        incident.time_to_acknowledge(),
        incident.time_to_mitigate(),
        incident.time_to_resolve(),
    ]
    .map(|took| took.unwrap().num_seconds());
    assert_eq!((seconds, incident.is_open()), ([20, 60, 300, 660], false));
    let late = Entry { recorded: at(700), ..milestone("g", -90, Milestone::Detected) };
    assert!(incident.take(late));
    assert_eq!(incident.time_to_detect(), None, "detected before it began is a mistake, not a duration");
}

#[test]
fn a_correction_counts_and_what_it_corrects_stays() {
    let correct = |id: &str, second, of: &str, text: &str, happened: Option<i64>| {
        let matter =
            Matter::Correction { of: EntryId(of.into()), text: text.into(), happened: happened.map(at) };
        entry(id, second, "kim", matter)
    };
    let entries = [
        declared(),
        milestone("b", 0, Milestone::Started),
        correct("c", 50, "b", "it began with the deploy", Some(-300)),
        correct("d", 60, "c", "five minutes later than that", None),
        correct("e", 70, "a", "als and its cache are slow", None),
        correct("x", 80, "y", "", None),
        correct("y", 90, "x", "", None),
    ];
    let incident = one(&entries);
    let mark = &incident.marks[&Milestone::Started];
    assert_eq!((mark.at, mark.evidence.as_str()), (at(-300), "five minutes later than that"));
    assert_eq!(incident.title, "als and its cache are slow");
    assert_eq!(incident.entries.len(), entries.len());
    assert_eq!(incident.entries[1].happened, at(0));
    assert_eq!(incident.correction_of(&EntryId("b".into())).unwrap().id.0, "c");
}

#[test]
fn what_two_rooms_saw_is_one_line_and_a_change_back_is_not() {
    let incident = one(&[
        declared(),
        seen("b", 10, Level::Critical, "p95 612 ms > 500"),
        seen("c", 14, Level::Critical, "p95 615 ms > 500"),
        seen("d", 40, Level::Ok, "p95 200 ms ≤ 300"),
        seen("e", 60, Level::Critical, "p95 590 ms > 500"),
        seen("f", 61, Level::Warning, "err 1.2 % > 1"),
        seen("g", 200, Level::Critical, "p95 590 ms > 500"),
    ]);
    let ids: Vec<&str> = incident.entries.iter().map(|entry| entry.id.0.as_str()).collect();
    assert_eq!(ids, ["a", "b", "d", "e", "f", "g"]);
    assert_eq!(incident.doubles.len(), 1);
}

#[test]
fn a_happening_has_one_name_in_every_room() {
    let incident = name();
    let event = |second, kind, what: &str| event(second, "alzheimer", kind, Level::Critical, what);
    let judged = |second, what| seen_id(&incident, &event(second, EventKind::Judgement, what), None);
    assert_eq!(judged(0, "p95 612 ms > 500"), judged(7, "p95 615 ms > 500"));
    assert_ne!(judged(0, "p95 612 ms > 500"), judged(0, "err 3 % > 2"));
    assert_ne!(judged(0, "p95 612 ms > 500"), judged(300, "p95 612 ms > 500"));
    let alert =
        |second| seen_id(&incident, &event(second, EventKind::Alert, "alert Slow firing"), Some(at(-100)));
    assert_eq!(alert(0), alert(500), "when it began tells it from another");
    let act = crate::domain::act::ActId("a-1".into());
    assert_ne!(acted_id(&incident, &act, "confirmed"), acted_id(&incident, &act, "effective"));
}

fn any_matter() -> impl Strategy<Value = Matter> {
    let text = "[a-c]{1,2}";
    prop_oneof![
        (text, 0usize..4).prop_map(|(title, severity)| Matter::Declared {
            title,
            severity: Severity::ALL[severity],
            models: Vec::new()
        }),
        Just(Matter::Joined),
        (text, text).prop_map(|(role, person)| Matter::Role { role, person }),
        (0usize..4).prop_map(|severity| Matter::Severity { severity: Severity::ALL[severity] }),
        (0usize..5, text)
            .prop_map(|(place, evidence)| Matter::Milestone { milestone: Milestone::ALL[place], evidence }),
        text.prop_map(|text| Matter::Hypothesis { text }),
        text.prop_map(|text| Matter::Update { text }),
        (0u8..12, text, prop::option::of(-50i64..50)).prop_map(|(of, text, happened)| Matter::Correction {
            of: EntryId(format!("e{of}")),
            text,
            happened: happened.map(at)
        }),
        (0usize..2, -200i64..200).prop_map(|(bad, second)| {
            let level = [Level::Ok, Level::Critical][bad];
            seen("", second, level, &format!("p95 {second} ms")).matter
        }),
    ]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    (0u8..24, 0u8..2, -200i64..200, -200i64..200, any_matter()).prop_map(
        |(id, incident, happened, recorded, matter)| Entry {
            id: EntryId(format!("e{id}")),
            incident: IncidentId(format!("i-{incident}")),
            happened: at(happened),
            recorded: at(recorded),
            by: "kim".into(),
            matter,
        },
    )
}

proptest! {
    #[test]
    fn any_order_and_any_doubling_give_the_same(
        (entries, shuffled) in prop::collection::vec(any_entry(), 0..30).prop_flat_map(|entries| {
            let doubled = [entries.clone(), entries.iter().take(9).cloned().collect()].concat();
            (Just(entries), Just(doubled).prop_shuffle())
        })
    ) {
        let whole = Incident::fold(&entries);
        prop_assert_eq!(&whole, &Incident::fold(&shuffled));
        for incident in &whole {
            let mut mine = shuffled.iter().filter(|entry| entry.incident == incident.id);
            let mut grown = Incident::fold(std::slice::from_ref(mine.next().unwrap())).remove(0);
            for entry in mine {
                grown.take(entry.clone());
            }
            prop_assert_eq!(&grown, incident);
        }
    }

    #[test]
    fn the_timeline_never_goes_back_in_recorded_time(entries in prop::collection::vec(any_entry(), 0..40)) {
        for incident in Incident::fold(&entries) {
            prop_assert!(incident.entries.windows(2).all(|pair| pair[0].recorded <= pair[1].recorded));
            let all = incident.entries.len() + incident.doubles.len();
            let names: std::collections::BTreeSet<_> =
                entries.iter().filter(|entry| entry.incident == incident.id).map(|entry| &entry.id).collect();
            prop_assert_eq!(all, names.len(), "no entry is lost and none is doubled");
        }
    }
}
