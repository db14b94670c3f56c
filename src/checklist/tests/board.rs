//! The board: which tick counts, and for how long.

use super::*;

fn stands(store: &Store, ticks: &[Tick], now: Time, id: &str) -> Line {
    let beside = Beside { trail: Trail::Intact(3), drills: Some(Ok(Vec::new())) };
    let lines = board(&Sight { store, beside: &beside, now }, ticks, &Period::ALL);
    lines.into_iter().find(|line| line.item == id).unwrap()
}

fn by_hand(id: &str, at: Time, note: &str, undone: bool) -> Tick {
    let item = item(id).unwrap();
    Tick::by_hand("prod", item, item.period.span(at), at, "sre@bastion", note, undone)
}

fn by_tool(id: &str, at: Time) -> Tick {
    let item = item(id).unwrap();
    Tick::verified("prod", item, item.period.span(at), at, "held")
}

#[test]
fn the_lists_are_as_long_as_they_should_be_and_ids_are_unique() {
    let count = |period| items().filter(|item| item.period == period).count();
    assert_eq!(Period::ALL.map(count), [8, 9, 9]);
    let ids: std::collections::BTreeSet<&str> = items().map(|item| item.id).collect();
    assert_eq!(ids.len(), items().count());
}

#[test]
fn a_tick_counts_for_its_period_and_its_environment_only() {
    let store = empty();
    let tick = by_hand("backup", now(), "restored als 1.2.0", false);
    let line = stands(&store, std::slice::from_ref(&tick), now(), "backup");
    assert_eq!(
        (line.mark, line.evidence.as_str(), line.by.as_str()),
        (Mark::Person, "restored als 1.2.0", "sre@bastion")
    );
    assert_eq!(line.at, Some(now()));
    let sunday = now() + chrono::TimeDelta::days(2);
    assert_eq!(stands(&store, std::slice::from_ref(&tick), sunday, "backup").mark, Mark::Person);
    let monday = now() + chrono::TimeDelta::days(3);
    let line = stands(&store, std::slice::from_ref(&tick), monday, "backup");
    assert_eq!((line.mark, line.due.as_str()), (Mark::Open, "2026-W48"));
    let last = line.earlier.last().unwrap();
    assert_eq!(
        (last.period.as_str(), last.mark, last.by.as_str()),
        ("2026-W47", Some(Mark::Person), "sre@bastion")
    );
    assert_eq!(line.earlier.iter().filter(|past| past.mark.is_some()).count(), 1);
    let other = Tick { environment: "test".into(), ..tick };
    assert_eq!(stands(&store, &[other], now(), "backup").mark, Mark::Open);
}

#[test]
fn what_the_tool_ticked_falls_when_it_holds_no_more_and_a_persons_word_stands() {
    let mut store = empty();
    failed(&mut store, "mlflow");
    let line = stands(&store, &[by_tool("sources", now())], now(), "sources");
    assert_eq!(line.mark, Mark::NotMet);
    assert!(
        line.evidence.contains("mlflow hung") && line.evidence.contains("held at 20 Nov 14:02"),
        "{line:?}"
    );
    let line = stands(&store, &[by_hand("sources", now(), "known, MLflow moves", false)], now(), "sources");
    assert_eq!((line.mark, line.evidence.as_str()), (Mark::Person, "known, MLflow moves"));
    assert!(matches!(line.now, Found::NotMet(_)), "what is found now is told beside it");
    let line = stands(&store, &[by_tool("bias", now())], now(), "bias");
    assert_eq!(line.mark, Mark::Tool, "what only a person can look at again stands");
}

#[test]
fn alerts_that_come_after_the_tick_want_to_be_looked_at() {
    let mut store = empty();
    told(&mut store, "prometheus", Vec::new());
    let alert = crate::domain::Alert {
        fingerprint: "a".into(),
        name: "DiskFull".into(),
        labels: [].into(),
        summary: String::new(),
        severity: crate::domain::Level::Warning,
        state: crate::domain::AlertState::Firing,
        since: now(),
        model: None,
        silenced_by: Vec::new(),
    };
    told(&mut store, "alertmanager", vec![Fact::Alerts(vec![alert])]);
    let line = stands(&store, &[by_tool("alerts", now())], now(), "alerts");
    assert_eq!(line.mark, Mark::Open);
    assert!(line.evidence.starts_with("1 firing: DiskFull"), "{}", line.evidence);
}

#[test]
fn a_withdrawn_tick_is_open_and_the_tool_does_not_tick_it_again() {
    let store = empty();
    let ticks = [by_tool("audit", now()), by_hand("audit", now(), "wrong journal", true)];
    let line = stands(&store, &ticks, now(), "audit");
    assert_eq!((line.mark, line.evidence.as_str()), (Mark::Open, "withdrawn by sre@bastion: wrong journal"));
    let beside = Beside { trail: Trail::Intact(3), drills: None };
    let sight = Sight { store: &store, beside: &beside, now: now() };
    assert_eq!(unwritten(&sight, &ticks, &[line]), []);
    let line = stands(&store, &[], now(), "audit");
    let new = unwritten(&sight, &[], &[line]);
    assert_eq!(new.iter().map(|tick| tick.id.as_str()).collect::<Vec<_>>(), ["wardroom prod audit 2026-W47"]);
    let again = [&ticks[..], &[by_hand("audit", now(), "looked by hand", false)]].concat();
    assert_eq!(stands(&store, &again, now(), "audit").mark, Mark::Person);
}

#[test]
fn what_hinders_a_tick_is_told() {
    let store = empty();
    let open = stands(&store, &[], now(), "access");
    assert_eq!(hindrance(&open, false, " "), Some("write how it was checked".into()));
    assert_eq!(hindrance(&open, false, "looked"), None);
    assert_eq!(hindrance(&open, true, "x"), Some("access is not ticked".into()));
    let ticked = stands(&store, &[by_hand("access", now(), "looked", false)], now(), "access");
    assert!(hindrance(&ticked, false, "x").unwrap().contains("ticked already"));
    assert_eq!(hindrance(&ticked, true, "x"), None);
}

proptest::proptest! {
    /// Whatever was written before, the last row of a period decides.
    #[test]
    fn the_last_word_counts(rows in proptest::collection::vec((0i64..40, proptest::bool::ANY), 0..12)) {
        let store = empty();
        let ticks: Vec<Tick> = rows
            .iter()
            .map(|&(days, undone)| by_hand("access", days_ago(days), "x", undone))
            .collect();
        let line = stands(&store, &ticks, now(), "access");
        let of_month = ticks.iter().rev().find(|tick| tick.period == "2026-11");
        let expected = if of_month.is_some_and(|tick| !tick.undone) { Mark::Person } else { Mark::Open };
        proptest::prop_assert_eq!(line.mark, expected);
        proptest::prop_assert_eq!(line.earlier.len(), EARLIER);
    }
}
