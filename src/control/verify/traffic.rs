//! Requests by version since an act, from running totals: who got them, and how many failed. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::super::Seen;
use crate::domain::{Time, Version};
use crate::stats::quality::binomial::clopper_pearson;
use crate::store::Counted;

/// Sights that are kept of each series.
const KEPT: usize = 128;
/// The part that must move when nobody measured it before: small, so that many requests are wanted.
const SMALL: f64 = 0.05;
/// How unlikely it must be that the old state looks like the new one.
const CERTAIN: f64 = 0.05;
/// Requests without which a rate of errors says nothing.
const FEW: f64 = 10.0;
/// Requests of the newest window that errors are judged by.
const ERRORS_WINDOW: f64 = 60.0;

type Key = (Version, Option<Arc<str>>);

/// The totals seen since an act.
#[derive(Debug)]
pub(super) struct Traffic {
    since: Time,
    /// The part of the requests that must move, 0…1.
    moves: f64,
    seen: BTreeMap<Key, VecDeque<(Time, f64, Option<f64>)>>,
}

impl Traffic {
    pub(super) fn new(since: Time, moves: Option<f64>) -> Self {
        Self { since, moves: moves.unwrap_or(SMALL).clamp(0.001, 1.0), seen: BTreeMap::new() }
    }

    /// Takes in what the servers have counted. Totals told before the act are left out: what was counted between
    /// two sights belongs to the act only when both are after it.
    pub(super) fn take(&mut self, counted: &[Counted]) {
        for row in counted.iter().filter(|row| row.at > self.since) {
            let series = self.seen.entry((row.version.clone(), row.instance.clone())).or_default();
            match series.back() {
                Some((at, ..)) if *at >= row.at => continue,
                // A server that began anew counts from zero.
                Some((_, requests, _)) if *requests > row.requests => series.clear(),
                _ => {}
            }
            series.push_back((row.at, row.requests, row.failed));
            if series.len() > KEPT {
                series.pop_front();
            }
        }
    }

    /// Requests and failures of versions since a moment.
    fn since(&self, from: Time, of: impl Fn(&Version) -> bool) -> (f64, f64, bool) {
        let (mut requests, mut failed, mut counts_failed) = (0.0, 0.0, false);
        for ((version, _), series) in &self.seen {
            let Some(last) = series.back().filter(|_| of(version)) else { continue };
            let first = series.iter().rev().find(|(at, ..)| *at <= from).or(series.front()).unwrap_or(last);
            requests += last.1 - first.1;
            if let (Some(now), Some(then)) = (last.2, first.2) {
                counts_failed = true;
                failed += (now - then).max(0.0);
            }
        }
        (requests, failed.min(requests), counts_failed)
    }

    /// The newest moment since which there are enough requests; the first one without enough.
    fn newest(&self, enough: f64, of: impl Fn(&Version) -> bool + Copy) -> Time {
        let mut moments: Vec<Time> = self.seen.values().flatten().map(|(at, ..)| *at).collect();
        moments.sort_unstable();
        moments.dedup();
        moments.into_iter().rev().find(|from| self.since(*from, of).0 >= enough).unwrap_or(self.since)
    }

    /// Whether all requests go to one version.
    pub(super) fn all_on(&self, version: &Version, late: bool) -> (Seen, String) {
        if self.seen.is_empty() {
            return silent(late);
        }
        // With so many, not one on the other version is no chance.
        let enough =
            if self.moves >= 1.0 { 5.0 } else { (CERTAIN.ln() / (1.0 - self.moves).ln()).ceil().max(5.0) };
        let from = self.newest(enough, |_| true);
        let (all, ..) = self.since(from, |_| true);
        let (on, ..) = self.since(from, |v| v == version);
        let others = all - on;
        let moment = from.format("%H:%M:%S");
        if others > 0.0 {
            return (
                Seen::NotYet,
                format!("{others:.0} of {all:.0} requests not on {version} since {moment}"),
            );
        }
        let words = format!("{on:.0} of {all:.0} requests on {version} since {moment}");
        if all >= enough {
            return (Seen::Yes, words);
        }
        let chance = (1.0 - self.moves).powf(all);
        let few = format!("{words}; {enough:.0} needed, by chance {:.0} %", 100.0 * chance);
        (if late { Seen::Nothing } else { Seen::NotYet }, few)
    }

    /// Whether the canary gets the share that was asked for, percent.
    pub(super) fn split(&self, canary: &Version, asked: f64, late: bool) -> (Seen, String) {
        if self.seen.is_empty() {
            return silent(late);
        }
        let p = (asked / 100.0).clamp(0.0, 1.0);
        let enough = 100.0;
        let from = self.newest(enough, |_| true);
        let (all, ..) = self.since(from, |_| true);
        let (on, ..) = self.since(from, |v| v == canary);
        if all < 1.0 {
            return (if late { Seen::Nothing } else { Seen::NotYet }, "no requests since then".into());
        }
        let share = on / all;
        // Three deviations, and a point for splitters that round.
        let slack = 3.0 * (p * (1.0 - p) / all).sqrt() + 0.01;
        let words = format!("{:.1} % of {all:.0} requests on {canary}, {asked:.0} % asked", 100.0 * share);
        match ((share - p).abs() <= slack, all >= enough) {
            (true, true) => (Seen::Yes, words),
            (true, false) if late => (Seen::Nothing, words),
            _ => (Seen::NotYet, words),
        }
    }

    /// Whether failures since the act stay within a limit, percent; of one version, or of all.
    pub(super) fn errors(&self, version: Option<&Version>, limit: f64, late: bool) -> (Seen, String) {
        if self.seen.is_empty() {
            return silent(late);
        }
        let of = |v: &Version| version.is_none_or(|wanted| wanted == v);
        let from = self.newest(ERRORS_WINDOW, of);
        let (requests, failed, counts) = self.since(from, of);
        if !counts && requests > 0.0 {
            return (Seen::Nothing, "no source counts failures by version".into());
        }
        let words = format!("{failed:.0} of {requests:.0} requests failed since {}", from.format("%H:%M:%S"));
        if requests < FEW {
            return (if late { Seen::Nothing } else { Seen::NotYet }, format!("{words}; {FEW:.0} needed"));
        }
        let (low, _) = clopper_pearson(failed.round() as u64, requests.round() as u64);
        match low * 100.0 > limit {
            true => (Seen::NotYet, format!("{words}, more than {limit} %")),
            false => (Seen::Yes, words),
        }
    }
}

fn silent(late: bool) -> (Seen, String) {
    match late {
        true => {
            (Seen::Nothing, "no source counts its requests by version: add metrics to its endpoints".into())
        }
        false => (Seen::NotYet, "waits for the first counts after the act".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    fn row(version: &str, s: i64, requests: f64, failed: f64) -> Counted {
        Counted {
            version: Version::new(version),
            instance: Some("als-1".into()),
            requests,
            failed: Some(failed),
            at: at(s),
        }
    }

    fn stable() -> Version {
        Version::new("1.2.0")
    }

    #[test]
    fn what_was_counted_before_the_act_is_left_out() {
        let mut traffic = Traffic::new(at(0), Some(0.25));
        traffic.take(&[row("1.2.0", -1, 100.0, 0.0), row("1.3.0", -1, 30.0, 5.0)]);
        assert_eq!(traffic.all_on(&stable(), false).0, Seen::NotYet);
        traffic.take(&[row("1.2.0", 1, 120.0, 0.0), row("1.3.0", 1, 36.0, 6.0)]);
        assert_eq!(traffic.all_on(&stable(), false).0, Seen::NotYet, "the first sight is the base");
        traffic.take(&[row("1.2.0", 2, 131.0, 0.0), row("1.3.0", 2, 36.0, 6.0)]);
        let (seen, words) = traffic.all_on(&stable(), false);
        assert_eq!((seen, words.as_str()), (Seen::Yes, "11 of 11 requests on 1.2.0 since 08:00:01"));
    }

    #[test]
    fn few_requests_do_not_prove_a_small_share_gone() {
        let mut traffic = Traffic::new(at(0), Some(0.05));
        traffic.take(&[row("1.2.0", 1, 0.0, 0.0)]);
        traffic.take(&[row("1.2.0", 2, 20.0, 0.0)]);
        let (seen, words) = traffic.all_on(&stable(), false);
        assert_eq!(seen, Seen::NotYet);
        assert!(words.contains("59 needed, by chance 36 %"), "{words}");
        assert_eq!(traffic.all_on(&stable(), true).0, Seen::Nothing, "too few is no failure");
    }

    #[test]
    fn stragglers_hold_it_only_as_long_as_they_come() {
        let mut traffic = Traffic::new(at(0), Some(0.5));
        for (s, old, new) in [(1, 100.0, 0.0), (2, 110.0, 9.0), (3, 111.0, 30.0), (4, 111.0, 60.0)] {
            traffic.take(&[row("1.3.0", s, old, 0.0), row("1.2.0", s, new, 0.0)]);
            let expected = if s == 4 { Seen::Yes } else { Seen::NotYet };
            assert_eq!(traffic.all_on(&stable(), false).0, expected, "{s}");
        }
    }

    #[test]
    fn a_server_that_began_anew_is_no_negative_count() {
        let mut traffic = Traffic::new(at(0), Some(1.0));
        traffic.take(&[row("1.2.0", 1, 500.0, 0.0)]);
        traffic.take(&[row("1.2.0", 2, 3.0, 0.0)]);
        traffic.take(&[row("1.2.0", 3, 13.0, 0.0)]);
        assert_eq!(traffic.all_on(&stable(), false).1, "10 of 10 requests on 1.2.0 since 08:00:02");
    }

    #[test]
    fn errors_are_judged_by_what_their_number_can_show() {
        let errors = |requests: f64, failed: f64| {
            let mut traffic = Traffic::new(at(0), None);
            traffic.take(&[row("1.2.0", 1, 0.0, 0.0)]);
            traffic.take(&[row("1.2.0", 2, requests, failed)]);
            traffic.errors(Some(&stable()), 2.0, false).0
        };
        assert_eq!(errors(9.0, 0.0), Seen::NotYet, "too few");
        assert_eq!(errors(11.0, 1.0), Seen::Yes, "one of eleven is no proof");
        assert_eq!(errors(100.0, 10.0), Seen::NotYet);
    }

    #[test]
    fn a_split_is_compared_with_what_was_asked() {
        let split = |canary: f64, stable: f64| {
            let mut traffic = Traffic::new(at(0), None);
            traffic.take(&[row("1.2.0", 1, 0.0, 0.0), row("1.3.0", 1, 0.0, 0.0)]);
            traffic.take(&[row("1.2.0", 2, stable, 0.0), row("1.3.0", 2, canary, 0.0)]);
            traffic.split(&Version::new("1.3.0"), 50.0, false).0
        };
        assert_eq!(split(55.0, 60.0), Seen::Yes);
        assert_eq!(split(20.0, 100.0), Seen::NotYet);
    }
}
