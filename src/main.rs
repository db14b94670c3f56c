//! The program `wardroom`: a thin shell around the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    wardroom::cli::run()
}
