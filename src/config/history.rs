//! What is kept of what was seen, where, and for how long.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Span;

/// One resolution of the kept series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// The distance of two points.
    pub step: Span,
    /// For how long they are kept.
    pub keep: Span,
}

/// The history on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// Keep nothing on disk: there is no past to go back to, and incidents live in their session.
    pub off: bool,
    /// The folder of the file; that of the journal (`control.folder`) when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The largest size of the file, MiB. Beyond it the oldest and coarsest goes first.
    pub max_mib: u64,
    /// The resolutions, the finest first; each step a multiple of the one before.
    pub tier: Vec<TierConfig>,
    /// How often the whole room is kept, apart from the series; also whenever something happens.
    pub frame: Span,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        let tier = |step, keep| TierConfig { step: Span::seconds(step), keep: Span::seconds(keep) };
        Self {
            off: false,
            folder: None,
            max_mib: 2_048,
            tier: vec![tier(15, 86_400), tier(60, 14 * 86_400), tier(600, 90 * 86_400)],
            frame: Span::seconds(60),
        }
    }
}
