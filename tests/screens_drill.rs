//! The line of a drill in the room, at the usual sizes: it tells the time and never the fault.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[allow(dead_code, reason = "helpers for several tests")]
#[path = "common/screen.rs"]
mod screen;

use chrono::TimeDelta;
use screen::{app, frame, now, rich};
use wardroom::domain::{ModelId, Version};
use wardroom::drill::{Drill, Mark, Phase, Scenario, Setting};
use wardroom::view::Look;
use wardroom::view::export::to_text;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 50)];

/// A drill whose fault is some seconds old, with these marks reached, seconds after the fault.
fn drill(phase: Phase, since_s: i64, marks: &[(Mark, i64)]) -> Drill {
    let setting = Setting {
        id: "d-20261120-140000-1a2b".into(),
        scenario: Scenario::LatencyRegression,
        on: "lab/drills".into(),
        auto: false,
        by: "kim@bastion".into(),
        model: ModelId::new("prod-eu", "alzheimer"),
        stable: Version::new("1.2.0"),
        test: Version::new("1.3.0"),
    };
    let injected = now() - TimeDelta::seconds(since_s);
    let mut drill = Drill::new(setting, injected - TimeDelta::seconds(21));
    if since_s > 0 {
        drill.injected(injected);
    }
    for (mark, at_s) in marks {
        drill.marks.set(*mark, injected + TimeDelta::seconds(*at_s));
    }
    drill.phase = phase;
    drill
}

/// Draws the room at every size; what must be seen even on the narrowest.
fn shoot(what: &str, drill: &Drill, seen: &str) {
    let store = rich();
    for size in SIZES {
        let mut app = app(size).unwrap();
        let without = to_text(&frame(&app, &store, &Look::default()));
        app.bar = drill.bar(app.now);
        let text = to_text(&frame(&app, &store, &Look::default()));
        let lines: Vec<&str> = text.lines().collect();
        let bar = lines[lines.len() - 2];
        assert!(bar.contains(seen), "{size:?}: {bar}");
        assert!(!bar.contains("latency") && !bar.contains("alzheimer"), "the fault is to be found: {bar}");
        assert_eq!(lines.len(), without.lines().count(), "the line takes its place from the room");
        assert_eq!(lines.last(), without.lines().last().as_ref(), "the keys stay");
        insta::assert_snapshot!(format!("{what}-{}x{}", size.0, size.1), text);
    }
}

#[test]
fn the_line_of_a_drill_in_each_part() {
    shoot("learning", &drill(Phase::Learning, 0, &[]), "learns what is normal · 21 s");
    let searching = drill(Phase::Searching, 95, &[(Mark::Detected, 12)]);
    shoot("searching", &searching, "find it and roll back · 1:35 since the fault");
    let acted = [(Mark::Acknowledged, 70), (Mark::Confirmed, 74), (Mark::FirstTraffic, 90)];
    let rolling = drill(Phase::RollingBack, 95, &acted);
    shoot("rolling-back", &rolling, "21 s of 300 s since confirmed · last: first traffic back");
    let verified = [&acted[..], &[(Mark::VersionVerified, 93)]].concat();
    let settling = drill(Phase::Settling, 95, &verified);
    shoot("settling", &settling, "confirmed → verified 19.0 s · last: version verified");
}
