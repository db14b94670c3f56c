//! What the route object says, beside what the controller says of it.

use serde_json::Value;

use super::state::State;
use crate::cluster::Resource;
use crate::control::kubernetes::Site;
use crate::control::kubernetes::object::Place;

const VIRTUAL_SERVICE: Resource = Resource {
    group: "networking.istio.io",
    version: "v1",
    kind: "VirtualService",
    plural: "virtualservices",
};
const HTTP_ROUTE: Resource =
    Resource { group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute", plural: "httproutes" };

/// The canary's share on a route.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Which route: `VirtualService m`.
    pub route: String,
    /// Percent.
    pub percent: f64,
}

/// The canary's share on each route that the Rollout names and that may be read, and why others cannot be.
pub async fn shares(site: &Site, namespace: &str, state: State<'_>) -> (Vec<Share>, Vec<String>) {
    let routing = state.0.pointer("/spec/strategy/canary/trafficRouting");
    let canary = state.0.pointer("/spec/strategy/canary/canaryService").and_then(Value::as_str);
    let (Some(routing), Some(canary)) = (routing, canary) else { return (Vec::new(), Vec::new()) };
    let (mut shares, mut unread) = (Vec::new(), Vec::new());
    for (resource, name, at) in routes(routing, namespace) {
        let place = Place::new(resource, &at, &name);
        let route = format!("{} {name}", resource.kind);
        match site.objects.get(&place.path()).await {
            Ok(object) => match share(&object, canary) {
                Some(percent) => shares.push(Share { route, percent }),
                None => unread.push(format!("{route} has no weight for {canary}")),
            },
            Err(fault) => unread.push(format!("{route} cannot be read: {fault}")),
        }
    }
    (shares, unread)
}

fn routes(routing: &Value, namespace: &str) -> Vec<(Resource, String, String)> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let mut found = Vec::new();
    let istio = routing.get("istio");
    let many = istio.and_then(|istio| istio.get("virtualServices")?.as_array());
    let one = istio.and_then(|istio| istio.get("virtualService"));
    for service in many.into_iter().flatten().chain(one) {
        if let Some(name) = text(service, "name") {
            // `name.namespace` is allowed here.
            let (name, at) = match name.split_once('.') {
                Some((name, at)) => (name.to_owned(), at.to_owned()),
                None => (name, namespace.to_owned()),
            };
            found.push((VIRTUAL_SERVICE, name, at));
        }
    }
    let gateway = routing.pointer("/plugins/argoproj-labs~1gatewayAPI");
    let at = gateway.and_then(|gateway| text(gateway, "namespace")).unwrap_or_else(|| namespace.to_owned());
    let one = gateway.and_then(|gateway| text(gateway, "httpRoute"));
    let many = gateway.and_then(|gateway| gateway.get("httpRoutes")?.as_array());
    let many = many.into_iter().flatten().filter_map(|route| text(route, "name"));
    found.extend(one.into_iter().chain(many).map(|name| (HTTP_ROUTE, name, at.clone())));
    found
}

/// The share of a service on a route, percent: weights are proportions. The largest of several rules.
fn share(route: &Value, service: &str) -> Option<f64> {
    let http = route.pointer("/spec/http").and_then(Value::as_array).into_iter().flatten();
    let rules = route.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let lists = http
        .filter_map(|rule| rule.get("route")?.as_array())
        .chain(rules.filter_map(|rule| rule.get("backendRefs")?.as_array()));
    let of = |list: &Vec<Value>| {
        let name = |one: &Value| {
            let host = one.pointer("/destination/host").or_else(|| one.get("name"))?.as_str()?;
            Some(host.split('.').next().unwrap_or(host).to_owned())
        };
        // An absent weight is 1 on an HTTPRoute and the rest on a VirtualService: alone it is everything.
        let weight = |one: &Value| one.get("weight").and_then(Value::as_f64).unwrap_or(1.0);
        let sum: f64 = list.iter().map(weight).sum();
        let ours = list.iter().find(|one| name(one).as_deref() == Some(service))?;
        (sum > 0.0).then(|| weight(ours) * 100.0 / sum)
    };
    lists.filter_map(of).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shares_are_proportions_of_the_worst_rule() {
        let route = |a: u32, b: u32| {
            json!([{"destination": {"host": "m-stable"}, "weight": a},
                   {"destination": {"host": "m-canary.ml.svc"}, "weight": b}])
        };
        let object = json!({"spec": {"http": [{"route": route(100, 0)}, {"route": route(3, 1)}]}});
        assert_eq!(share(&object, "m-canary"), Some(25.0));
        assert_eq!(share(&object, "other"), None);
        let gateway = json!({"spec": {"rules": [{"backendRefs": [{"name": "a"}, {"name": "b"}]}]}});
        assert_eq!(share(&gateway, "b"), Some(50.0));
    }

    #[test]
    fn every_named_route_is_found() {
        let routing = json!({"istio": {"virtualService": {"name": "m.mesh"}},
            "plugins": {"argoproj-labs/gatewayAPI": {"httpRoutes": [{"name": "r"}], "namespace": "gw"}}});
        let found: Vec<(String, String)> =
            routes(&routing, "ml").into_iter().map(|(_, name, at)| (name, at)).collect();
        assert_eq!(found, [("m".into(), "mesh".into()), ("r".into(), "gw".into())]);
    }
}
