//! What a Flagger Canary's spec asks for: interval, threshold, ladder, gates.

use serde_json::Value;

use crate::cluster::look;
use crate::domain::Step;

/// The analysis, under its name or its old one.
pub fn analysis(canary: &Value) -> Option<&Value> {
    canary
        .pointer("/spec/analysis")
        .or_else(|| canary.pointer("/spec/canaryAnalysis"))
        .filter(|a| a.is_object())
}

/// The time between two ticks, seconds: at least 10, 60 when it is not told.
pub fn interval_s(canary: &Value) -> f64 {
    let told = analysis(canary).map(|analysis| look::text(analysis, "/interval")).and_then(go_duration);
    told.map_or(60.0, |told| told.max(10.0))
}

/// A duration as Go writes it, seconds: `1m30s`, `500ms`.
pub(crate) fn go_duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let factor = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

/// How many checks may fail before Flagger rolls back.
pub fn threshold(canary: &Value) -> u32 {
    analysis(canary).and_then(|analysis| look::count(analysis, "/threshold")).filter(|&n| n > 0).unwrap_or(1)
}

/// The steps: `stepWeights`, or multiples of `stepWeight` up to `maxWeight`, or iterations; then the copy.
pub fn steps(canary: &Value) -> Vec<Step> {
    let Some(analysis) = analysis(canary) else { return vec![copy()] };
    let pause_s = Some(interval_s(canary));
    let step = |weight: f64| Step { weight, pause_s, runs: String::new() };
    let number = |pointer| look::number(analysis, pointer).unwrap_or(0.0);
    let mut steps: Vec<Step> = Vec::new();
    let listed = look::list(analysis, "/stepWeights");
    let by = number("/stepWeight");
    let most = number("/maxWeight").clamp(0.0, 100.0);
    let most = if most > 0.0 { most } else { 100.0 };
    if let Some(iterations) = look::count(analysis, "/iterations").filter(|&n| n > 0) {
        let whole = if look::list(analysis, "/match").is_empty() { 0.0 } else { 100.0 };
        steps.extend(
            (1..=iterations.min(200))
                .map(|n| Step { runs: format!("iteration {n} of {iterations}"), ..step(whole) }),
        );
    } else if by >= 1.0 {
        let mut weight = by;
        while weight < most && steps.len() < 100 {
            steps.push(step(weight));
            weight += by;
        }
        // The last step goes to the multiple that reaches the maximum, also beyond it.
        steps.push(step(weight.min(100.0)));
    } else {
        steps.extend(listed.iter().filter_map(Value::as_f64).map(|weight| step(weight.clamp(0.0, 100.0))));
    }
    steps.push(copy());
    steps
}

fn copy() -> Step {
    Step { weight: 100.0, pause_s: Some(0.0), runs: "copy to primary".into() }
}

/// A webhook of the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// Its type: `rollback`, `confirm-promotion`, …
    pub kind: String,
    /// Its address.
    pub url: String,
}

/// The first webhook of this type.
pub fn hook(canary: &Value, kind: &str) -> Option<Hook> {
    let hooks = look::list(analysis(canary)?, "/webhooks").iter();
    hooks.into_iter().find(|hook| look::text(hook, "/type") == kind).map(|hook| Hook {
        name: look::text(hook, "/name").to_owned(),
        kind: kind.to_owned(),
        url: look::text(hook, "/url").to_owned(),
    })
}

/// A gate of a load tester that the API server can reach: its path under `services/proxy`, without the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The tester's namespace.
    pub namespace: String,
    /// The tester's Service with scheme and port, as the API server's proxy wants it: `http:flagger-loadtester:80`.
    pub service: String,
    /// `gate` or `rollback`.
    pub door: String,
}

impl Gate {
    /// The gate behind a webhook's address; `None` when it is not a tester's check or not a Service with a namespace
    /// (a name alone is resolved where Flagger runs, which the Canary does not tell).
    pub fn behind(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (host, path) = rest.split_once('/')?;
        let (host, port) = match host.split_once(':') {
            Some((host, port)) => (host, port.parse::<u16>().ok()?),
            None => (host, if scheme == "https" { 443 } else { 80 }),
        };
        if !["http", "https"].contains(&scheme) || host.contains('@') {
            return None;
        }
        let door = match path.trim_end_matches('/') {
            "gate/check" => "gate",
            "rollback/check" => "rollback",
            _ => return None,
        };
        let parts: Vec<&str> = host.split('.').collect();
        let [service, namespace, rest @ ..] = parts.as_slice() else { return None };
        let fits =
            |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !fits(service) || !fits(namespace) || !(rest.is_empty() || rest[0] == "svc") {
            return None;
        }
        Some(Self {
            namespace: (*namespace).to_owned(),
            service: format!("{scheme}:{service}:{port}"),
            door: door.to_owned(),
        })
    }

    /// The path of a word (`open`, `close`, `check`) through the API server.
    pub fn path(&self, word: &str) -> String {
        format!("/api/v1/namespaces/{}/services/{}/proxy/{}/{word}", self.namespace, self.service, self.door)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ladder_ends_in_a_copy() {
        let weights = |analysis: Value| -> Vec<f64> {
            steps(&json!({"spec": {"analysis": analysis}})).iter().map(|step| step.weight).collect()
        };
        assert_eq!(weights(json!({"stepWeight": 25, "maxWeight": 50})), [25.0, 50.0, 100.0]);
        assert_eq!(weights(json!({"stepWeight": 20, "maxWeight": 50})), [20.0, 40.0, 60.0, 100.0]);
        assert_eq!(weights(json!({"stepWeights": [1, 10, 80]})), [1.0, 10.0, 80.0, 100.0]);
        assert_eq!(weights(json!({"iterations": 2})), [0.0, 0.0, 100.0]);
        assert_eq!(weights(json!({"stepWeight": 1e-9})), [100.0]);
        let old = steps(
            &json!({"spec": {"canaryAnalysis": {"stepWeight": 50, "maxWeight": 50, "interval": "1m30s"}}}),
        );
        assert_eq!((old.len(), old[0].pause_s), (2, Some(90.0)));
        assert_eq!(old[1].runs, "copy to primary");
    }

    #[test]
    fn defaults_are_flaggers() {
        let of = |analysis: Value| json!({"spec": {"analysis": analysis}});
        assert_eq!((interval_s(&of(json!({}))), threshold(&of(json!({})))), (60.0, 1));
        assert_eq!(interval_s(&of(json!({"interval": "2s"}))), 10.0);
        assert_eq!(interval_s(&of(json!({"interval": "soon"}))), 60.0);
        assert_eq!(threshold(&of(json!({"threshold": 0}))), 1);
    }

    #[test]
    fn gates_are_reached_through_the_api_server() {
        let gate = Gate::behind("http://flagger-loadtester.test/rollback/check").unwrap();
        assert_eq!(
            gate.path("open"),
            "/api/v1/namespaces/test/services/http:flagger-loadtester:80/proxy/rollback/open"
        );
        let gate = Gate::behind("https://lt.test.svc.cluster.local:8443/gate/check").unwrap();
        assert_eq!((gate.service.as_str(), gate.door.as_str()), ("https:lt:8443", "gate"));
        for odd in [
            "http://flagger-loadtester/gate/check",
            "http://lt.test/gate/approve",
            "http://gate.example.com/gate/check",
            "http://a@b.c/gate/check",
            "ftp://lt.test/gate/check",
            "http://lt.te st/gate/check",
            "nonsense",
        ] {
            assert_eq!(Gate::behind(odd), None, "{odd}");
        }
    }
}
