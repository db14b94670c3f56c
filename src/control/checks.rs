//! The checks that the engine itself looks at, beside the controller's: what users get, not what a controller says.

use crate::config::Config;
use crate::domain::act::{CheckPlan, Operation, VersionMap};

/// The names of these checks, in the order of the plan.
pub const GENERAL: [&str; 5] = ["version", "share", "samples", "errors", "metrics"];

/// What verification will look at beside the controller.
pub fn general(config: &Config, operation: &Operation, version: Option<&VersionMap>) -> Vec<CheckPlan> {
    let within_s = config.control.effective_within.as_secs_f64();
    let check = |id: &str, words: String, needed: bool, within_s: f64| CheckPlan {
        id: id.into(),
        words,
        needed,
        within_s,
    };
    let moves_traffic = matches!(
        operation,
        Operation::Promote
            | Operation::PromoteFull
            | Operation::Abort
            | Operation::RollBack { .. }
            | Operation::SetWeight { .. }
    );
    let mut checks = Vec::new();
    if let Some(version) = version {
        let name = &version.name;
        checks.push(check("version", format!("{name} answers at every endpoint"), true, within_s));
        checks.push(check("share", format!("measured: every request goes to {name}"), true, within_s));
        checks.push(check(
            "samples",
            format!("sample predictions equal the recorded ones of {name}"),
            true,
            within_s,
        ));
        checks.push(check("errors", format!("errors of {name} since then within the limit"), true, within_s));
    } else if moves_traffic {
        checks.push(check("share", "measured share as asked".into(), false, within_s));
        checks.push(check("errors", "errors since then within the limit".into(), false, within_s));
    }
    if moves_traffic {
        // A window that still holds requests from before says nothing of what was done.
        let settled = config.window.as_secs_f64() + within_s;
        checks.push(check(
            "metrics",
            "latency and errors settled inside their limits".into(),
            false,
            settled,
        ));
    }
    checks
}

/// Whether an act leads to a state that should stay, so that it is worth watching that it does. A canary that
/// its controller steps on by itself is meant to change.
pub fn is_watched(operation: &Operation, version: Option<&VersionMap>) -> bool {
    version.is_some() || matches!(operation, Operation::Pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_a_version_needs_the_users_side() {
        let config = Config::default();
        let version = VersionMap { name: "1.2.0".into(), ..VersionMap::default() };
        let checks = general(&config, &Operation::Abort, Some(&version));
        let needed: Vec<&str> = checks.iter().filter(|check| check.needed).map(|c| c.id.as_str()).collect();
        assert_eq!(needed, ["version", "share", "samples", "errors"]);
        assert!(checks.iter().all(|check| GENERAL.contains(&check.id.as_str())));
        assert!(general(&config, &Operation::Pause, None).is_empty(), "a hold moves no traffic");
    }
}
