//! Decides who is polled next: a heap of due times, two queues, jitter and back-off. Knows no clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use crate::domain::FaultKind;

/// What a target is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits for this moment.
    Waiting(Instant),
    /// Due, waits for a free slot.
    Queued,
    /// Being polled since then.
    Running(Instant),
}

#[derive(Debug)]
struct Target {
    state: State,
    interval: Duration,
    /// Faults in a row.
    faults: u32,
    /// Whether the last poll hung.
    hung: bool,
    /// Whether it has been polled before.
    known: bool,
}

/// The schedule of all targets, known by their number.
#[derive(Debug)]
pub struct Schedule {
    targets: Vec<Target>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Due targets that answer, and due targets whose last poll hung.
    queues: [VecDeque<usize>; 2],
    running: [usize; 2],
    limits: [usize; 2],
    concurrency: usize,
    rng: SmallRng,
}

impl Schedule {
    /// Everything is due at once; what follows is spread by jitter.
    pub fn new(intervals: impl IntoIterator<Item = f64>, concurrency: usize, seed: u64) -> Self {
        let shortest = Duration::from_millis(20);
        let targets: Vec<Target> = intervals
            .into_iter()
            .map(|seconds| {
                let interval = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(15));
                let interval = interval.clamp(shortest, Duration::from_secs(7 * 86_400));
                Target { state: State::Queued, interval, faults: 0, hung: false, known: false }
            })
            .collect();
        let concurrency = concurrency.max(1);
        let share = (concurrency / 8).max(1);
        Self {
            queues: [(0..targets.len()).collect(), VecDeque::new()],
            targets,
            due: BinaryHeap::new(),
            running: [0, 0],
            limits: [concurrency.saturating_sub(share).max(1), share],
            concurrency,
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// The next target that may be polled now, marked as running.
    pub fn start(&mut self, now: Instant) -> Option<usize> {
        while let Some(Reverse((when, index))) = self.due.peek().copied() {
            if when > now {
                break;
            }
            self.due.pop();
            // A target that was refreshed meanwhile has left an old entry behind.
            if self.targets[index].state == State::Waiting(when) {
                self.enqueue(index);
            }
        }
        if self.running[0] + self.running[1] >= self.concurrency {
            return None;
        }
        let queue = (0..2).find(|&q| self.running[q] < self.limits[q] && !self.queues[q].is_empty())?;
        let index = self.queues[queue].pop_front()?;
        self.running[queue] += 1;
        self.targets[index].state = State::Running(now);
        Some(index)
    }

    /// A poll has ended, with a fault or without.
    pub fn finish(&mut self, index: usize, fault: Option<FaultKind>, now: Instant) {
        let target = &mut self.targets[index];
        let State::Running(begun) = target.state else { return };
        self.running[usize::from(target.hung)] = self.running[usize::from(target.hung)].saturating_sub(1);
        target.hung = fault == Some(FaultKind::Hung);
        target.faults = if fault.is_some() { target.faults.saturating_add(1) } else { 0 };
        // Half an interval of difference once, so that targets that began together part; then a tenth.
        let jitter = if target.known { 0.95..1.05 } else { 0.5..1.0 };
        target.known = true;
        let pause = delay(target.interval, target.faults).mul_f64(self.rng.random_range(jitter));
        let from = if fault.is_some() { now } else { begun };
        let when = (from + pause).max(now);
        target.state = State::Waiting(when);
        self.due.push(Reverse((when, index)));
    }

    /// Makes a waiting target due now.
    pub fn refresh(&mut self, index: usize) {
        if matches!(self.targets[index].state, State::Waiting(_)) {
            self.enqueue(index);
        }
    }

    /// When the next waiting target is due; nothing while slots are taken is said here.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((when, _))| *when)
    }

    fn enqueue(&mut self, index: usize) {
        let target = &mut self.targets[index];
        target.state = State::Queued;
        self.queues[usize::from(target.hung)].push_back(index);
    }
}

/// The pause after `faults` faults in a row: the interval, then twice, four and eight times as long, at
/// most a minute; intervals beyond a minute stay as they are.
fn delay(interval: Duration, faults: u32) -> Duration {
    let longest = interval.max(Duration::from_secs(60));
    interval.saturating_mul(1 << faults.saturating_sub(1).min(3)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(schedule: &mut Schedule, now: Instant) -> Vec<usize> {
        std::iter::from_fn(|| schedule.start(now)).collect()
    }

    #[test]
    fn back_off_grows_and_is_capped() {
        let seconds = |interval, faults| delay(Duration::from_secs(interval), faults).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 9].map(|n| seconds(5, n)), [5, 5, 10, 20, 40, 40]);
        assert_eq!([1, 2, 3, 4].map(|n| seconds(15, n)), [15, 30, 60, 60]);
        assert_eq!([1, 4].map(|n| seconds(300, n)), [300, 300]);
    }

    #[test]
    fn everything_starts_at_once_within_the_slots() {
        let now = Instant::now();
        let mut schedule = Schedule::new(vec![15.0; 20], 8, 1);
        assert_eq!(drain(&mut schedule, now).len(), 7, "one slot is kept for the hung");
        schedule.finish(0, None, now);
        assert_eq!(drain(&mut schedule, now), [7]);
    }

    #[test]
    fn the_hung_have_their_own_small_share() {
        let now = Instant::now();
        let mut schedule = Schedule::new(vec![1.0; 40], 16, 1);
        let mut done = 0;
        while done < 40 {
            for index in drain(&mut schedule, now) {
                let fault = (index < 30).then_some(FaultKind::Hung);
                schedule.finish(index, fault, now);
                done += 1;
            }
        }
        let later = now + Duration::from_secs(20);
        let started = drain(&mut schedule, later);
        assert_eq!(started.iter().filter(|&&index| index < 30).count(), 2, "{started:?}");
        assert_eq!(started.len(), 12, "all ten healthy ones at once");
    }

    #[test]
    fn starts_are_spread_and_refreshing_does_not_double() {
        let now = Instant::now();
        let mut schedule = Schedule::new(vec![10.0; 50], 100, 1);
        for index in drain(&mut schedule, now) {
            schedule.finish(index, None, now);
        }
        let first = schedule.next_due().unwrap() - now;
        assert!(first >= Duration::from_secs(5) && first < Duration::from_secs(6), "{first:?}");
        schedule.refresh(3);
        schedule.refresh(3);
        assert_eq!(drain(&mut schedule, now), [3]);
        schedule.finish(3, None, now);
        let everything = drain(&mut schedule, now + Duration::from_secs(11));
        assert_eq!(everything.len(), 50, "each once");
    }
}
