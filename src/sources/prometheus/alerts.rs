//! Prometheus' own alerts: the pending ones, which no Alertmanager knows, and the firing ones where no
//! Alertmanager is configured.

use super::wire::RawAlert;
use crate::domain::{Alert, AlertState, Time};
use crate::sources::alertmanager::{Fleet, cleaned, is_hidden, severity, summary};
use crate::sources::lenient;

/// The alerts worth showing.
pub fn alerts(raw: Vec<RawAlert>, fleet: &Fleet, with_firing: bool, now: Time) -> Vec<Alert> {
    let alert = |raw: RawAlert| {
        let state = match raw.state.as_str() {
            "pending" => AlertState::Pending,
            "firing" if with_firing => AlertState::Firing,
            _ => return None,
        };
        let labels = cleaned(&raw.labels);
        let name = labels.get("alertname").cloned().unwrap_or_default();
        if is_hidden(&labels) {
            return None;
        }
        Some(Alert {
            fingerprint: fingerprint(&labels),
            summary: summary(&cleaned(&raw.annotations), &name),
            name,
            severity: severity(&labels),
            state,
            since: lenient::time(raw.active_at.as_deref()).unwrap_or(now),
            model: fleet.named(&labels),
            labels,
            silenced_by: Vec::new(),
        })
    };
    raw.into_iter().filter_map(alert).collect()
}

/// Prometheus gives its alerts no fingerprint; the labels are what makes them the same.
fn fingerprint(labels: &std::collections::BTreeMap<String, String>) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::prometheus::wire::{Envelope, RawAlerts};

    fn recorded(with_firing: bool) -> Vec<Alert> {
        let body = include_str!("../../../fixtures/prometheus/alerts.json");
        let envelope: Envelope<RawAlerts> = serde_json::from_str(body).unwrap();
        alerts(envelope.data().unwrap().alerts, &Fleet::default(), with_firing, Time::UNIX_EPOCH)
    }

    #[test]
    fn firing_ones_only_without_an_alertmanager() {
        assert!(recorded(false).iter().all(|alert| alert.state == AlertState::Pending));
        let all = recorded(true);
        assert!(all.iter().any(|alert| alert.name == "TargetDown" && alert.state == AlertState::Firing));
        assert!(all.iter().all(|alert| alert.name != "Watchdog"), "severity none is hidden");
        assert!(all.iter().all(|alert| alert.since > Time::UNIX_EPOCH), "nine digits of a second are read");
    }
}
