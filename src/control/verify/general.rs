//! The checks of the users' side, with what must be remembered between two looks.

use super::super::checks::GENERAL;
use super::super::doing::Doing;
use super::super::{Finding, Seen};
use super::endpoint::Prober;
use super::traffic::Traffic;
use super::{Before, settled};
use crate::domain::act::{CheckState, Operation, Stage};
use crate::domain::{Time, Version};

/// While it is only watched, the endpoints are asked so seldom, seconds.
const SELDOM_S: f64 = 15.0;

/// The engine's own checks of one act.
pub(super) struct General {
    since: Time,
    traffic: Traffic,
    /// Whether any source counts requests by version.
    counted: bool,
    prober: Option<Prober>,
    /// What the endpoints said last, and when.
    probed: Option<(Time, Vec<Finding>)>,
}

impl General {
    pub(super) async fn begin(doing: &Doing, since: Time, before: Before) -> Self {
        let plan = &doing.act.plan;
        let prober = match &plan.version {
            Some(version) => {
                let (config, model) = (doing.shared.config.clone(), plan.model.clone());
                let version = Version::new(&version.name);
                // Secrets may come from a command, samples from a file.
                tokio::task::spawn_blocking(move || Prober::new(&config, &model, &version)).await.ok()
            }
            None => None,
        };
        Self { since, traffic: Traffic::new(since, before.moves), counted: false, prober, probed: None }
    }

    /// One look. Only what the plan names and the controller does not look at itself.
    pub(super) async fn look(&mut self, doing: &Doing) -> Vec<Finding> {
        let now = doing.now();
        let plan = &doing.act.plan;
        let within = |id: &str| {
            let planned = plan.checks.iter().find(|check| check.id == id && GENERAL.contains(&id));
            planned.map(|check| (now - self.since).as_seconds_f64() > check.within_s)
        };
        let (share, errors, metrics) = (within("share"), within("errors"), within("metrics"));
        let mut findings = Vec::new();
        let sight = doing.shared.sight.borrow().model(&plan.model).cloned();
        let version = plan.version.as_ref().map(|version| Version::new(&version.name));
        if let Some(sight) = &sight {
            self.traffic.take(&sight.counted);
            self.counted |= !sight.counted.is_empty();
        }
        // Where nobody counts by version nothing comes, however long one waits.
        let grace_s = 2.0 * doing.shared.config.refresh.as_secs_f64() + 2.0;
        let uncounted = !self.counted && (now - self.since).as_seconds_f64() > grace_s;
        let (share, errors) = (share.map(|late| late || uncounted), errors.map(|late| late || uncounted));
        if let Some(late) = share {
            let (seen, detail) = match (&version, &sight) {
                (Some(version), _) => self.traffic.all_on(version, late),
                (None, Some(sight)) => {
                    let asked = match plan.operation {
                        Operation::SetWeight { percent } => percent,
                        _ => sight.rollout.set.unwrap_or(sight.rollout.asked),
                    };
                    match &sight.rollout.canary {
                        Some(canary) => self.traffic.split(canary, asked, late),
                        None => (Seen::NotYet, "no canary is told".into()),
                    }
                }
                (None, None) => (Seen::Nothing, "no source counts its requests by version".into()),
            };
            findings.push(finding("share", seen, detail));
        }
        if let Some(late) = errors {
            let limit = sight.as_ref().and_then(settled::error_limit).unwrap_or(2.0);
            let (seen, detail) = self.traffic.errors(version.as_ref(), limit, late);
            findings.push(finding("errors", seen, detail));
        }
        if let Some(late) = metrics {
            let window_s = doing.shared.config.window.as_secs_f64();
            let kpis = sight.as_ref().map(|sight| sight.kpis.as_slice()).unwrap_or_default();
            let (seen, detail) = settled::settled(kpis, window_s, self.since, now, late);
            findings.push(finding("metrics", seen, detail));
        }
        findings.extend(self.probe(doing, now).await);
        findings
    }

    async fn probe(&mut self, doing: &Doing, now: Time) -> Vec<Finding> {
        let plan = &doing.act.plan;
        let planned = |id: &str| plan.checks.iter().any(|check| check.id == id);
        let Some(prober) = self.prober.as_ref().filter(|_| planned("version") || planned("samples")) else {
            return Vec::new();
        };
        let passed = |id: &str| {
            let check = doing.act.checks.iter().find(|check| check.id == id);
            check.is_none_or(|check| matches!(check.state, CheckState::Passed { .. } | CheckState::Skipped))
        };
        let calm = doing.act.stage == Stage::Watching || (passed("version") && passed("samples"));
        if let Some((at, said)) = &self.probed
            && calm
            && (now - *at).as_seconds_f64() < SELDOM_S
        {
            return said.clone();
        }
        let mut said = Vec::new();
        if planned("version") {
            let (seen, detail) = prober.version().await;
            said.push(finding("version", seen, detail));
        }
        if planned("samples") {
            let (seen, detail) = prober.samples().await;
            said.push(finding("samples", seen, detail));
        }
        self.probed = Some((now, said.clone()));
        said
    }
}

fn finding(id: &str, seen: Seen, detail: String) -> Finding {
    Finding { id: id.into(), seen, detail }
}
