//! `wardroom incident`.

use super::args::Common;

/// Options of `incident`.
#[derive(Debug, Clone, clap::Args)]
pub struct IncidentArgs {}

/// Runs it.
///
/// # Errors
/// It is not built yet.
pub fn run(_common: &Common, _options: &IncidentArgs) -> Result<u8, String> {
    Err("not built yet".into())
}
