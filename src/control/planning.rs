//! Makes a whole plan: the controller's draft, the registry's part, the general checks, how it is confirmed.

use std::time::Duration;

use super::engine::Shared;
use super::{Ask, Controller, RegistryDraft, checks, confirm};
use crate::domain::act::{ActId, Beware, Operation, Plan, Refusal, VersionMap};
use crate::domain::{Level, ModelId, Rollout, Target, Version};

/// What is asked of the engine.
pub(super) struct Wanted {
    pub model: ModelId,
    pub operation: Operation,
    pub reason: String,
    pub evidence: String,
    pub seen: Option<Box<Rollout>>,
    pub by: Option<&'static str>,
}

/// Plans. Changes nothing.
pub(super) async fn plan(shared: &Shared, wanted: Wanted) -> Result<Box<Plan>, Refusal> {
    let Wanted { model, operation, reason, evidence, seen, by } = wanted;
    if shared.config.control.read_only {
        return Err(Refusal::new("read-only: nothing is planned or sent", "set control.read_only = false"));
    }
    let sight = shared.sight.borrow().model(&model).cloned();
    let Some(seen) = seen.map(|seen| *seen).or_else(|| Some(sight.as_ref()?.rollout.clone())) else {
        return Err(Refusal::new(
            format!("no controller tells of a rollout of {model}"),
            "name its cluster, HAProxy or canary controller in the config",
        ));
    };
    sensible(&operation, &seen)?;
    let Some(target) = seen.target.clone() else {
        return Err(Refusal::new("this controller is only read", "act with its own tool"));
    };
    let controller = controller_of(shared, &target)?;
    let mut who = shared.who.clone();
    if let Some(by) = by {
        who.by = by.into();
    }
    let ask = Ask {
        model: model.clone(),
        target: target.clone(),
        operation: operation.clone(),
        reason,
        seen: Some(seen.clone()),
        who: if who.host.is_empty() { who.user.clone() } else { format!("{}@{}", who.user, who.host) },
        now: (shared.clock)(),
    };
    let limit = planning_limit(shared);
    let mut draft = match tokio::time::timeout(limit, controller.plan(&ask)).await {
        Ok(draft) => draft?,
        Err(_) => {
            return Err(Refusal::new(
                format!("{} did not answer within {} s", target.system, limit.as_secs()),
                "look whether it is reachable (wardroom doctor), and plan again",
            ));
        }
    };
    // Moving a registry makes sense only when all traffic goes to one version.
    let registry = match &draft.version {
        Some(version) => registry_part(shared, &model, version, &ask, &mut draft.beware).await,
        None => RegistryDraft::default(),
    };
    if let Some(version) = &mut draft.version
        && version.registry.is_empty()
    {
        version.registry.clone_from(&registry.version);
    }
    draft.checks.extend(registry.checks);
    for check in checks::general(&shared.config, &operation, draft.version.as_ref()) {
        // A controller that looks at the same itself knows better.
        if draft.checks.iter().all(|known| known.id != check.id) {
            draft.checks.push(check);
        }
    }
    draft.requests.extend(registry.requests);
    draft.facts.extend(registry.facts);
    draft.beware.extend(registry.beware);
    draft.beware.extend(known_bad(&operation, &seen));
    who.identity.clone_from(&draft.identity);
    let share = draft.share.or_else(|| sight.as_ref()?.share);
    let confirm = confirm::rule(&operation, confirm::is_production(&shared.config, &target.system.0), &model);
    let plan = draft.plan(ActId(format!("a-{:08x}", shared.fresh())), &ask, who, evidence, confirm);
    let affects = affects(share, sight.as_ref().and_then(|sight| sight.rate), &target, &model);
    Ok(Box::new(Plan { affects, ..plan }))
}

/// The controller that plans for a target.
pub(super) fn controller_of<'a>(shared: &'a Shared, target: &Target) -> Result<&'a dyn Controller, Refusal> {
    shared.controllers.iter().map(AsRef::as_ref).find(|controller| controller.knows(target)).ok_or_else(
        || {
            Refusal::new(
                format!("wardroom has no way to act on {target} ({})", target.kind.word()),
                "act with its own tool",
            )
        },
    )
}

fn planning_limit(shared: &Shared) -> Duration {
    (shared.config.timeout.0 * 4).clamp(Duration::from_secs(5), Duration::from_secs(60))
}

/// What can be refused without asking anybody.
fn sensible(operation: &Operation, seen: &Rollout) -> Result<(), Refusal> {
    if let Operation::SetWeight { percent } = operation
        && !(percent.is_finite() && (0.0..=100.0).contains(percent))
    {
        return Err(Refusal::new(format!("{percent} is no share"), "write a percent from 0 to 100"));
    }
    match seen.refuses(operation) {
        None => Ok(()),
        Some(words) => Err(match words.split_once("; ") {
            Some((why, instead)) => Refusal::new(why, instead),
            None => Refusal::new(words, "nothing was sent"),
        }),
    }
}

async fn registry_part(
    shared: &Shared,
    model: &ModelId,
    version: &VersionMap,
    ask: &Ask,
    beware: &mut Vec<Beware>,
) -> RegistryDraft {
    let Some(registry) = &shared.registry else { return RegistryDraft::default() };
    let name = Version::new(&version.name);
    let part = tokio::time::timeout(planning_limit(shared), registry.plan(model, &name, ask)).await;
    let why = match part {
        Ok(Ok(part)) => return part,
        Ok(Err(refusal)) => refusal.to_string(),
        Err(_) => "it did not answer in time".into(),
    };
    beware.push(Beware { level: Level::Warning, text: format!("the registry is not moved: {why}") });
    RegistryDraft::default()
}

/// A warning when the version that is asked for was bad before.
fn known_bad(operation: &Operation, seen: &Rollout) -> Option<Beware> {
    let Operation::RollBack { to } = operation else { return None };
    let bad = seen
        .revisions
        .iter()
        .find(|revision| revision.version.as_ref() == Some(to) && !revision.known_bad.is_empty())?;
    Some(Beware { level: Level::Critical, text: format!("{to} is known to be bad: {}", bad.known_bad) })
}

fn affects(share: Option<f64>, rate: Option<f64>, target: &Target, model: &ModelId) -> String {
    let mut words = Vec::new();
    match (share, rate) {
        (Some(share), Some(rate)) => {
            words.push(format!("{share:.0} % of traffic, {:.1} req/s", rate * share / 100.0));
        }
        (Some(share), None) => words.push(format!("{share:.0} % of traffic")),
        (None, Some(rate)) => words.push(format!("{rate:.1} req/s")),
        (None, None) => words.push(format!("traffic of {model}, not measured")),
    }
    if !target.namespace.is_empty() {
        words.push(format!("namespace {}", target.namespace));
    }
    if !target.context.is_empty() {
        words.push(format!("context {}", target.context));
    }
    words.join(", ")
}
