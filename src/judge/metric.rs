//! One metric of one rollout: its tests, its effect, its course.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Event, Test};
use super::history::{HEADLINE, History, PERCENTILES, Threshold};
use super::noise::{RankTest, Sentinel};
use super::portion::{Counts, Portion, Role, total};
use super::rules::{MetricKind, Rules};
use crate::domain::Time;
use crate::stats::sequential::rate_ratio::RatioInterval;
use crate::stats::sequential::{Arm, EProcess, Margin, Prior, RateRatio, TwoStream};
use crate::stats::special::log_mean_exp;

/// Looks over which the rise of the evidence is measured.
const TRAIL: usize = 21;
/// Distances between blocks that are remembered to know how often they come.
const RHYTHM: usize = 20;
/// Breaks ties of the rank test; any number will do.
const SEED: u64 = 0x5eed;

/// Where the evidence stood after a look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Seconds since the epoch.
    pub at_s: f64,
    /// The canary's trials so far.
    pub trials: u64,
    /// ln of the abort evidence.
    pub abort: f64,
    /// ln of the promote evidence.
    pub promote: f64,
}

/// The tests of a metric, once its thresholds are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tests {
    abort: Vec<Channel>,
    /// Abort tests that the buckets are too coarse for: each counts as evidence of 1.
    silent: usize,
    hint: Vec<Channel>,
    promote: Option<Channel>,
    headline: Event,
    pub(super) thresholds: Vec<Threshold>,
    pub(super) sentinel: Sentinel,
    pub(super) ranks: RankTest,
}

/// One metric of one rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricJudge {
    /// Its name as the source writes it.
    pub name: Arc<str>,
    /// What it counts.
    pub kind: MetricKind,
    rules: Arc<Rules>,
    stages: usize,
    begun: usize,
    history: History,
    pub(super) tests: Option<Tests>,
    /// What both arms did since the canary came: canary, baseline.
    pub(super) totals: [Option<Counts>; 2],
    /// The same by age of the labels, of what is counted in events.
    pub(super) by_age: BTreeMap<Option<u64>, [Arm; 2]>,
    pub(super) ratio: RatioInterval,
    /// ln of the largest abort evidence so far.
    pub max_abort: f64,
    /// ln of the largest promote evidence so far.
    pub max_promote: f64,
    pub(super) trail: VecDeque<Step>,
    pub(super) ages: BTreeMap<u64, u64>,
    /// Labels and predictions of the canary and of the baseline, where predictions are told.
    pub(super) labelled: [(u64, u64); 2],
    last: Option<Time>,
    rhythm: VecDeque<f64>,
}

impl MetricJudge {
    /// A metric of which nothing is known, over `stages` planned stages after the first.
    pub fn new(name: &str, kind: MetricKind, rules: Arc<Rules>, stages: usize) -> Self {
        Self {
            name: name.into(),
            kind,
            rules,
            stages,
            begun: 0,
            history: History::default(),
            tests: None,
            totals: [None, None],
            by_age: BTreeMap::new(),
            ratio: RatioInterval::default(),
            max_abort: 0.0,
            max_promote: f64::NEG_INFINITY,
            trail: VecDeque::with_capacity(TRAIL),
            ages: BTreeMap::new(),
            labelled: [(0, 0); 2],
            last: None,
            rhythm: VecDeque::with_capacity(RHYTHM),
        }
    }

    /// Takes in the portions of one look. Those of equal label age form one block each.
    pub fn update(&mut self, at: Time, portions: &[Portion]) {
        if self.tests.is_none() && !self.start(portions) {
            self.history.learn(portions);
            return;
        }
        if let Some(last) = self.last.replace(at) {
            if self.rhythm.len() == RHYTHM {
                self.rhythm.pop_front();
            }
            self.rhythm.push_back((at - last).as_seconds_f64());
        }
        for (role, sum) in [Role::Canary, Role::Baseline].into_iter().zip(&mut self.totals) {
            match (sum.as_mut(), total(portions, role)) {
                (Some(sum), Some(more)) => sum.add(&more),
                (None, more) => *sum = more,
                _ => {}
            }
        }
        self.note_labels(portions);
        let mut blocks: BTreeMap<Option<u64>, Vec<&Portion>> = BTreeMap::new();
        portions.iter().for_each(|portion| blocks.entry(portion.age_s).or_default().push(portion));
        let Some(tests) = &mut self.tests else { return };
        for block in blocks.values() {
            let channels = tests.abort.iter_mut().chain(&mut tests.hint).chain(&mut tests.promote);
            channels.for_each(|channel| channel.update(block));
            tests.sentinel.update(block);
            tests.ranks.update(at.timestamp_millis() as f64 / 1e3, block);
            if let Some(block) = tests.headline.block(block.iter().copied()) {
                self.ratio.update(&block);
            }
        }
        let (abort, promote) = (self.abort_log_e(), self.promote_log_e().unwrap_or(f64::NEG_INFINITY));
        self.max_abort = self.max_abort.max(abort);
        self.max_promote = self.max_promote.max(promote);
        if self.trail.len() == TRAIL {
            self.trail.pop_front();
        }
        let at_s = at.timestamp_millis() as f64 / 1e3;
        self.trail.push_back(Step { at_s, trials: self.trials(Role::Canary), abort, promote });
    }

    /// The next planned stage begins, so that a canary that turns bad there is found as soon.
    pub fn begin_stage(&mut self) {
        self.begun += 1;
        if let Some(tests) = &mut self.tests {
            let channels = tests.abort.iter_mut().chain(&mut tests.hint).chain(&mut tests.promote);
            channels.for_each(|channel| channel.test.begin_stage());
        }
    }

    /// Begins once the canary has a trial and there is enough history to choose thresholds from. Until
    /// then blocks carry no evidence and only teach what the baseline is like.
    fn start(&mut self, portions: &[Portion]) -> bool {
        let has_canary = portions.iter().any(|p| p.role == Role::Canary && p.counts.trials() > 0);
        if !has_canary || (self.kind == MetricKind::Latency && !self.history.is_enough()) {
            return false;
        }
        self.tests = Some(self.tests_of_history());
        true
    }

    fn tests_of_history(&self) -> Tests {
        let rules = &self.rules;
        let prior = Prior::of_history(self.history.arm());
        let stages = self.stages.saturating_sub(self.begun);
        let told = |test| Channel::new(Event::Told, test, stages);
        let worse = || told(Test::Worse(TwoStream::new(prior)));
        let mut thresholds = Vec::new();
        let mut silent = 0;
        let (abort, hint, promote) = match self.kind {
            MetricKind::Errors => {
                let promote = Margin::promote_errors(rules.errors_promote_margin, prior);
                let (abort, hint) = match rules.errors_abort_margin {
                    margin if margin > 0.0 => {
                        (told(Test::Margin(Margin::abort(margin, prior))), vec![worse()])
                    }
                    _ => (worse(), Vec::new()),
                };
                (vec![abort], hint, Some(told(Test::Margin(promote))))
            }
            MetricKind::Accuracy => {
                let promote = Margin::promote(rules.accuracy_tolerance(), prior);
                let (abort, hint) = match rules.accuracy_margin {
                    margin if margin > 0.0 => {
                        (told(Test::Margin(Margin::abort(margin, prior))), vec![worse()])
                    }
                    _ => (worse(), Vec::new()),
                };
                (vec![abort], hint, Some(told(Test::Margin(promote))))
            }
            MetricKind::Counts => {
                (vec![told(Test::Ratio(RateRatio::new(rules.counts_ratio)))], Vec::new(), None)
            }
            MetricKind::Latency => {
                thresholds = self.history.thresholds(rules.latency_tolerance());
                silent = PERCENTILES.len() - thresholds.len();
                let prior = |tau: f64| Prior::of_history(self.history.slower_than(tau));
                let channel = |canary: f64, baseline: f64| {
                    let test = Test::Worse(TwoStream::new(prior(baseline)));
                    Channel::new(Event::Slower { canary, baseline }, test, stages)
                };
                let free: Vec<Channel> = thresholds.iter().map(|t| channel(t.tau, t.tau)).collect();
                let with_margin = rules.latency_margin > 0.0;
                let (can, cannot): (Vec<&Threshold>, Vec<&Threshold>) =
                    thresholds.iter().partition(|t| t.margin.abort_bound.is_finite());
                let (abort, hint) = if with_margin {
                    silent += cannot.len();
                    (can.into_iter().map(|t| channel(t.margin.abort_bound, t.tau)).collect(), free)
                } else {
                    (free, Vec::new())
                };
                let headline = thresholds.iter().find(|t| t.percentile == PERCENTILES[HEADLINE]);
                let promote = headline.filter(|t| t.margin.promote > 1.0 + 1e-9).map(|t| {
                    let share = self.history.slower_than(t.tau).rate();
                    let test = Margin::promote_below(share, prior(t.tau));
                    let event = Event::Slower { canary: t.margin.promote_bound, baseline: t.tau };
                    Channel::new(event, Test::Margin(test), stages)
                });
                (abort, hint, promote)
            }
        };
        let headline = match thresholds.iter().find(|t| t.percentile == PERCENTILES[HEADLINE]) {
            Some(t) => Event::Slower { canary: t.tau, baseline: t.tau },
            None => Event::Told,
        };
        let sentinel = Sentinel::new(&abort);
        let ranks = RankTest::new(headline, SEED);
        Tests { abort, silent, hint, promote, headline, thresholds, sentinel, ranks }
    }

    fn note_labels(&mut self, portions: &[Portion]) {
        for portion in portions {
            if let Counts::Events(arm) = &portion.counts {
                let arms = self.by_age.entry(portion.age_s).or_default();
                arms[usize::from(portion.role == Role::Baseline)].add(*arm);
            }
            let trials = portion.counts.trials();
            if let Some(age) = portion.age_s.filter(|_| portion.role == Role::Canary) {
                *self.ages.entry(age).or_default() += trials;
            }
            if let Some(predictions) = portion.predictions {
                let (labels, all) = &mut self.labelled[usize::from(portion.role == Role::Baseline)];
                *labels += trials;
                *all += predictions;
            }
        }
    }

    /// ln of the evidence that the canary is worse than tolerated. With a noisy baseline, that of its rank
    /// among the baseline's instances alone; 0 while the labels of the arms are not comparable.
    pub fn abort_log_e(&self) -> f64 {
        let Some(tests) = &self.tests else { return 0.0 };
        if self.is_noisy() {
            return tests.ranks.log_e();
        }
        if self.coverage_gap().is_some_and(|gap| gap > self.rules.coverage_gap) {
            return 0.0;
        }
        let mut logs: Vec<f64> = tests.abort.iter().map(|channel| channel.test.log_e()).collect();
        logs.resize(logs.len() + tests.silent, 0.0);
        if logs.is_empty() { 0.0 } else { log_mean_exp(&logs) }
    }

    /// ln of the evidence that it is worse at all, where aborting needs more than that.
    pub fn hint_log_e(&self) -> Option<f64> {
        let hint = &self.tests.as_ref()?.hint;
        (!hint.is_empty())
            .then(|| log_mean_exp(&hint.iter().map(|channel| channel.test.log_e()).collect::<Vec<f64>>()))
    }

    /// ln of the evidence that it stays within the tolerance; `None` where nothing can show it.
    pub fn promote_log_e(&self) -> Option<f64> {
        Some(self.tests.as_ref()?.promote.as_ref()?.test.log_e())
    }

    /// Whether the baseline's halves differ by themselves.
    pub fn is_noisy(&self) -> bool {
        self.tests.as_ref().is_some_and(|tests| tests.sentinel.max_log_e >= self.rules.abort_bound())
    }

    /// Whether both arms have been seen.
    pub fn is_paired(&self) -> bool {
        self.trials(Role::Canary) > 0 && self.trials(Role::Baseline) > 0
    }

    /// Trials of an arm since the canary came.
    pub fn trials(&self, role: Role) -> u64 {
        self.totals[usize::from(role == Role::Baseline)].as_ref().map_or(0, Counts::trials)
    }

    /// Events of trials of an arm since the canary came, for what is no latency.
    pub fn arm(&self, role: Role) -> Option<Arm> {
        match self.totals[usize::from(role == Role::Baseline)].as_ref()? {
            Counts::Events(arm) => Some(*arm),
            Counts::Buckets(_) => None,
        }
    }

    /// Rates of both arms, canary and baseline, as if the baseline's labels were as old as the canary's:
    /// of each age that both have, weighted by the canary's trials. Older labels may be of other cases.
    pub(super) fn paired_rates(&self) -> Option<(f64, f64)> {
        let both = || self.by_age.values().filter(|[c, b]| c.trials > 0 && b.trials > 0);
        let all: f64 = both().map(|[canary, _]| canary.trials as f64).sum();
        let mean = |rate: fn(&[Arm; 2]) -> f64| {
            both().map(|arms| arms[0].trials as f64 * rate(arms)).sum::<f64>() / all
        };
        (all > 0.0).then(|| (mean(|arms| arms[0].rate()), mean(|arms| arms[1].rate())))
    }

    /// Difference of the arms' shares of labelled rows, 0…1, where predictions are told.
    pub fn coverage_gap(&self) -> Option<f64> {
        let [canary, baseline] = self.labelled.map(|(labels, all)| labels as f64 / all as f64);
        let gap = (canary - baseline).abs();
        gap.is_finite().then_some(gap)
    }

    /// Whether its blocks have stopped coming: none for more than three of their usual distances.
    /// Labels come when they come.
    pub fn is_stale(&self, now: Time) -> bool {
        let Some(last) = self.last.filter(|_| self.kind != MetricKind::Accuracy) else { return false };
        let mut distances: Vec<f64> = self.rhythm.iter().copied().collect();
        distances.sort_unstable_by(f64::total_cmp);
        let Some(usual) = distances.get(distances.len() / 2) else { return false };
        (now - last).as_seconds_f64() > 3.0 * usual.max(1.0)
    }
}
