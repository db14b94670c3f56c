//! The command line: what each subcommand does, and how it ends.

pub mod args;
pub mod audit;
pub mod check;
pub mod demo;
pub mod discover;
pub mod doctor;
pub mod drift;
pub mod hands;
pub mod judge;
pub mod logging;
pub mod out;
pub mod plan_sample;
pub mod room;
pub mod settings;
pub mod snapshot;
pub mod stage;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, ConfigCommand, Task};
use out::say;

/// A config or a call that is wrong.
pub const WRONG_CALL: u8 = 2;
/// What `check` and `drift` say when nothing can be judged.
pub const UNKNOWN: u8 = 3;

/// Runs the program and gives its exit code.
pub fn run() -> ExitCode {
    crate::sources::http::install_tls();
    let args = match Args::try_parse() {
        Ok(args) => args,
        // 2 would read as critical, as much drift, as an abort, as a changed trail.
        Err(error)
            if error.use_stderr() && std::env::args().nth(1).is_some_and(|word| gives_verdict(&word)) =>
        {
            // A closed standard error leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(UNKNOWN);
        }
        Err(error) => error.exit(),
    };
    let is_verdict =
        matches!(args.task, Some(Task::Check(_) | Task::Drift(_) | Task::Judge(_) | Task::Audit(_)));
    match dispatch(args) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            out::complain(&message);
            // A broken config must never read as critical.
            ExitCode::from(if is_verdict { UNKNOWN } else { WRONG_CALL })
        }
    }
}

/// Whether a subcommand's exit code is a verdict.
fn gives_verdict(word: &str) -> bool {
    matches!(word, "check" | "drift" | "judge" | "audit")
}

fn dispatch(args: Args) -> Result<u8, String> {
    let Args { task, common } = args;
    match task {
        None => {
            let loaded = settings::load(&common).map_err(|error| error.to_string())?;
            room::run(&common, loaded, None)
        }
        Some(Task::Demo(options)) => demo::run(&common, options),
        Some(Task::Check(options)) => check::run(&common, &options),
        Some(Task::Judge(options)) => judge::run(&common, &options),
        Some(Task::PlanSample(options)) => plan_sample::run(&options),
        Some(Task::Drift(options)) => drift::run(&common, &options),
        Some(Task::Snapshot(options)) => snapshot::run(&common, &options),
        Some(Task::Doctor) => doctor::run(&common),
        Some(Task::Discover(options)) => discover::run(&common, &options),
        Some(Task::Audit(options)) => audit::run(&common, &options),
        Some(Task::Config { command }) => config(&common, &command),
    }
}

fn config(common: &args::Common, command: &ConfigCommand) -> Result<u8, String> {
    match command {
        ConfigCommand::Example => say(crate::config::show::EXAMPLE),
        ConfigCommand::Schema => {
            let schema =
                serde_json::to_string_pretty(&crate::config::show::schema()).map_err(|e| e.to_string())?;
            say(&schema);
        }
        ConfigCommand::Show => {
            let loaded = settings::load(common).map_err(|error| error.to_string())?;
            say(&crate::config::show::show(&loaded).map_err(|error| error.to_string())?);
        }
    }
    Ok(0)
}
