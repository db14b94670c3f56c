//! The checklists over the fleet of `screen`, with earlier ticks.

use tui_input::Input;
use wardroom::app::checklist::{ChecklistDialog, Writing};
use wardroom::app::{App, Dialog};
use wardroom::checklist::{self, Beside, Drill, Period, Sight, Tick, Trail, item};
use wardroom::store::Store;

use crate::screen::now;

/// The names of the stages, for the names of snapshots.
pub const STAGES: [&str; 4] = ["daily", "weekly", "monthly", "writing"];

/// Earlier ticks, and two of now.
fn ticks(store: &Store) -> Vec<Tick> {
    let mut ticks = Vec::new();
    for (id, days, by_tool, note) in [
        ("limits", 2, true, "7 of 7 models"),
        ("limits", 3, true, "7 of 7 models"),
        ("limits", 5, false, "batch job, agreed with the ward"),
        ("alerts", 0, false, "both known, ticket 4711"),
        ("backup", 7, false, "als 1.0.4 read back"),
        ("audit", 0, true, "41 entries, intact"),
        ("access", 31, false, "two accounts closed"),
    ] {
        let Some(item) = item(id) else { continue };
        let at = now() - chrono::TimeDelta::days(days) - chrono::TimeDelta::hours(5);
        let (environment, span) = (&*store.environment, item.period.span(at));
        ticks.push(match by_tool {
            true => Tick::verified(environment, item, span, at, note),
            false => Tick::by_hand(environment, item, span, at, "sre@bastion", note, false),
        });
    }
    ticks
}

/// Opens a list.
pub fn open(app: &mut App, store: &Store, stage: &str) {
    let drill = Drill { at: now() - chrono::TimeDelta::days(40), verified: true, scenario: "errors".into() };
    let beside = Beside { trail: Trail::Intact(41), drills: Some(Ok(vec![drill])) };
    let ticks = ticks(store);
    let sight = Sight { store, beside: &beside, now: now() };
    app.checks.lines = checklist::board(&sight, &ticks, &Period::ALL);
    (app.checks.ticks, app.checks.beside, app.checks.is_read) = (ticks, beside, true);
    let writing = |item| Writing { item, undone: false, input: Input::new("roles compared with the".into()) };
    let (period, cursor, writing) = match stage {
        "daily" => (Period::Daily, 1, None),
        "weekly" => (Period::Weekly, 8, None),
        "monthly" => (Period::Monthly, 5, None),
        _ => (Period::Monthly, 7, Some(writing("access"))),
    };
    app.dialog = Dialog::Checklist(Box::new(ChecklistDialog { period, cursor, writing }));
}
