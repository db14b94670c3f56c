//! Counters over a window: keeps what each series counted, survives restarts of the server.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::domain::{Time, Version};

/// What a series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Buckets of a latency histogram.
    Latency,
    /// The sum of durations.
    MeanSum,
    /// The count that belongs to the sum.
    MeanCount,
    /// Requests.
    Requests,
    /// Failed requests.
    Errors,
}

/// Which series: its role, its version and its own labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// What it counts.
    pub role: Role,
    /// Of which version, when known.
    pub version: Option<Version>,
    /// Name and labels, without `le`.
    pub identity: String,
}

/// Cumulative counts by upper bound; a plain counter has the one bound 0.
pub type Counts = Vec<(f64, f64)>;

#[derive(Debug)]
struct Track {
    last: Counts,
    /// Everything counted since this series was first seen, restarts bridged.
    total: Vec<f64>,
    kept: VecDeque<(Time, Vec<f64>)>,
    seen: Time,
}

/// More series than this from one page means exploding labels: the ring starts again.
const MOST_SERIES: usize = 5_000;
/// How many pages a window keeps at most.
const PAGES: f64 = 60.0;
/// No window is shorter than this, seconds, or a quarter of what is asked for.
const SHORTEST_S: f64 = 15.0;

/// What was counted in the window that ends with the newest page.
#[derive(Debug)]
pub struct Ring {
    window: f64,
    tracks: HashMap<Key, Track>,
    pages: VecDeque<Time>,
    started: Option<f64>,
}

impl Ring {
    /// An empty ring over this window.
    pub fn new(window: Duration) -> Self {
        Self {
            window: window.as_secs_f64().max(1.0),
            tracks: HashMap::new(),
            pages: VecDeque::new(),
            started: None,
        }
    }

    /// Takes a page in: all its series, and the process' start time when it tells one.
    pub fn observe(&mut self, now: Time, series: BTreeMap<Key, Counts>, started: Option<f64>) {
        if self.pages.back().is_some_and(|&last| now <= last) || self.tracks.len() > MOST_SERIES {
            self.tracks.clear();
            self.pages.clear();
        }
        let restarted = matches!((self.started, started), (Some(old), Some(new)) if new > old + 1.0);
        self.started = started.or(self.started);
        self.thin(now);
        for (key, counts) in series {
            let track = self.tracks.entry(key).or_insert_with(|| Track {
                last: counts.iter().map(|&(bound, _)| (bound, 0.0)).collect(),
                total: vec![0.0; counts.len()],
                kept: VecDeque::new(),
                seen: now,
            });
            track.take(now, counts, restarted);
        }
        self.pages.push_back(now);
        let oldest = self.begin();
        let window = self.window;
        self.pages.retain(|&page| Some(page) >= oldest);
        self.tracks.retain(|_, track| (now - track.seen).as_seconds_f64() <= window * 2.0);
        for track in self.tracks.values_mut() {
            while track.kept.get(1).is_some_and(|&(page, _)| Some(page) <= oldest) {
                track.kept.pop_front();
            }
        }
    }

    /// Forgets the newest page when it lies too close to the one before.
    fn thin(&mut self, now: Time) {
        if let [.., before, last] = self.pages.make_contiguous()
            && (now - *before).as_seconds_f64() < self.window / PAGES
        {
            let last = *last;
            self.pages.pop_back();
            for track in self.tracks.values_mut() {
                track.kept.retain(|&(page, _)| page != last);
            }
        }
    }

    /// The newest page that is a whole window old, else the oldest.
    fn begin(&self) -> Option<Time> {
        let now = *self.pages.back()?;
        let whole = |page: &&Time| (now - **page).as_seconds_f64() >= self.window;
        self.pages.iter().rev().find(whole).or(self.pages.front()).copied()
    }

    /// How long the window really is, seconds; `None` while there is only one page, or pages of too short a
    /// time to say anything: a few requests make no percentile.
    pub fn span(&self) -> Option<f64> {
        let span = (*self.pages.back()? - self.begin()?).as_seconds_f64();
        (span > 0.0 && span >= (self.window / 4.0).min(SHORTEST_S)).then_some(span)
    }

    /// What each series counted in the window; since its own start while there is none.
    pub fn rows(&self) -> impl Iterator<Item = (&Key, Counts)> {
        let begin = self.span().and(self.begin());
        self.tracks.iter().map(move |(key, track)| (key, track.since(begin)))
    }
}

impl Track {
    fn take(&mut self, now: Time, counts: Counts, restarted: bool) {
        let same = self.last.len() == counts.len() && self.last.iter().zip(&counts).all(|(a, b)| a.0 == b.0);
        if !same {
            *self = Self {
                last: counts.clone(),
                total: vec![0.0; counts.len()],
                kept: VecDeque::new(),
                seen: now,
            };
        }
        // One bucket that fell means that the process began again, so all of them did.
        let fell = restarted || self.last.iter().zip(&counts).any(|(old, new)| new.1 < old.1);
        for ((total, old), new) in self.total.iter_mut().zip(&self.last).zip(&counts) {
            *total += if fell || !same { new.1 } else { new.1 - old.1 };
        }
        self.last = counts;
        self.seen = now;
        self.kept.push_back((now, self.total.clone()));
    }

    fn since(&self, begin: Option<Time>) -> Counts {
        // A series that began inside the window counted from zero.
        let base = begin.and_then(|begin| self.kept.iter().rev().find(|(page, _)| *page <= begin));
        let bounds = self.last.iter().map(|&(bound, _)| bound).zip(&self.total);
        match base {
            Some((_, base)) => bounds.zip(base).map(|((bound, total), base)| (bound, total - base)).collect(),
            None => bounds.map(|(bound, total)| (bound, *total)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(identity: &str) -> Key {
        Key { role: Role::Requests, version: None, identity: identity.into() }
    }

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    fn page(ring: &mut Ring, s: i64, counts: &[(&str, f64)]) {
        let series = counts.iter().map(|&(name, count)| (key(name), vec![(0.0, count)])).collect();
        ring.observe(at(s), series, None);
    }

    fn counted(ring: &Ring, name: &str) -> f64 {
        ring.rows().find(|(found, _)| found.identity == name).unwrap().1[0].1
    }

    #[test]
    fn one_page_counts_since_start_and_two_make_a_window() {
        let mut ring = Ring::new(Duration::from_secs(60));
        page(&mut ring, 0, &[("a", 100.0)]);
        assert_eq!((ring.span(), counted(&ring, "a")), (None, 100.0));
        page(&mut ring, 15, &[("a", 130.0), ("new", 7.0)]);
        assert_eq!((ring.span(), counted(&ring, "a")), (Some(15.0), 30.0));
        assert_eq!(counted(&ring, "new"), 7.0, "the first increments of a new series count");
    }

    #[test]
    fn the_window_slides() {
        let mut ring = Ring::new(Duration::from_secs(60));
        for step in 0..20 {
            page(&mut ring, step * 15, &[("a", (step * step) as f64)]);
        }
        assert_eq!(ring.span(), Some(60.0));
        assert_eq!(counted(&ring, "a"), 19.0 * 19.0 - 15.0 * 15.0);
        assert_eq!(ring.pages.len(), 5);
    }

    #[test]
    fn fast_polls_keep_few_pages() {
        let mut ring = Ring::new(Duration::from_secs(600));
        for step in 0..2_000 {
            page(&mut ring, step, &[("a", step as f64)]);
        }
        assert!(ring.pages.len() < 70, "{}", ring.pages.len());
        let span = ring.span().unwrap();
        assert!((600.0..=612.0).contains(&span), "{span}");
        assert_eq!(counted(&ring, "a"), span);
    }

    #[test]
    fn a_restart_begins_again_at_zero() {
        let mut ring = Ring::new(Duration::from_secs(600));
        for (step, count) in [100.0, 120.0, 3.0, 10.0].into_iter().enumerate() {
            page(&mut ring, step as i64 * 15, &[("a", count)]);
        }
        assert_eq!(counted(&ring, "a"), 30.0);
    }

    #[test]
    fn all_buckets_restart_together() {
        let mut ring = Ring::new(Duration::from_secs(600));
        for (s, counts) in [(0, [5.0, 100.0]), (15, [7.0, 20.0])] {
            let counts = [0.1, f64::INFINITY].into_iter().zip(counts).collect();
            ring.observe(at(s), BTreeMap::from([(key("h"), counts)]), None);
        }
        assert_eq!(ring.rows().next().unwrap().1, [(0.1, 7.0), (f64::INFINITY, 20.0)]);
    }

    #[test]
    fn a_new_start_time_is_a_restart_even_when_counts_grew() {
        let mut ring = Ring::new(Duration::from_secs(600));
        ring.observe(at(0), BTreeMap::from([(key("a"), vec![(0.0, 5.0)])]), Some(1_000.0));
        ring.observe(at(15), BTreeMap::from([(key("a"), vec![(0.0, 9.0)])]), Some(2_000.0));
        assert_eq!(counted(&ring, "a"), 9.0);
    }
}
