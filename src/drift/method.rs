//! The methods that drift is measured by.

use std::str::FromStr;

use serde::Serialize;

use crate::domain::DriftScale;

/// A method. Each stands for one statistic of numbers and one of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Kolmogorov–Smirnov distance of numbers, total variation of categories: the share of rows that moved.
    Ks,
    /// Population stability index: over the reference's deciles, or over categories.
    Psi,
    /// Jensen–Shannon distance, base 2.
    Js,
    /// Kullback–Leibler divergence as Evidently computes it, nats.
    Kl,
    /// Wasserstein distance in reference standard deviations; numbers only.
    Wasserstein,
    /// Homogeneity test. Its level is that of the total variation: a test tells whether, never how much.
    Chi2,
}

impl Method {
    /// All of them, in the order of the help text.
    pub const ALL: [Self; 6] = [Self::Ks, Self::Psi, Self::Js, Self::Kl, Self::Wasserstein, Self::Chi2];

    /// The word on the command line and in machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ks => "ks",
            Self::Psi => "psi",
            Self::Js => "js",
            Self::Kl => "kl",
            Self::Wasserstein => "wasserstein",
            Self::Chi2 => "chi2",
        }
    }

    /// The scale of what levels are taken of: of the homogeneity test that of the total variation.
    pub fn scale(self) -> DriftScale {
        match self {
            Self::Ks | Self::Chi2 => DriftScale::Share,
            Self::Psi => DriftScale::Psi,
            Self::Js => DriftScale::JensenShannon,
            Self::Kl => DriftScale::Kl,
            Self::Wasserstein => DriftScale::Wasserstein,
        }
    }

    /// The methods named in words separated by commas, each once, in their order.
    ///
    /// # Errors
    /// A word that is no method, and which ones there are.
    pub fn list(words: &str) -> Result<Vec<Self>, String> {
        let mut all: Vec<Self> = Vec::new();
        for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let method = word.parse()?;
            if !all.contains(&method) {
                all.push(method);
            }
        }
        if all.is_empty() { Err(format!("names no method; write {}", known())) } else { Ok(all) }
    }
}

fn known() -> String {
    Method::ALL.map(Method::word).join(", ")
}

impl FromStr for Method {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|method| method.word().eq_ignore_ascii_case(word));
        found.ok_or_else(|| {
            let word = crate::domain::text::clean_name(word);
            format!("`{word}` is no drift method; write some of {}", known())
        })
    }
}
