//! `wardroom drill`.

use super::args::Common;

/// Options of `drill`.
#[derive(Debug, Clone, clap::Args)]
pub struct DrillArgs {}

/// Runs it.
///
/// # Errors
/// It is not built yet.
pub fn run(_common: &Common, _options: &DrillArgs) -> Result<u8, String> {
    Err("not built yet".into())
}
