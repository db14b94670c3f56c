//! `wardroom checklist`.

use super::args::Common;

/// Options of `checklist`.
#[derive(Debug, Clone, clap::Args)]
pub struct ChecklistArgs {}

/// Runs it.
///
/// # Errors
/// It is not built yet.
pub fn run(_common: &Common, _options: &ChecklistArgs) -> Result<u8, String> {
    Err("not built yet".into())
}
