//! `wardroom history`.

use super::args::Common;

/// Options of `history`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryArgs {}

/// Runs it.
///
/// # Errors
/// It is not built yet.
pub fn run(_common: &Common, _options: &HistoryArgs) -> Result<u8, String> {
    Err("not built yet".into())
}
