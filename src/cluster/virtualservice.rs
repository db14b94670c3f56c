//! An Istio VirtualService with two weighted destinations, stepped by wardroom.

use serde_json::Value;

use super::httproute::{ROLLOUTS, SERVICES};
use super::route::{self, Backend, Rule};
use super::{Around, Kind, Naming, Resource, look};
use crate::domain::{ControllerKind, Rollout, Time};

/// Where VirtualServices live.
pub const VIRTUAL_SERVICE: Resource = Resource {
    group: "networking.istio.io",
    version: "v1",
    kind: "VirtualService",
    plural: "virtualservices",
};

/// Where the subsets of hosts are told.
pub const DESTINATION_RULES: Resource = Resource {
    group: "networking.istio.io",
    version: "v1",
    kind: "DestinationRule",
    plural: "destinationrules",
};

/// The kind.
pub struct VirtualService;

/// The rules with their destinations. A destination is called by its subset, else by the first part of its host.
pub fn rules(object: &Value) -> Vec<Rule> {
    let namespace = look::namespace(object);
    let rules = look::list(object, "/spec/http").iter().enumerate();
    rules
        .map(|(i, rule)| {
            let routes = look::list(rule, "/route");
            let alone = routes.len() == 1;
            let backends = routes.iter().enumerate().map(|(j, route)| {
                let at = format!("/spec/http/{i}/route/{j}");
                let (host, subset) =
                    (look::text(route, "/destination/host"), look::text(route, "/destination/subset"));
                let mut parts = host.split('.');
                let service = parts.next().unwrap_or_default();
                let foreign = parts.next().is_some_and(|elsewhere| elsewhere != namespace);
                let mut proof = vec![(format!("{at}/destination/host"), Value::from(host))];
                if !subset.is_empty() {
                    proof.push((format!("{at}/destination/subset"), Value::from(subset)));
                }
                let name = match (subset.is_empty(), foreign) {
                    (false, _) => subset,
                    (true, true) => host,
                    (true, false) => service,
                };
                let written = route.get("weight").and_then(Value::as_i64);
                Backend {
                    name: name.to_owned(),
                    service: if foreign { String::new() } else { service.to_owned() },
                    proof,
                    pointer: format!("{at}/weight"),
                    written,
                    // A lone destination gets everything; beside others, no weight is zero.
                    weight: written.unwrap_or(if alone { 100 } else { 0 }).max(0),
                }
            });
            let name = look::text(rule, "/name");
            let words = if name.is_empty() { format!("rule {}", i + 1) } else { format!("rule {name}") };
            Rule { words, backends: backends.collect() }
        })
        .collect()
}

impl Kind for VirtualService {
    fn controller(&self) -> ControllerKind {
        ControllerKind::VirtualService
    }

    fn word(&self) -> &'static str {
        "virtualservice"
    }

    fn resource(&self) -> Resource {
        VIRTUAL_SERVICE
    }

    fn companions(&self) -> &'static [Resource] {
        &[SERVICES, ROLLOUTS, DESTINATION_RULES]
    }

    fn read(&self, object: &Value, around: &Around, naming: &Naming, _: Time) -> Option<Rollout> {
        route::read("VirtualService", object, &rules(object), around, naming)
    }
}
