//! What the usual tests say of a metric when it is looked at once, at a time set beforehand. For reading
//! only: looked at again and again they cry wolf, so nothing here decides.

use serde::{Deserialize, Serialize};

use super::words::percent;
use crate::stats::fixed::{effect_word, proportions};
use crate::stats::sequential::Arm;

/// Trials up to which the posterior is computed; above, its sum takes too long for a screen.
const BAYES_UP_TO: u64 = 200_000;

/// One look at two proportions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OnceOnly {
    /// z-test, against "equal".
    pub p_two_sided: f64,
    /// Fisher's exact test, against "not worse".
    pub fisher_p_worse: Option<f64>,
    /// Newcombe's 95 % interval of the difference, shares.
    pub newcombe95: [f64; 2],
    /// Cohen's h.
    pub cohen_h: f64,
    /// Posterior chance that the canary's rate is higher, uniform priors. Not protected against looking often.
    pub bayes_worse: Option<f64>,
}

/// Looks once. `None` without a trial in an arm.
pub fn look(canary: Arm, baseline: Arm) -> Option<OnceOnly> {
    let (c, b) = ((canary.events, canary.trials), (baseline.events, baseline.trials));
    let found = proportions::compare(c, b).ok()?;
    let small = canary.trials + baseline.trials <= BAYES_UP_TO;
    Some(OnceOnly {
        p_two_sided: found.p_two_sided,
        fisher_p_worse: found.fisher_p_worse,
        newcombe95: [found.newcombe95.0, found.newcombe95.1],
        cohen_h: found.cohen_h,
        bayes_worse: small.then(|| proportions::bayes_worse(c, b)),
    })
}

impl OnceOnly {
    /// `one look only: z-test p 0.0001, difference 0.4%..2.0%, effect small, Bayes 99 %`.
    pub fn words(&self) -> String {
        let p = match self.p_two_sided {
            p if p < 1e-15 => "<1e-15".into(),
            p if p < 0.001 => format!("{p:.0e}"),
            p => format!("{p:.3}"),
        };
        let [low, high] = self.newcombe95;
        let bayes = self.bayes_worse.map(|b| format!(", posterior {:.1} %", 100.0 * b)).unwrap_or_default();
        format!(
            "one look only: z-test p {p}, difference {}..{}, effect {}{bayes}",
            percent(low),
            percent(high),
            effect_word(self.cohen_h)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_that_it_is_for_one_look() {
        let once = look(Arm::new(15, 1_000), Arm::new(45, 9_000)).unwrap();
        assert_eq!(
            once.words(),
            "one look only: z-test p 1e-4, difference 0.4%..2.0%, effect negligible, posterior 100.0 %"
        );
        assert_eq!(look(Arm::default(), Arm::new(1, 2)), None);
    }
}
