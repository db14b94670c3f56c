//! Which way the score of a named method points, tool by tool: the same word means a p-value in one tool
//! and a distance in another.

use crate::domain::DriftScale;

/// Methods of NannyML as they end the names of its columns, the longer first.
pub const NANNYML: [&str; 6] =
    ["kolmogorov_smirnov", "jensen_shannon", "wasserstein", "l_infinity", "hellinger", "chi2"];

/// A method of Evidently: the short name that was chosen, or the name in words that a report before 0.7
/// and the default of 0.7 write.
pub fn evidently(method: &str) -> Option<DriftScale> {
    DriftScale::from_method(method).or_else(|| {
        Some(match method.to_ascii_lowercase().as_str() {
            "anderson-darling" | "cramer-von mises" | "epps-singleton" | "fisher's exact test" => {
                DriftScale::PValue
            }
            "g-test" | "mann-whitney u-rank test" | "t-test" | "total-variation-distance" => {
                DriftScale::PValue
            }
            _ => return None,
        })
    })
}

/// A method of NannyML. Its Wasserstein distance is in the feature's own unit and its chi-square is the
/// statistic: neither compares with anything, so they have no scale.
pub fn nannyml(method: &str) -> Option<DriftScale> {
    Some(match method.trim().to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
        "kolmogorov_smirnov" => DriftScale::Share,
        "jensen_shannon" => DriftScale::JensenShannon,
        "hellinger" => DriftScale::Hellinger,
        _ => return None,
    })
}
