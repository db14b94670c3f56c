//! What happens when: pure functions of the seed and the story's time. Servers only ask.

use super::Scenario;
use super::cast::NAMES;

/// The state of a canary at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Canary {
    /// Index of the step, from 0.
    pub step: usize,
    /// Weight asked for, percent.
    pub weight: f64,
    /// `progressing`, `paused`, `healthy`, `aborted`, or `idle` when nothing is on trial yet.
    pub phase: &'static str,
    /// Since when, story seconds.
    pub since: f64,
    /// When the step's pause ends, story seconds.
    pub until: Option<f64>,
    /// Whether it waits for a person.
    pub waits: bool,
    /// What the controller says.
    pub message: &'static str,
}

/// Weights of the steps, percent.
pub const STEPS: [f64; 5] = [5.0, 10.0, 25.0, 50.0, 100.0];

/// What is wrong with one version of a model at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mood {
    /// The latency is multiplied by this.
    pub slower: f64,
    /// Added share of failures.
    pub more_errors: f64,
    /// Added to scores where more is better, subtracted from errors of regressions.
    pub quality: f64,
}

/// The story.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Another number is another story.
    pub seed: u64,
    /// Which one.
    pub scenario: Scenario,
}

const ALZHEIMER: usize = 0;
const ALS: usize = 1;
const PARKINSONS: usize = 2;
const HEART: usize = 3;
/// The model that a drill is done on.
pub const DRILLED: usize = HEART;
const OMICS: usize = 4;
const DIAGNOSIS: usize = 5;

/// 0 before `from`, 1 after `to`, straight between.
fn ramp(t: f64, from: f64, to: f64) -> f64 {
    ((t - from) / (to - from)).clamp(0.0, 1.0)
}

impl Story {
    fn incident(self) -> bool {
        self.scenario == Scenario::Incident
    }

    /// The canary of a model, if it has one in this story.
    pub fn canary(self, model: usize, t: f64) -> Option<Canary> {
        if self.scenario == Scenario::Calm {
            return None;
        }
        let at = |step: usize, since: f64, until: f64, message| Canary {
            step,
            weight: STEPS[step],
            phase: "progressing",
            since,
            until: Some(until),
            waits: false,
            message,
        };
        let over = |since, phase, message| Canary {
            step: STEPS.len(),
            weight: if phase == "aborted" { 0.0 } else { 100.0 },
            phase,
            since,
            until: None,
            waits: false,
            message,
        };
        if self.scenario == Scenario::Drill {
            // One version serves; a trial begins when the drill's stage says so.
            return (model == DRILLED).then(|| over(-86_400.0, "idle", "in service"));
        }
        match model {
            ALZHEIMER if t < 60.0 => Some(at(1, -30.0, 60.0, "watching p95 and errors")),
            ALZHEIMER if t < 170.0 => Some(at(2, 60.0, 180.0, "watching p95 and errors")),
            ALZHEIMER if t < 1_500.0 => Some(Canary {
                step: 2,
                weight: 25.0,
                phase: "paused",
                since: 170.0,
                until: Some(1_500.0),
                waits: true,
                message: "p95 is beyond its limit: waits for a person, aborts by itself after 22 min",
            }),
            ALZHEIMER => Some(over(1_500.0, "aborted", "nobody decided in time: all traffic back to stable")),
            HEART if t < 90.0 => Some(at(1, -20.0, 90.0, "well")),
            HEART if t < 200.0 => Some(at(2, 90.0, 200.0, "well")),
            HEART if t < 330.0 => Some(at(3, 200.0, 330.0, "well")),
            HEART => Some(over(330.0, "healthy", "promoted")),
            _ => None,
        }
    }

    /// How a model's version fares. `canary` tells whether it is the version under trial.
    pub fn mood(self, model: usize, canary: bool, t: f64) -> Mood {
        let mut mood = Mood { slower: 1.0, more_errors: 0.0, quality: 0.0 };
        match (self.incident(), model, canary) {
            (true, ALZHEIMER, true) => {
                let bad = ramp(t, 75.0, 150.0);
                mood = Mood { slower: 1.0 + 2.9 * bad, more_errors: 0.011 * bad, quality: -0.006 };
            }
            (true, PARKINSONS, _) => mood.quality = -0.035 * ramp(t, 60.0, 420.0),
            _ => {}
        }
        if let Some((slot, kind)) = self.random_trouble(t)
            && slot == model
        {
            match kind % 3 {
                0 => mood.slower *= 4.0,
                1 => mood.more_errors += 0.03,
                _ => mood.quality -= 0.05,
            }
        }
        mood
    }

    /// After the told story, or in chaos from the start: which model is in which trouble now.
    fn random_trouble(self, t: f64) -> Option<(usize, u64)> {
        let length = match self.scenario {
            Scenario::Calm | Scenario::Drill => return None,
            Scenario::Chaos => 20.0,
            Scenario::Incident if t < 600.0 => return None,
            Scenario::Incident => 90.0,
        };
        let slot = (t / length) as u64;
        let drawn = mix(self.seed ^ slot.wrapping_mul(0x9e37_79b9));
        Some(((drawn % NAMES as u64) as usize, drawn >> 32))
    }

    /// Whether a server accepts and never answers now.
    pub fn is_hung(self, model: usize, instance: usize, t: f64) -> bool {
        let told = self.incident()
            && model == ALS
            && instance == 1
            && t > 100.0
            && (t % 420.0) > 100.0
            && (t % 420.0) < 290.0;
        let drawn = self.scenario == Scenario::Chaos
            && self.random_trouble(t).is_some_and(|(slot, kind)| slot == model && kind % 7 == 0);
        told || drawn
    }

    /// Drift of a feature over its quiet score, 0…1 (a Kolmogorov–Smirnov distance).
    pub fn drift(self, model: usize, feature: usize, t: f64) -> f64 {
        if !self.incident() {
            return 0.0;
        }
        // Two days ago the gait sensor was changed; the panel of proteins began to drift this minute.
        let days = |from_h: f64, to_h: f64| ramp(t / 3_600.0, from_h, to_h);
        match (model, feature) {
            (ALZHEIMER, 0) => 0.26 * days(-26.0, -3.0),
            (ALZHEIMER, 1) => 0.16 * days(-19.0, -2.0),
            (ALZHEIMER, 2) => 0.06 * days(-12.0, -1.0),
            (ALZHEIMER, 3) => 0.09 * days(-22.0, -4.0),
            (ALZHEIMER, 6) => 0.04 * days(-14.0, 0.0),
            (OMICS, 3) => 0.34 * ramp(t, 60.0, 360.0),
            (OMICS, 4) => 0.22 * ramp(t, 120.0, 420.0),
            (OMICS, 5) => 0.12 * ramp(t, 180.0, 480.0),
            _ => 0.0,
        }
    }

    /// Seconds since the newest label came in.
    pub fn label_lag(self, model: usize, t: f64) -> f64 {
        let usual = 45.0 + 15.0 * (model % 4) as f64;
        match (self.incident(), model) {
            (true, DIAGNOSIS) if t > 150.0 && t < 480.0 => usual + 20.0 * (t - 150.0),
            (true, PARKINSONS) => usual + 1_800.0,
            _ => usual,
        }
    }

    /// Share of its memory that a server uses.
    pub fn memory(self, model: usize, t: f64) -> f64 {
        let usual = 0.42 + 0.03 * (model % 9) as f64;
        match (self.incident(), model) {
            (true, 7) => usual + (0.94 - usual) * ramp(t, 30.0, 240.0),
            _ => usual,
        }
    }
}

/// A number that looks random and depends on `x` alone (splitmix64).
pub fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: Story = Story { seed: 7, scenario: Scenario::Incident };

    #[test]
    fn the_canary_turns_bad_and_waits() {
        let at = |t| STORY.canary(ALZHEIMER, t).unwrap();
        assert_eq!((at(0.0).weight, at(0.0).phase), (10.0, "progressing"));
        assert_eq!((at(100.0).weight, at(100.0).waits), (25.0, false));
        assert_eq!((at(240.0).phase, at(240.0).waits), ("paused", true));
        assert!((STORY.mood(ALZHEIMER, true, 0.0).slower - 1.0).abs() < 1e-9);
        assert!(STORY.mood(ALZHEIMER, true, 200.0).slower > 3.0);
        assert!((STORY.mood(ALZHEIMER, false, 200.0).slower - 1.0).abs() < 1e-9, "stable stays well");
    }

    #[test]
    fn the_good_canary_is_promoted() {
        assert_eq!(STORY.canary(HEART, 400.0).unwrap().phase, "healthy");
    }

    #[test]
    fn a_server_hangs_and_comes_back_and_hangs_again() {
        let hung = |t| STORY.is_hung(ALS, 1, t);
        assert_eq!([0.0, 120.0, 240.0, 300.0, 560.0].map(hung), [false, true, true, false, true]);
        assert!(!STORY.is_hung(ALS, 0, 120.0));
    }

    #[test]
    fn a_feature_drifts_and_labels_come_late() {
        assert!(STORY.drift(OMICS, 3, 0.0) < 0.01 && STORY.drift(OMICS, 3, 400.0) > 0.3);
        assert!(STORY.label_lag(DIAGNOSIS, 0.0) < 200.0 && STORY.label_lag(DIAGNOSIS, 400.0) > 3_600.0);
        assert!(STORY.drift(ALZHEIMER, 0, -48.0 * 3_600.0) < 0.01, "two days ago all was quiet");
    }

    #[test]
    fn calm_is_calm_and_chaos_is_not() {
        let calm = Story { scenario: Scenario::Calm, ..STORY };
        let chaos = Story { scenario: Scenario::Chaos, ..STORY };
        for t in (0..2_000).step_by(7) {
            assert_eq!(
                calm.mood(3, false, f64::from(t)),
                Mood { slower: 1.0, more_errors: 0.0, quality: 0.0 }
            );
        }
        let troubled =
            (0..600).filter(|&t| (0..NAMES).any(|m| chaos.mood(m, false, f64::from(t)).slower > 1.0));
        assert!(troubled.count() > 60);
    }
}
