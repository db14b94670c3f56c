//! One rollout: its metrics together, the traffic split, and what follows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::metric::MetricJudge;
use super::portion::{Portion, Role};
use super::rules::{MetricKind, Rules};
use super::verdict::{Decision, Eta, MetricVerdict, Verdict};
use super::words;
use crate::domain::Time;
use crate::stats::sequential::Split;
use crate::stats::sequential::interval;
use crate::stats::special::log_sum_exp;

/// What was seen between two looks: portions by metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When the blocks ended.
    pub at: Time,
    /// Share of traffic configured for the canary, 0…1, when known. Another share than before begins the
    /// next planned stage, and the split of that look is not checked.
    pub share: Option<f64>,
    /// Portions by metric.
    pub metrics: Vec<(Arc<str>, Vec<Portion>)>,
}

/// Why it was decided to abort. Once decided it stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Cause {
    /// Evidence of these metrics, each enough alone; none: all together.
    Evidence(Vec<Arc<str>>),
    /// An absolute limit: the interval of the canary's error rate lies above it.
    Limit { metric: Arc<str>, limit: f64, interval: (f64, f64) },
    /// The hard limit, in one block.
    Hard { metric: Arc<str>, rate: f64, requests: u64 },
}

/// The judgement of one rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolloutJudge {
    rules: Arc<Rules>,
    pub(super) metrics: Vec<MetricJudge>,
    split: Option<Split>,
    begun: Option<Time>,
    now: Option<Time>,
    max_log_e: f64,
    pub(super) cause: Option<Cause>,
}

impl RolloutJudge {
    /// A rollout with these metrics over `stages` planned stages after the first, weighted as the rules say,
    /// else equally. The set of metrics is fixed: weights chosen later would void the guarantee.
    pub fn new(rules: Arc<Rules>, metrics: &[(Arc<str>, MetricKind)], stages: usize) -> Self {
        let judge =
            |(name, kind): &(Arc<str>, MetricKind)| MetricJudge::new(name, *kind, rules.clone(), stages);
        Self {
            metrics: metrics.iter().map(judge).collect(),
            rules,
            split: None,
            begun: None,
            now: None,
            max_log_e: 0.0,
            cause: None,
        }
    }

    /// The metrics.
    pub fn metrics(&self) -> &[MetricJudge] {
        &self.metrics
    }

    /// Takes in a look. Metrics that it does not know are left out.
    pub fn update(&mut self, look: &Look) {
        self.now = Some(look.at);
        let configured = |split: &Split| split.configured();
        let mut is_split_told = false;
        if let Some(share) = look.share.filter(|share| *share > 0.0 && *share < 1.0) {
            match &mut self.split {
                None => {
                    self.split = Some(Split::new(&[share, 1.0 - share]));
                    is_split_told = true;
                }
                Some(split) if (configured(split) - share).abs() > 1e-9 => {
                    split.reweigh(&[share, 1.0 - share]);
                    self.metrics.iter_mut().for_each(MetricJudge::begin_stage);
                }
                Some(_) => is_split_told = true,
            }
        }
        let mut counted = false;
        for (name, portions) in &look.metrics {
            let Some(metric) = self.metrics.iter_mut().find(|metric| metric.name == *name) else { continue };
            metric.update(look.at, portions);
            if metric.tests.is_some() && self.begun.is_none() {
                self.begun = Some(look.at);
            }
            // Requests are counted once, by the first metric that counts them all.
            let all = matches!(metric.kind, MetricKind::Errors | MetricKind::Latency);
            if all && !counted {
                counted = true;
                let of =
                    |role| portions.iter().filter(|p| p.role == role).map(|p| p.counts.trials()).sum::<u64>();
                let (canary, baseline) = (of(Role::Canary), of(Role::Baseline));
                if let Some(split) = self.split.as_mut().filter(|_| is_split_told && metric.tests.is_some()) {
                    split.update(&[canary, baseline]);
                }
            }
        }
        if self.cause.is_none() && !self.is_split_wrong() {
            self.cause = self.hard_limit(look).or_else(|| self.limit()).or_else(|| self.evidence());
        }
        self.max_log_e = self.max_log_e.max(self.log_e());
    }

    /// ln of the combined abort evidence: the weighted mean over metrics.
    pub fn log_e(&self) -> f64 {
        if self.metrics.is_empty() {
            return 0.0;
        }
        let weighted = |metric: &MetricJudge| self.weight(metric).ln() + metric.abort_log_e();
        log_sum_exp(self.metrics.iter().map(weighted).collect::<Vec<f64>>())
    }

    /// A metric's weight in the combined evidence; all of them sum to 1.
    fn weight(&self, metric: &MetricJudge) -> f64 {
        let of = |metric: &MetricJudge| self.rules.weights.get(&*metric.name).copied().unwrap_or(1.0);
        of(metric) / self.metrics.iter().map(of).sum::<f64>()
    }

    fn is_split_wrong(&self) -> bool {
        self.split.as_ref().is_some_and(|split| split.log_e() >= self.rules.split_odds.ln())
    }

    fn evidence(&self) -> Option<Cause> {
        let bound = self.rules.abort_bound();
        if self.log_e() < bound {
            return None;
        }
        let alone = |metric: &&MetricJudge| metric.abort_log_e() + self.weight(metric).ln() >= bound;
        Some(Cause::Evidence(self.metrics.iter().filter(alone).map(|metric| metric.name.clone()).collect()))
    }

    fn errors(&self) -> impl Iterator<Item = &MetricJudge> {
        self.metrics.iter().filter(|metric| metric.kind == MetricKind::Errors && metric.tests.is_some())
    }

    /// An absolute limit that the canary's error rate is above, while the baseline's is not: its whole
    /// interval lies beyond.
    fn breach(&self, limit: f64) -> Option<(Arc<str>, (f64, f64))> {
        self.errors().find_map(|metric| {
            let canary = interval::rate(metric.arm(Role::Canary)?, self.rules.alpha_abort);
            let both = metric.arm(Role::Baseline).is_some_and(|baseline| baseline.rate() > limit);
            (canary.0 > limit && !both && !metric.is_noisy()).then(|| (metric.name.clone(), canary))
        })
    }

    fn limit(&self) -> Option<Cause> {
        let limit = self.rules.error_limits[1];
        let (metric, interval) = self.breach(limit)?;
        Some(Cause::Limit { metric, limit, interval })
    }

    fn hard_limit(&self, look: &Look) -> Option<Cause> {
        let limit = self.rules.hard_limit;
        if limit <= 0.0 {
            return None;
        }
        look.metrics.iter().find_map(|(name, portions)| {
            self.metrics.iter().find(|m| m.name == *name && m.kind == MetricKind::Errors)?;
            let counts = super::portion::total(portions, Role::Canary)?;
            let super::portion::Counts::Events(arm) = counts else { return None };
            let is_hit = arm.trials >= self.rules.hard_limit_requests && arm.rate() > limit;
            is_hit.then(|| Cause::Hard { metric: name.clone(), rate: arm.rate(), requests: arm.trials })
        })
    }

    /// Requests of the canary so far.
    pub fn canary_requests(&self) -> u64 {
        self.metrics.iter().map(|metric| metric.trials(Role::Canary)).max().unwrap_or(0)
    }

    /// The verdict at `now`, which may be later than the last look: then data may have gone stale.
    pub fn verdict(&self, now: Time) -> Verdict {
        let metrics: Vec<MetricVerdict> = self
            .metrics
            .iter()
            .map(|metric| words::metric(metric, &self.rules, self.weight(metric), now))
            .collect();
        let (decision, why) = self.decide(now);
        let mut notes = words::notes(self, &self.rules);
        if let Some((metric, (low, high))) = self.breach(self.rules.error_limits[0]) {
            notes.push(words::above_limit(&metric, self.rules.error_limits[0], low, high));
        }
        let eta = (decision == Decision::KeepWatching).then(|| self.eta()).flatten();
        let line = words::line(self, &self.rules, &metrics, decision, why, eta);
        let causes = match &self.cause {
            Some(Cause::Evidence(names)) => names.clone(),
            Some(Cause::Limit { metric, .. } | Cause::Hard { metric, .. }) => vec![metric.clone()],
            None => Vec::new(),
        };
        Verdict {
            t: now,
            verdict: decision,
            line,
            notes,
            log_evidence: self.log_e(),
            max_log_evidence: self.max_log_e,
            log_needed: self.rules.abort_bound(),
            causes,
            canary_requests: self.canary_requests(),
            eta,
            share: self
                .split
                .as_ref()
                .map(|split| [split.share(), split.configured()])
                .filter(|s| !s[0].is_nan()),
            metrics,
        }
    }

    fn decide(&self, now: Time) -> (Decision, Option<String>) {
        let cannot = |why: String| (Decision::CannotTell, Some(why));
        if self.cause.is_some() {
            return (Decision::Abort, None);
        }
        if let Some(split) = self.split.as_ref().filter(|_| self.is_split_wrong()) {
            return cannot(words::split(split.share(), split.configured()));
        }
        if !self.metrics.iter().any(MetricJudge::is_paired) {
            return cannot(words::missing_arm(&self.metrics));
        }
        if let Some(metric) = self.metrics.iter().find(|metric| metric.is_stale(now)) {
            return cannot(format!("{} is stale: no block for more than 3 scrapes", metric.name));
        }
        if let Some(metric) = self.metrics.iter().find(|metric| metric.is_noisy()) {
            return cannot(format!(
                "NOISY BASELINE: {} differs between the baseline's own instances",
                metric.name
            ));
        }
        let gap = |metric: &MetricJudge| metric.coverage_gap().filter(|gap| *gap > self.rules.coverage_gap);
        if let Some(metric) = self.metrics.iter().find(|metric| gap(metric).is_some()) {
            return cannot(words::coverage(metric));
        }
        if self.may_promote(now) { (Decision::Promote, None) } else { (Decision::KeepWatching, None) }
    }

    /// Every required metric has shown that it stays within its tolerance, long enough.
    fn may_promote(&self, now: Time) -> bool {
        let mut required = self.metrics.iter().filter(|metric| metric.kind.is_required()).peekable();
        let soaked = self.begun.is_some_and(|begun| (now - begun).as_seconds_f64() >= self.rules.soak_s);
        required.peek().is_some()
            && soaked
            && self.breach(self.rules.error_limits[0]).is_none()
            && required.all(|metric| metric.max_promote >= self.rules.promote_bound())
    }

    /// The nearer end at the present rate: abort by the combined evidence's leader, promote by the slowest.
    fn eta(&self) -> Option<Eta> {
        let leader = self.metrics.iter().max_by(|a, b| a.abort_log_e().total_cmp(&b.abort_log_e()))?;
        let abort_needed = self.rules.abort_bound() - self.weight(leader).ln();
        let abort = more(leader, abort_needed, Decision::Abort);
        let mut promote: Option<Eta> = None;
        for metric in self.metrics.iter().filter(|metric| metric.kind.is_required()) {
            if metric.max_promote >= self.rules.promote_bound() {
                continue;
            }
            let Some(eta) = more(metric, self.rules.promote_bound(), Decision::Promote) else {
                return abort;
            };
            if promote.is_none_or(|slowest| slowest.requests < eta.requests) {
                promote = Some(eta);
            }
        }
        [abort, promote].into_iter().flatten().min_by_key(|eta| eta.requests)
    }
}

/// How many more trials of the canary until the evidence reaches `needed`, at its rise over the last looks.
fn more(metric: &MetricJudge, needed: f64, toward: Decision) -> Option<Eta> {
    let (first, last) = (metric.trail.front()?, metric.trail.back()?);
    let trials = (last.trials - first.trials) as f64;
    let value =
        |step: &super::metric::Step| if toward == Decision::Abort { step.abort } else { step.promote };
    let rise = (value(last) - value(first)) / trials;
    if trials <= 0.0 || !rise.is_finite() || rise <= 0.0 {
        return None;
    }
    let requests = ((needed - value(last)) / rise).max(0.0);
    let elapsed = last.at_s - first.at_s;
    let seconds = (elapsed > 0.0).then(|| requests * elapsed / trials);
    (requests < 1e12).then_some(Eta { toward, requests: requests.ceil() as u64, seconds })
}
