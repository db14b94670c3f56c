//! The judgement of a model's canary from what its servers count.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Counter, Rollout, Time, Version};
use crate::judge::differ::Differ;
use crate::judge::{Counts, Decision, Look, MetricKind, Portion, Role, RolloutJudge, Rules, Verdict};

/// A better source of a metric that has been silent for so long gives way to another, seconds.
const GIVE_WAY_S: f64 = 60.0;

/// What an instance of a version counted between two sights of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    version: Version,
    instance: Option<Arc<str>>,
    age_s: Option<u64>,
    counts: Counts,
}

/// The judgement of one model's rollouts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Judging {
    differ: Differ,
    /// Which rank of source brings a metric, and when it last did.
    from: HashMap<Arc<str>, (u8, Time)>,
    /// Since the last look, by metric.
    pending: BTreeMap<Arc<str>, Vec<Seen>>,
    /// What each version counted while no canary was there, by metric: the baseline's past.
    past: BTreeMap<Arc<str>, (Version, Counts)>,
    trial: Option<Trial>,
    looked: Option<Time>,
    /// The newest verdict on the present canary.
    pub verdict: Option<Verdict>,
}

/// One canary on trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Trial {
    stable: Version,
    canary: Version,
    judge: RolloutJudge,
    /// The weight at the last look: a look in which it changed says nothing of the split.
    asked: f64,
    settled: bool,
}

/// How a decision changed at a look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    pub(super) was: Option<Decision>,
    pub(super) line: String,
    pub(super) is: Decision,
}

impl Judging {
    /// Takes in running totals of a metric. `rank`: 0 for the best kind of source; what a worse one says is
    /// left out while a better one speaks, or everything would count twice.
    pub(super) fn take(&mut self, rank: u8, metric: &Arc<str>, counters: &[Counter], at: Time) {
        let (best, seen) = self.from.entry(metric.clone()).or_insert((rank, at));
        if rank > *best && (at - *seen).as_seconds_f64() <= GIVE_WAY_S {
            return;
        }
        if rank != *best {
            self.pending.remove(metric);
        }
        (*best, *seen) = (rank, at);
        for counter in counters {
            if let Some(counts) = self.differ.take(metric, counter, at) {
                let seen = Seen {
                    version: counter.version.clone(),
                    instance: counter.instance.clone(),
                    age_s: counter.age_s,
                    counts,
                };
                self.pending.entry(metric.clone()).or_default().push(seen);
            }
        }
    }

    /// Looks, when it is time to: every `every_s` seconds.
    pub(super) fn look(
        &mut self,
        rollout: Option<&Rollout>,
        rules: &Arc<Rules>,
        every_s: f64,
        now: Time,
    ) -> Option<Turn> {
        let looked = *self.looked.get_or_insert(now);
        if (now - looked).as_seconds_f64() < every_s {
            return None;
        }
        self.looked = Some(now);
        let pending = std::mem::take(&mut self.pending);
        let live = rollout.filter(|rollout| rollout.is_live());
        let Some((rollout, canary)) = live.and_then(|rollout| Some((rollout, rollout.canary.clone()?)))
        else {
            self.trial = None;
            self.verdict = None;
            self.learn(pending);
            return None;
        };
        let is_same = |trial: &Trial| trial.stable == rollout.stable && trial.canary == canary;
        if !self.trial.as_ref().is_some_and(is_same) {
            self.verdict = None;
            self.trial = self.begin(rollout, &canary, &pending, rules, now);
        }
        let trial = self.trial.as_mut()?;
        let is_settled = std::mem::replace(&mut trial.settled, trial.asked == rollout.asked) && trial.settled;
        trial.asked = rollout.asked;
        let role = |version: &Version| match version {
            version if *version == trial.canary => Some(Role::Canary),
            version if *version == trial.stable => Some(Role::Baseline),
            _ => None,
        };
        let portion = |seen: Seen| {
            Some(Portion {
                role: role(&seen.version)?,
                instance: seen.instance,
                age_s: seen.age_s,
                predictions: None,
                counts: seen.counts,
            })
        };
        let metrics = pending
            .into_iter()
            .map(|(name, seen)| (name, seen.into_iter().filter_map(portion).collect::<Vec<Portion>>()))
            .filter(|(_, portions)| !portions.is_empty())
            .collect();
        let share = is_settled.then_some(rollout.asked / 100.0);
        trial.judge.update(&Look { at: now, share, metrics });
        let verdict = trial.judge.verdict(now);
        let was = self.verdict.as_ref().map(|verdict| verdict.verdict);
        let turn = (was != Some(verdict.verdict)).then(|| Turn {
            was,
            line: verdict.words().to_owned(),
            is: verdict.verdict,
        });
        self.verdict = Some(verdict);
        turn
    }

    /// A new canary: its judge begins with the baseline's past. It waits until the canary is counted, as
    /// the set of metrics is fixed from then on.
    fn begin(
        &self,
        rollout: &Rollout,
        canary: &Version,
        pending: &BTreeMap<Arc<str>, Vec<Seen>>,
        rules: &Arc<Rules>,
        now: Time,
    ) -> Option<Trial> {
        let counted = pending.values().flatten().any(|seen| seen.version == *canary);
        if !counted {
            return None;
        }
        let mut names: Vec<&Arc<str>> = self.from.keys().collect();
        names.sort_unstable();
        let metrics: Vec<(Arc<str>, MetricKind)> =
            names.into_iter().map(|name| (name.clone(), MetricKind::of(name, false))).collect();
        let stages = rollout.steps.len().saturating_sub(rollout.step + 1);
        let mut judge = RolloutJudge::new(rules.clone(), &metrics, stages);
        let past = self.past.iter().filter(|(_, (version, _))| *version == rollout.stable);
        let portion = |counts: &Counts| Portion {
            role: Role::Baseline,
            instance: None,
            age_s: None,
            predictions: None,
            counts: counts.clone(),
        };
        let metrics = past.map(|(name, (_, counts))| (name.clone(), vec![portion(counts)])).collect();
        judge.update(&Look { at: now, share: None, metrics });
        let (stable, canary) = (rollout.stable.clone(), canary.clone());
        Some(Trial { stable, canary, judge, asked: rollout.asked, settled: false })
    }

    /// Without a canary: the past of the version with the most traffic.
    fn learn(&mut self, pending: BTreeMap<Arc<str>, Vec<Seen>>) {
        for (metric, seen) in pending {
            let mut by_version: BTreeMap<Version, Counts> = BTreeMap::new();
            for seen in seen {
                match by_version.get_mut(&seen.version) {
                    Some(counts) => counts.add(&seen.counts),
                    None => {
                        by_version.insert(seen.version, seen.counts);
                    }
                }
            }
            let Some((version, counts)) = by_version.into_iter().max_by_key(|(_, counts)| counts.trials())
            else {
                continue;
            };
            match self.past.get_mut(&metric) {
                Some((known, sum)) if *known == version => sum.add(&counts),
                _ => {
                    self.past.insert(metric, (version, counts));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Phase, Total};

    fn at(second: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn rollout(canary: &str, asked: f64) -> Rollout {
        Rollout {
            canary: Some(Version::new(canary)),
            asked,
            phase: Phase::Progressing,
            ..Rollout::of("test", Version::new("1"))
        }
    }

    fn counter(version: &str, events: f64, trials: f64) -> Counter {
        let total = Total::Events { events, trials };
        Counter { version: Version::new(version), instance: Some("i".into()), age_s: None, total }
    }

    /// Both versions after so many looks: the canary fails at five times the rate.
    fn counted(judging: &mut Judging, rank: u8, canary: &str, look: i64) {
        let n = look as f64;
        let counters = [counter("1", n, 100.0 * n), counter(canary, 5.0 * n, 100.0 * n)];
        judging.take(rank, &"errors".into(), &counters, at(15 * look));
    }

    fn watch(judging: &mut Judging, canary: &str, looks: std::ops::Range<i64>) -> Vec<Turn> {
        let (rollout, rules) = (rollout(canary, 50.0), Arc::new(Rules::default()));
        looks
            .filter_map(|look| {
                counted(judging, 1, canary, look);
                judging.look(Some(&rollout), &rules, 15.0, at(15 * look))
            })
            .collect()
    }

    #[test]
    fn a_bad_canary_turns_to_abort_once() {
        let mut judging = Judging::default();
        let turns = watch(&mut judging, "2", 0..60);
        let words: Vec<Decision> = turns.iter().map(|turn| turn.is).collect();
        assert_eq!(words.last(), Some(&Decision::Abort), "{turns:?}");
        assert_eq!(words.iter().filter(|word| **word == Decision::Abort).count(), 1);
        let verdict = judging.verdict.as_ref().unwrap();
        assert_eq!(verdict.share.map(|share| share[1]), Some(0.5));
        assert_eq!(verdict.metrics[0].n_canary, verdict.metrics[0].n_baseline);
    }

    #[test]
    fn another_canary_is_judged_anew_and_none_is_not_judged() {
        let mut judging = Judging::default();
        watch(&mut judging, "2", 0..60);
        assert_eq!(judging.verdict.as_ref().unwrap().verdict, Decision::Abort);
        watch(&mut judging, "3", 60..63);
        assert_ne!(judging.verdict.as_ref().unwrap().verdict, Decision::Abort);
        judging.look(None, &Arc::new(Rules::default()), 15.0, at(15 * 64));
        assert_eq!(judging.verdict, None);
    }

    #[test]
    fn two_sources_of_the_same_counts_count_once() {
        let (mut judging, rules) = (Judging::default(), Arc::new(Rules::default()));
        for look in 0..10 {
            counted(&mut judging, 0, "2", look);
            counted(&mut judging, 1, "2", look);
            judging.look(Some(&rollout("2", 50.0)), &rules, 15.0, at(15 * look));
        }
        let metric = &judging.verdict.as_ref().unwrap().metrics[0];
        assert_eq!(metric.n_canary, 900, "100 a look, the first look only teaches");
    }

    #[test]
    fn the_past_before_the_canary_is_its_history() {
        let (mut judging, rules) = (Judging::default(), Arc::new(Rules::default()));
        for look in 0..20 {
            let n = look as f64;
            judging.take(1, &"errors".into(), &[counter("1", n, 100.0 * n)], at(15 * look));
            judging.look(None, &rules, 15.0, at(15 * look));
        }
        assert_eq!(judging.past["errors"].1.trials(), 1_900);
    }
}
