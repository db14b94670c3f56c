//! Tests for one look only: they are right when looked at once, at a time set beforehand. Nothing here may
//! decide about a rollout that is watched.

pub mod power;
pub mod proportions;
pub mod ranks;
pub mod welch;

/// Words for an effect size |d| or |h|: below 0.2, 0.5, 0.8, and above. Source: Cohen 1988.
pub fn effect_word(size: f64) -> &'static str {
    match size.abs() {
        size if size < 0.2 => "negligible",
        size if size < 0.5 => "small",
        size if size < 0.8 => "medium",
        _ => "large",
    }
}
