//! The line that a room shows while a drill runs: where it is, and how long it takes. It does not say what was injected.

use super::machine::{Drill, Phase, TARGET_S};
use super::marks::Mark;
use crate::domain::Time;

/// `4.2` seconds, or `1:05` from a minute on.
fn shown(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    format!("{}:{:02}", (seconds / 60.0) as u64, (seconds % 60.0) as u64)
}

impl Drill {
    /// The line at a moment.
    pub fn bar(&self, now: Time) -> String {
        let mut words = vec![format!("DRILL {}", self.phase.words())];
        let Some(injected) = self.marks.at(Mark::Injected) else {
            words.push(shown((now - self.begun).as_seconds_f64()));
            return words.join(" · ");
        };
        if let (Some(confirmed), true) = (self.marks.at(Mark::Confirmed), self.phase < Phase::Settling) {
            let since = (now - confirmed).as_seconds_f64();
            words.push(format!("{} of {TARGET_S:.0} s since confirmed", shown(since)));
        }
        if let Some(seconds) = self.headline_s() {
            words.push(format!("confirmed → verified {seconds:.1} s"));
        }
        // What the room shows is for the operator to find: only what they did is marked.
        let reached = Mark::ALL.into_iter().filter(|mark| *mark >= Mark::Acknowledged);
        let reached = reached.filter(|mark| self.marks.has(*mark));
        words.extend(reached.max().map(|mark| format!("last: {}", mark.words())));
        // The last, as a narrow screen cuts it: what runs against the target stands before it.
        words.push(format!("{} since the fault", shown((now - injected).as_seconds_f64())));
        words.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ModelId, Version};
    use crate::drill::{Scenario, Setting};

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    #[test]
    fn it_tells_the_time_and_not_the_fault() {
        let setting = Setting {
            id: "d-1".into(),
            scenario: Scenario::ErrorBurst,
            on: "demo".into(),
            auto: false,
            by: "kim".into(),
            model: ModelId::new("demo", "heart-disease"),
            stable: Version::new("1"),
            test: Version::new("2"),
        };
        let mut drill = Drill::new(setting, at(0));
        assert_eq!(drill.bar(at(5)), "DRILL learns what is normal · 5 s");
        drill.injected(at(10));
        drill.marks.set(Mark::Detected, at(12));
        let bar = drill.bar(at(75));
        assert!(bar.contains("1:05 since the fault") && !bar.contains("detected"), "{bar}");
        assert!(!bar.contains("error") && !bar.contains("heart"), "{bar}");
        drill.acknowledged(at(80));
        drill.marks.set(Mark::Confirmed, at(90));
        drill.phase = Phase::RollingBack;
        let bar = drill.bar(at(95));
        assert!(bar.contains("5 s of 300 s since confirmed") && bar.contains("last: confirmed"), "{bar}");
    }
}
