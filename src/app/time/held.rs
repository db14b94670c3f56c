//! How far a step goes: further while its key is held.

use crate::app::action::Action;
use crate::domain::Time;

/// A step, seconds.
pub const SMALL_S: i64 = 15;
/// A big step, seconds.
pub const BIG_S: i64 = 300;
/// Presses of one key that are not further apart than this are one held key, milliseconds.
const REPEAT_MS: i64 = 200;
/// After so many repeats a step is twice as long.
const DOUBLES: u32 = 12;
/// A step grows to 4 minutes, a big one to 5 hours 20 minutes.
const MOST: [u32; 2] = [4, 6];

/// The key that is held.
#[derive(Debug, Clone, Default)]
pub struct Held {
    last: Option<(Action, Time)>,
    repeats: u32,
}

impl Held {
    /// How far this press goes, seconds.
    pub fn step_s(&mut self, action: Action, now: Time) -> i64 {
        let held = |(before, at): (Action, Time)| {
            before == action && (0..=REPEAT_MS).contains(&(now - at).num_milliseconds())
        };
        self.repeats = if self.last.is_some_and(held) { self.repeats.saturating_add(1) } else { 0 };
        self.last = Some((action, now));
        let (step, most) = match action {
            Action::MuchEarlier | Action::MuchLater => (BIG_S, MOST[1]),
            _ => (SMALL_S, MOST[0]),
        };
        step << (self.repeats / DOUBLES).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_timestamp_millis(1_800_000_000_000 + ms).unwrap()
    }

    #[test]
    fn single_presses_are_single_steps() {
        let mut held = Held::default();
        let steps: Vec<i64> = (0..30).map(|n| held.step_s(Action::Earlier, at(300 * n))).collect();
        assert!(steps.iter().all(|&step| step == SMALL_S), "{steps:?}");
        assert_eq!(held.step_s(Action::MuchLater, at(9_000)), BIG_S);
    }

    #[test]
    fn a_held_key_goes_further_and_another_begins_anew() {
        let mut held = Held::default();
        let steps: Vec<i64> = (0..200).map(|n| held.step_s(Action::MuchEarlier, at(33 * n))).collect();
        assert_eq!((steps[0], steps[12], steps[199]), (300, 600, 300 * 64));
        assert_eq!(held.step_s(Action::Earlier, at(33 * 200)), SMALL_S);
    }
}
