//! `wardroom replay`.

use super::args::Common;

/// Options of `replay`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReplayArgs {}

/// Runs it.
///
/// # Errors
/// It is not built yet.
pub fn run(_common: &Common, _options: &ReplayArgs) -> Result<u8, String> {
    Err("not built yet".into())
}
