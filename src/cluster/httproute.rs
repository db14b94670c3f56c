//! A Gateway API HTTPRoute with two weighted backends, stepped by wardroom.

use serde_json::Value;

use super::route::{self, Backend, Rule};
use super::{Around, Kind, Naming, Resource, look};
use crate::domain::{ControllerKind, Level, Rollout, Time};

/// Where HTTPRoutes live.
pub const HTTP_ROUTE: Resource =
    Resource { group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute", plural: "httproutes" };

/// Services of the core.
pub const SERVICES: Resource = Resource { group: "", version: "v1", kind: "Service", plural: "services" };

/// Argo Rollouts, which may own a route.
pub const ROLLOUTS: Resource =
    Resource { group: "argoproj.io", version: "v1alpha1", kind: "Rollout", plural: "rollouts" };

/// The kind.
pub struct HttpRoute;

/// The rules with their backends. Backends of another namespace or kind keep their full name.
pub fn rules(object: &Value) -> Vec<Rule> {
    let rules = look::list(object, "/spec/rules").iter().enumerate();
    rules
        .map(|(i, rule)| {
            let backends = look::list(rule, "/backendRefs").iter().enumerate().map(|(j, backend)| {
                let at = format!("/spec/rules/{i}/backendRefs/{j}");
                let written = backend.get("weight").and_then(Value::as_i64);
                let name = look::text(backend, "/name");
                let elsewhere = look::text(backend, "/namespace");
                let foreign = !elsewhere.is_empty() && elsewhere != look::namespace(object);
                Backend {
                    name: if foreign { format!("{elsewhere}/{name}") } else { name.to_owned() },
                    service: if foreign { String::new() } else { name.to_owned() },
                    proof: vec![(format!("{at}/name"), Value::from(name))],
                    pointer: format!("{at}/weight"),
                    written,
                    weight: written.unwrap_or(1).max(0),
                }
            });
            Rule { words: format!("rule {}", i + 1), backends: backends.collect() }
        })
        .collect()
}

/// What the gateways say that does not go well: each parent's `Accepted` and `ResolvedRefs`, when of this generation.
fn troubles(object: &Value) -> Vec<(Level, String)> {
    let generation = look::number(object, "/metadata/generation");
    let mut found = Vec::new();
    for parent in look::list(object, "/status/parents") {
        let gateway = look::text(parent, "/parentRef/name");
        for condition in look::list(parent, "/conditions") {
            let kind = look::text(condition, "/type");
            let holds = look::text(condition, "/status") == "True";
            let bad = if kind == "PartiallyInvalid" { holds } else { !holds };
            if look::number(condition, "/observedGeneration") < generation {
                found.push((Level::Unknown, format!("gateway {gateway} has not seen this generation")));
            } else if bad && ["Accepted", "ResolvedRefs", "PartiallyInvalid"].contains(&kind) {
                let words = look::text(condition, "/message");
                found.push((Level::Critical, format!("gateway {gateway}: {kind}: {words}")));
            }
        }
    }
    if look::list(object, "/status/parents").is_empty() {
        found.push((Level::Unknown, "no gateway says anything about this route".into()));
    }
    found.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    found.dedup();
    found
}

impl Kind for HttpRoute {
    fn controller(&self) -> ControllerKind {
        ControllerKind::HttpRoute
    }

    fn word(&self) -> &'static str {
        "httproute"
    }

    fn resource(&self) -> Resource {
        HTTP_ROUTE
    }

    fn companions(&self) -> &'static [Resource] {
        &[SERVICES, ROLLOUTS]
    }

    fn read(&self, object: &Value, around: &Around, naming: &Naming, _: Time) -> Option<Rollout> {
        let mut rollout = route::read("HTTPRoute", object, &rules(object), around, naming)?;
        rollout
            .conditions
            .extend(troubles(object).into_iter().map(|(level, words)| look::says(level, words)));
        rollout.conditions.sort_by_key(|condition| std::cmp::Reverse(condition.level));
        Some(rollout)
    }
}
