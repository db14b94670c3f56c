//! What became of one model's rollout: the story until somebody acts, then what the act leads to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::position::Position;

/// The share is counted over the last half minute, or since the split changed when that is shorter.
const WINDOW: Duration = Duration::from_secs(30);

/// Requests by version that had arrived at a moment.
#[derive(Debug)]
struct Sample {
    at: Instant,
    arrived: Vec<u64>,
}

/// One model's rollout.
#[derive(Debug, Default)]
pub struct Track {
    /// Where an act led it; the story tells it before.
    taken: Option<Position>,
    /// As it was looked at last.
    seen: Option<Position>,
    /// Moves with every change.
    generation: u64,
    past: VecDeque<Sample>,
    /// Whether it has changed since the last sample.
    is_fresh: bool,
}

impl Track {
    /// Where the rollout stands; `told` is what the story says, `arrived` the requests by version so far.
    pub fn look(
        &mut self,
        told: Option<Position>,
        t: f64,
        pods_s: f64,
        arrived: impl FnOnce() -> Vec<u64>,
    ) -> Option<Position> {
        let now = self.taken.take().map(|taken| taken.at(t, pods_s));
        self.taken.clone_from(&now);
        let now = now.or(told);
        let changed = match (&now, &self.seen) {
            (Some(now), Some(seen)) => !now.is_like(seen),
            (now, seen) => now.is_some() != seen.is_some(),
        };
        if changed {
            self.generation += 1;
            self.past.clear();
            self.past.push_back(Sample { at: Instant::now(), arrived: arrived() });
            self.is_fresh = true;
        }
        self.seen.clone_from(&now);
        now
    }

    /// The number that moves with every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// From now on it stands here, and the story tells it no more.
    pub fn take(&mut self, position: Position) {
        self.taken = Some(position);
    }

    /// Remembers how many requests have arrived.
    pub fn sample(&mut self, arrived: Vec<u64>) {
        let now = Instant::now();
        // Requests that were on their way when the split changed are not counted with those after it.
        if std::mem::take(&mut self.is_fresh) {
            self.past.clear();
        }
        self.past.push_back(Sample { at: now, arrived });
        // One sample from before the window stays: the window is counted from it.
        while self.past.get(1).is_some_and(|second| now.duration_since(second.at) >= WINDOW) {
            self.past.pop_front();
        }
    }

    /// The share of the requests since then that a version got, percent; none while there were no requests.
    pub fn share(&self, version: usize, arrived: &[u64]) -> Option<f64> {
        let then = &self.past.front()?.arrived;
        let more =
            |version: usize| arrived.get(version)?.checked_sub(then.get(version).copied().unwrap_or(0));
        let all: u64 = (0..arrived.len()).filter_map(more).sum();
        (all > 0).then(|| 100.0 * more(version).unwrap_or(0) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Scenario;
    use crate::demo::story::Story;
    use crate::domain::act::Operation;

    #[test]
    fn every_change_moves_the_generation_and_begins_the_count_anew() {
        let story = Story { seed: 7, scenario: Scenario::Incident };
        let told = |t| story.canary(0, t).map(|canary| Position::told(2, canary));
        let mut track = Track::default();
        let at = |track: &mut Track, t, arrived: [u64; 2]| track.look(told(t), t, 1.0, || arrived.to_vec());
        at(&mut track, 0.0, [0, 0]);
        at(&mut track, 5.0, [90, 10]);
        assert_eq!(track.generation(), 1);
        assert_eq!(track.share(1, &[90, 10]), Some(10.0));
        at(&mut track, 61.0, [90, 10]);
        assert_eq!(track.generation(), 2);
        assert_eq!(track.share(1, &[90, 10]), None, "nothing has come since");
        let now = at(&mut track, 62.0, [90, 10]).unwrap();
        track.take(now.acted(&Operation::Abort, None, 62.0, 1.0).unwrap());
        at(&mut track, 62.0, [100, 12]);
        assert_eq!((track.generation(), track.share(1, &[120, 12])), (3, Some(0.0)));
        track.sample(vec![120, 13]);
        assert_eq!(track.share(1, &[140, 13]), Some(0.0), "one was on its way");
        let later = at(&mut track, 240.0, [100, 12]).unwrap();
        assert_eq!(later.situation, crate::domain::Situation::Aborted, "the story does not jump back");
    }
}
