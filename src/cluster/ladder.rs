//! The ladder of weights where wardroom itself is the stepper: nothing moves there unless it is told to.

use super::look::percent;
use crate::domain::{Rollout, Situation, Step};

/// Two weights are the same within rounding of proportions.
const SAME: f64 = 0.05;

/// The steps of a ladder; the last one is all traffic.
pub fn steps(ladder: &[f64]) -> Vec<Step> {
    let mut weights: Vec<f64> =
        ladder.iter().copied().filter(|weight| weight.is_finite() && (0.0..100.0).contains(weight)).collect();
    weights.sort_by(f64::total_cmp);
    weights.dedup();
    weights.retain(|&weight| weight > 0.0);
    weights.push(100.0);
    weights.into_iter().map(|weight| Step { weight, pause_s: None, runs: String::new() }).collect()
}

/// The step that a weight has reached: the last one that is not above it; the number of steps at 100 %.
pub fn position(steps: &[Step], weight: f64) -> usize {
    if weight >= 100.0 - SAME {
        return steps.len();
    }
    steps.iter().filter(|step| step.weight <= weight + SAME).count().saturating_sub(1)
}

/// The next weight up, percent.
pub fn next(ladder: &[f64], weight: f64) -> Option<f64> {
    steps(ladder).into_iter().map(|step| step.weight).find(|&step| step > weight + SAME)
}

/// Says of a rollout that it stays at this weight until wardroom is told to move it.
pub fn stays(rollout: &mut Rollout, weight: f64) {
    rollout.situation = Situation::PausedByStep;
    rollout.waits = true;
    rollout.message = format!("stepped by wardroom, stays at {} until it is told", percent(weight));
}

/// Puts a rollout where the weight of its canary, which is there already, says it is. `after` says of the old version
/// what holds when all traffic has left it.
pub fn stand(rollout: &mut Rollout, weight: f64, after: &str) {
    let (old, Some(new)) = (rollout.stable.clone(), rollout.canary.clone()) else { return };
    if weight >= 100.0 - SAME {
        rollout.situation = Situation::Complete;
        rollout.message = format!("all traffic on {new}; {old} has weight 0{after}");
        rollout.stable = new;
        rollout.canary = None;
    } else if weight <= SAME {
        rollout.situation = Situation::Idle;
        rollout.message = format!("{new} has weight 0; P begins the ladder");
    } else {
        stays(rollout, weight);
    }
}

/// What can never be done where nothing advances by itself.
pub fn cannot(rollout: &mut Rollout) {
    let still = "nothing advances by itself: the weight stays where it is until P or a weight is given";
    for (verb, why) in [("pause", still), ("resume", "nothing is held here; P goes on to the next weight")] {
        rollout.cannot.push((verb.into(), why.into()));
    }
}

/// Every verb of [`crate::domain::act::Operation::verb`].
pub const VERBS: [&str; 8] =
    ["pause", "resume", "promote", "promote-full", "abort", "retry", "rollback", "weight"];

/// Says of every verb that it cannot be done, and why.
pub fn cannot_at_all(rollout: &mut Rollout, why: &str) {
    rollout.cannot = VERBS.iter().map(|verb| ((*verb).to_owned(), why.to_owned())).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Version;
    use crate::domain::act::Operation;

    #[test]
    fn a_weight_has_its_place_on_the_ladder() {
        let steps = steps(&[5.0, 10.0, 25.0, 50.0, 100.0]);
        for (weight, step) in
            [(0.0, 0), (5.0, 0), (7.0, 0), (10.0, 1), (49.9, 2), (50.0, 3), (99.0, 3), (100.0, 5)]
        {
            assert_eq!(position(&steps, weight), step, "{weight}");
        }
        assert_eq!(steps.len(), 5);
    }

    #[test]
    fn the_next_weight_is_above() {
        let ladder = [5.0, 25.0];
        assert_eq!(next(&ladder, 0.0), Some(5.0));
        assert_eq!(next(&ladder, 5.0), Some(25.0));
        assert_eq!(next(&ladder, 30.0), Some(100.0), "a ladder always ends at 100");
        assert_eq!(next(&ladder, 100.0), None);
        assert_eq!(next(&[f64::NAN, 0.0], 0.0), Some(100.0));
    }

    #[test]
    fn a_weight_says_where_the_rollout_stands() {
        let stand_at = |weight| {
            let mut rollout = Rollout::of("test", Version::new("1"));
            rollout.canary = Some(Version::new("2"));
            stand(&mut rollout, weight, "; bye");
            rollout
        };
        let (none, some, all) = (stand_at(0.0), stand_at(25.0), stand_at(99.96));
        assert_eq!((none.situation, none.waits), (Situation::Idle, false));
        assert_eq!((some.situation, some.waits), (Situation::PausedByStep, true));
        assert!(some.message.contains("25 %") && some.canary.is_some(), "{}", some.message);
        assert_eq!((all.situation, all.stable.as_str(), all.canary), (Situation::Complete, "2", None));
        assert_eq!(all.message, "all traffic on 2; 1 has weight 0; bye");
    }

    #[test]
    fn every_act_is_covered() {
        let acts = [
            Operation::Pause,
            Operation::Resume,
            Operation::Promote,
            Operation::PromoteFull,
            Operation::Abort,
            Operation::Retry,
            Operation::RollBack { to: Version::new("1") },
            Operation::SetWeight { percent: 1.0 },
        ];
        assert_eq!(acts.map(|act| act.verb()), VERBS);
    }
}
