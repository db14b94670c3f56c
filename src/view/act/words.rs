//! Words that several parts of the screen say about acts.

use crate::app::App;
use crate::app::acting;
use crate::domain::act::{Plan, VersionMap, Who};
use crate::domain::{Rollout, act::Operation};
use crate::store::{ModelState, Store};
use crate::view::text;

/// A stopwatch: `3.2 s`, `1:07`.
pub fn seconds(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

/// `Roll back alzheimer to 1.2.0`
pub fn title(plan: &Plan) -> String {
    let name = text::cut(&plan.model.name, 32);
    let to = match &plan.operation {
        Operation::RollBack { to } => format!(" to {to}"),
        Operation::SetWeight { percent } => format!(" to {percent} %"),
        _ => String::new(),
    };
    format!("{} {name}{to}", plan.operation.title())
}

/// `1.2.0 = revision 7, 5f6d8c, registry version 12`
pub fn version(map: &VersionMap) -> String {
    let mut names = Vec::new();
    if let Some(revision) = map.revision {
        names.push(format!("revision {revision}"));
    }
    if !map.hash.is_empty() {
        names.push(map.hash.clone());
    }
    if !map.registry.is_empty() {
        names.push(format!("registry version {}", map.registry));
    }
    if names.is_empty() { map.name.clone() } else { format!("{} = {}", map.name, names.join(", ")) }
}

/// `sre@bastion from 10.0.0.7, in the cluster oidc:sre`
pub fn who(who: &Who) -> String {
    let mut words = who.user.clone();
    if !who.host.is_empty() {
        words.push_str(&format!("@{}", who.host));
    }
    if !who.origin.is_empty() {
        words.push_str(&format!(" from {}", who.origin));
    }
    if !who.identity.is_empty() {
        words.push_str(&format!(", to the controller {}", who.identity));
    }
    words
}

/// How a rollout differs from how it was seen, in what an operator decides on.
pub fn moved(seen: &Rollout, now: &Rollout) -> Option<String> {
    let mut words = Vec::new();
    if seen.canary != now.canary || seen.stable != now.stable {
        let name = |rollout: &Rollout| match &rollout.canary {
            Some(canary) => format!("{} beside {}", canary, rollout.stable),
            None => rollout.stable.to_string(),
        };
        words.push(format!("{} became {}", name(seen), name(now)));
    }
    if (seen.asked - now.asked).abs() > 0.05 {
        words.push(format!("{:.0} % became {:.0} %", seen.asked, now.asked));
    }
    if seen.situation != now.situation {
        words.push(format!("{} became {}", seen.situation.word(), now.situation.word()));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// A path of which the end is kept: `…/rollouts/alzheimer/status`.
pub fn from_the_left(path: &str, columns: usize, mark: &str) -> String {
    if text::width(path) <= columns {
        return path.to_owned();
    }
    let bare = path.split('?').next().unwrap_or_default();
    if text::width(bare) <= columns {
        return bare.to_owned();
    }
    // Whole segments read better; the cut goes through one only when even the last is too long.
    let mut kept = "";
    for (at, _) in bare.match_indices('/').rev() {
        let tail = &bare[at..];
        if text::width(tail) + text::width(mark) > columns {
            break;
        }
        kept = tail;
    }
    if !kept.is_empty() {
        return format!("{mark}{kept}");
    }
    let mut out = String::new();
    for c in bare.chars().rev() {
        if text::width(&out) + text::width(&c.to_string()) + text::width(mark) > columns {
            break;
        }
        out.insert(0, c);
    }
    format!("{mark}{out}")
}

/// What has been done about a model.
pub fn done(app: &App, store: &Store, model: &ModelState) -> String {
    acting::done(app, store, &model.id).unwrap_or_else(|| "Nothing has been done.".into())
}

/// `1 act in flight: abort alzheimer 3.2 s`; nothing when none is.
pub fn in_flight(app: &App, short: bool) -> Option<String> {
    let acts: Vec<_> = acting::in_flight(app).collect();
    let newest = acts.last()?;
    let lasted = seconds((app.clock() - newest.confirmed_at).as_seconds_f64());
    let key = app.keymap.key(crate::app::Action::Acts);
    let name = text::cut(&newest.headline(), 32);
    Some(match (acts.len(), short) {
        (1, true) => format!("{} {lasted}", newest.plan.operation.verb()),
        (n, true) => format!("{n} acts {lasted}"),
        (1, false) => format!("1 act in flight: {name} {lasted} ({key})"),
        (n, false) => format!("{n} acts in flight: {name} {lasted} ({key})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_their_end() {
        let path = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/alzheimer/status?fieldManager=wardroom";
        assert_eq!(from_the_left(path, 200, "…"), path);
        assert_eq!(from_the_left(path, 29, "…"), "…/rollouts/alzheimer/status");
        assert_eq!(from_the_left(path, 20, "…"), "…/alzheimer/status");
        assert_eq!(from_the_left(path, 5, "…"), "…atus");
        for columns in 0..100 {
            assert!(text::width(&from_the_left(path, columns, "…")) <= columns.max(1), "{columns}");
        }
    }

    #[test]
    fn a_stopwatch_has_tenths_for_a_minute() {
        assert_eq!(
            [0.04, 3.21, 59.9, 59.96, 67.0, 300.4].map(seconds),
            ["0.0 s", "3.2 s", "59.9 s", "0:59", "1:07", "5:00"]
        );
    }

    #[test]
    fn what_moved_is_named() {
        use crate::domain::{Situation, Version};
        let seen = Rollout { asked: 25.0, ..Rollout::of("argo", Version::new("1")) };
        assert_eq!(moved(&seen, &seen.clone()), None);
        let now = Rollout { asked: 50.0, situation: Situation::Progressing, ..seen.clone() };
        assert_eq!(moved(&seen, &now).unwrap(), "25 % became 50 %, idle became progressing");
    }
}
