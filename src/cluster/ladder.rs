//! The ladder of weights where wardroom itself is the stepper: nothing moves there unless it is told to.

use crate::domain::{Rollout, Step};

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
