//! Routes that split traffic by weight: what an HTTPRoute and a VirtualService have in common.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::ladder;
use super::look::{self, percent};
use super::{Around, Naming};
use crate::domain::{Level, Revision, Rollout, Situation, Version};

/// One backend of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its name as a person says it: the Service, or the subset.
    pub name: String,
    /// The Service in the route's namespace that it is, empty when it is none of them.
    pub service: String,
    /// Where its name stands in the object, for the tests of a patch: JSON pointer and value.
    pub proof: Vec<(String, Value)>,
    /// Where its weight stands in the object.
    pub pointer: String,
    /// The weight as it is written; absent where it is not.
    pub written: Option<i64>,
    /// The weight that holds: the written one or the default.
    pub weight: i64,
}

/// One rule with its backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands: `rule 1`.
    pub words: String,
    /// Its backends in their order.
    pub backends: Vec<Backend>,
}

/// Two backends between which every weighted rule of a route splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Stable and canary of each weighted rule.
    pub pairs: Vec<(Backend, Backend)>,
    /// Rules that send everything to one backend, in words.
    pub fixed: Vec<String>,
}

impl Split {
    /// The canary's share, percent, when all rules agree.
    pub fn share(&self) -> Option<f64> {
        let mut shares = self.pairs.iter().map(|(stable, canary)| share(stable.weight, canary.weight));
        let first = shares.next()??;
        shares.all(|other| other.is_some_and(|other| (other - first).abs() < 0.05)).then_some(first)
    }

    /// The largest share of the canary in any rule, percent.
    pub fn largest(&self) -> f64 {
        let shares = self.pairs.iter().filter_map(|(stable, canary)| share(stable.weight, canary.weight));
        shares.fold(0.0, f64::max)
    }

    /// Names of the stable and the canary backend.
    pub fn names(&self) -> (&str, &str) {
        self.pairs.first().map_or(("", ""), |(stable, canary)| (&stable.name, &canary.name))
    }
}

/// The canary's share of two weights: they are proportions, not percents. None when both are zero.
pub fn share(stable: i64, canary: i64) -> Option<f64> {
    let sum = stable.checked_add(canary)?;
    #[expect(clippy::cast_precision_loss, reason = "weights end at 1 000 000")]
    (sum > 0).then(|| canary as f64 / sum as f64 * 100.0)
}

/// The annotation that names the canary among a route's two backends.
pub const CANARY_MARK: &str = "wardroom/canary";

/// The two backends that the rules split between; `None` when no rule has two.
///
/// # Errors
/// Why the weights cannot be moved: more than two backends, or rules that split between different ones.
pub fn split(rules: &[Rule], marked: Option<&str>) -> Option<Result<Split, String>> {
    let (weighted, single): (Vec<&Rule>, Vec<&Rule>) =
        rules.iter().filter(|rule| !rule.backends.is_empty()).partition(|rule| rule.backends.len() > 1);
    let first = weighted.first()?;
    if let Some(rule) = weighted.iter().find(|rule| rule.backends.len() > 2) {
        return Some(Err(format!(
            "{} has {} weighted backends; wardroom moves weights between two",
            rule.words,
            rule.backends.len()
        )));
    }
    let names = |rule: &Rule| rule.backends.iter().map(|backend| backend.name.clone()).collect::<Vec<_>>();
    let both = names(first);
    let canary = match canary_of(&both, marked) {
        Ok(canary) => canary,
        Err(why) => return Some(Err(why)),
    };
    let mut pairs = Vec::new();
    for rule in &weighted {
        let mut found = rule.backends.clone();
        if found[0].name == canary {
            found.swap(0, 1);
        }
        if found[1].name != canary || !both.contains(&found[0].name) {
            return Some(Err(format!(
                "{} splits between {}, {} between {}; wardroom moves rules together only between the same two",
                first.words,
                both.join(" and "),
                rule.words,
                names(rule).join(" and ")
            )));
        }
        let [stable, canary] = <[Backend; 2]>::try_from(found).ok()?;
        pairs.push((stable, canary));
    }
    let fixed =
        single.iter().map(|rule| format!("{} sends everything to {}", rule.words, rule.backends[0].name));
    Some(Ok(Split { pairs, fixed: fixed.collect() }))
}

/// Which of two backends is the canary: the marked one, else by its name, else the second.
fn canary_of(both: &[String], marked: Option<&str>) -> Result<String, String> {
    let [first, second] = both else { return Err("a rule must have two backends".into()) };
    if first == second {
        return Err(format!("both backends are called {first}"));
    }
    if let Some(marked) = marked {
        return if both.iter().any(|name| name == marked) {
            Ok(marked.to_owned())
        } else {
            Err(format!("the annotation {CANARY_MARK} names {marked}, which is no backend"))
        };
    }
    let is = |name: &str, word: &str| name == word || name.ends_with(&format!("-{word}"));
    let first_is_canary =
        (is(first, "canary") && !is(second, "canary")) || is(second, "stable") || is(second, "primary");
    Ok(if first_is_canary { first.clone() } else { second.clone() })
}

/// Who else sets the weights of a route, in words; empty when nobody.
pub fn owner(kind: &str, object: &Value, around: &Around) -> String {
    for owner in look::list(object, "/metadata/ownerReferences") {
        let (owner_kind, name) = (look::text(owner, "/kind"), look::text(owner, "/name"));
        if ["Canary", "InferenceService", "Rollout", "Ingress", "Route"].contains(&owner_kind) {
            return format!("{owner_kind} {name}");
        }
    }
    let (namespace, name) = (look::namespace(object), look::name(object));
    let rollouts = around.of("rollouts", namespace);
    let named = rollouts.filter(|rollout| routes_of(kind, rollout).contains(&name));
    let canaries = around.of("canaries", namespace).filter(|canary| {
        let service = look::text(canary, "/spec/service/name");
        name == if service.is_empty() { look::text(canary, "/spec/targetRef/name") } else { service }
    });
    let rollout = named.map(|rollout| format!("Rollout {}", look::name(rollout))).next();
    rollout
        .or_else(|| canaries.map(|canary| format!("Canary {}", look::name(canary))).next())
        .unwrap_or_default()
}

/// Names of the routes whose weights a Rollout sets.
fn routes_of<'a>(kind: &str, rollout: &'a Value) -> Vec<&'a str> {
    let Some(routing) = rollout.pointer("/spec/strategy/canary/trafficRouting") else { return Vec::new() };
    let mut names = Vec::new();
    match kind {
        "VirtualService" => {
            names.push(look::text(routing, "/istio/virtualService/name"));
            let several = look::list(routing, "/istio/virtualServices").iter();
            names.extend(several.map(|route| look::text(route, "/name")));
        }
        _ => {
            let plugin = "/plugins/argoproj-labs~1gatewayAPI";
            names.push(look::text(routing, &format!("{plugin}/httpRoute")));
            let several = look::list(routing, &format!("{plugin}/httpRoutes")).iter();
            names.extend(several.map(|route| look::text(route, "/name")));
        }
    }
    names
}

/// What a route means: two versions behind two backends, a weight, and a ladder that only wardroom climbs.
pub(super) fn read(
    kind: &'static str,
    object: &Value,
    rules: &[Rule],
    around: &Around,
    naming: &Naming,
) -> Option<Rollout> {
    let split = split(rules, look::annotation(object, CANARY_MARK))?;
    let owner = owner(kind, object, around);
    let split = match split {
        Ok(split) => split,
        Err(why) => {
            let mut rollout = Rollout::of(kind, Version::new(&rules.first()?.backends.first()?.name));
            ladder::cannot_at_all(&mut rollout, &why);
            rollout.conditions.push(look::says(Level::Warning, why));
            rollout.owner = owner;
            return Some(rollout);
        }
    };
    let version = |backend: &Backend| version_of(backend, object, around, naming);
    let (stable, canary) = split.pairs.first()?;
    let (old, new) = (version(stable), version(canary));
    let mut rollout = Rollout::of(kind, old.clone());
    rollout.steps = ladder::steps(&naming.ladder);
    place(&mut rollout, &split, &new);
    rollout.revisions = vec![revision(canary, &new, &rollout, true), revision(stable, &old, &rollout, false)];
    rollout.conditions.extend(
        split.fixed.iter().map(|words| look::says(Level::Unknown, format!("{words}; it is not moved"))),
    );
    if owner.is_empty() {
        ladder::cannot(&mut rollout);
    } else {
        let why = format!("{owner} sets these weights and would set them back; act on it instead");
        ladder::cannot_at_all(&mut rollout, &why);
        rollout.owner = owner;
        rollout.waits = false;
    }
    Some(rollout)
}

/// Puts a rollout where the weights say it is.
fn place(rollout: &mut Rollout, split: &Split, new: &Version) {
    let weight = split.share().unwrap_or_else(|| split.largest());
    rollout.asked = weight;
    rollout.set = Some(weight);
    rollout.step = ladder::position(&rollout.steps, weight);
    rollout.canary = Some(new.clone());
    let dead = split.pairs.iter().any(|(stable, canary)| share(stable.weight, canary.weight).is_none());
    if dead {
        rollout.situation = Situation::Degraded;
        rollout.message = "every backend of a rule has weight 0: it answers nobody".into();
    } else if split.share().is_none() {
        rollout.situation = Situation::PausedByStep;
        rollout.waits = true;
        let shares = split.pairs.iter().filter_map(|(stable, canary)| share(stable.weight, canary.weight));
        let shares: Vec<String> = shares.map(percent).collect();
        rollout.message = format!("the rules disagree: {}", shares.join(", "));
        rollout.conditions.push(look::says(Level::Warning, &rollout.message));
    } else {
        ladder::stand(rollout, weight, " and may still run");
    }
    rollout.phase = rollout.situation.phase();
}

fn revision(backend: &Backend, version: &Version, rollout: &Rollout, is_new: bool) -> Revision {
    let is_stable = rollout.stable == *version;
    Revision {
        hash: backend.name.clone(),
        version: Some(version.clone()),
        is_stable,
        is_canary: is_new && !is_stable,
        ..Revision::default()
    }
}

/// The model version behind a backend: of its Service (its labels, or what it selects), else its name.
fn version_of(backend: &Backend, object: &Value, around: &Around, naming: &Naming) -> Version {
    let namespace = look::namespace(object);
    let service = around.get("services", namespace, &backend.service);
    let subset = around.of("destinationrules", namespace).find_map(|rule| {
        let subsets = look::list(rule, "/spec/subsets").iter();
        subsets.into_iter().find(|subset| look::text(subset, "/name") == backend.name)
    });
    let from = &naming.version_from;
    let as_labels = |labels: Option<&Value>| {
        let labels = labels?.clone();
        look::version(&serde_json::json!({"metadata": {"labels": labels}}), from)
    };
    let by_subset = as_labels(subset.and_then(|subset| subset.get("labels")));
    let by_service = service.and_then(|service| {
        look::version(service, from).or_else(|| as_labels(service.pointer("/spec/selector")))
    });
    // Two subsets share one Service: its label would give both the same version.
    let by_service = if backend.name == backend.service { by_service } else { None };
    by_subset.or(by_service).unwrap_or_else(|| Version::new(&backend.name))
}
