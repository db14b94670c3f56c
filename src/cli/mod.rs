//! The command line: what each subcommand does, and how it ends.

pub mod act;
pub mod acts;
pub mod args;
pub mod audit;
pub mod check;
pub mod checklist;
pub mod demo;
pub mod discover;
pub mod doctor;
pub mod drift;
pub mod drill;
pub mod fresh;
pub mod hands;
pub mod history;
pub mod identity;
pub mod incident;
pub mod judge;
pub mod logging;
pub mod memory;
pub mod out;
pub mod plan_sample;
pub mod recording;
pub mod replay;
pub mod report;
pub mod room;
pub mod settings;
pub mod snapshot;
pub mod stage;
pub mod ticks;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, ConfigCommand, RoomArgs, Task};
use out::say;

use crate::domain::act::Operation;

/// A config or a call that is wrong.
pub const WRONG_CALL: u8 = 2;
/// What `check` and `drift` say when nothing can be judged.
pub const UNKNOWN: u8 = 3;

/// Runs the program and gives its exit code.
pub fn run() -> ExitCode {
    crate::sources::http::install_tls();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            // A closed standard error leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(wrong_call(&task_of(std::env::args().skip(1))));
        }
        Err(error) => error.exit(),
    };
    let task = task_of(std::env::args().skip(1));
    match dispatch(args) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            out::complain(&message);
            ExitCode::from(wrong_call(&task))
        }
    }
}

/// The subcommand in the words of a call.
fn task_of(words: impl Iterator<Item = String>) -> String {
    let command = <Args as clap::CommandFactory>::command();
    let is_task = |word: &String| command.get_subcommands().any(|task| task.get_name() == word);
    words.into_iter().find(is_task).unwrap_or_default()
}

/// The exit code of a call or a config that is wrong, for a subcommand.
fn wrong_call(task: &str) -> u8 {
    match task {
        // 2 has a meaning of its own there: critical, much drift, an abort, a changed trail, a failed drill, …
        "check" | "drift" | "judge" | "audit" | "history" | "incident" | "checklist" | "drill" | "report" => {
            UNKNOWN
        }
        // 2 would read as sent and failed.
        "pause" | "resume" | "promote" | "abort" | "retry" | "rollback" | "weight" | "acts" => act::NOTHING,
        _ => WRONG_CALL,
    }
}

fn dispatch(args: Args) -> Result<u8, String> {
    let Args { task, common, room } = args;
    if !matches!(task, None | Some(Task::Demo(_))) && room != RoomArgs::default() {
        return Err(
            "--record and --spectate belong to a room: write them after wardroom or wardroom demo".into()
        );
    }
    match task {
        None => {
            let loaded = settings::load(&common).map_err(|error| error.to_string())?;
            room::run(&common, loaded, None, &room)
        }
        Some(Task::Demo(options)) => demo::run(&common, options.in_room(room)),
        Some(Task::Check(options)) => check::run(&common, &options),
        Some(Task::Judge(options)) => judge::run(&common, &options),
        Some(Task::PlanSample(options)) => plan_sample::run(&options),
        Some(Task::Drift(options)) => drift::run(&common, &options),
        Some(Task::Snapshot(options)) => snapshot::run(&common, &options),
        Some(Task::Doctor) => doctor::run(&common),
        Some(Task::Discover(options)) => discover::run(&common, &options),
        Some(Task::Audit(options)) => audit::run(&common, &options),
        Some(Task::Pause(how)) => act::run(&common, &how, Operation::Pause),
        Some(Task::Resume(how)) => act::run(&common, &how, Operation::Resume),
        Some(Task::Promote(options)) => options.run(&common),
        Some(Task::Abort(how)) => act::run(&common, &how, Operation::Abort),
        Some(Task::Retry(how)) => act::run(&common, &how, Operation::Retry),
        Some(Task::Rollback(options)) => options.run(&common),
        Some(Task::Weight(options)) => options.run(&common),
        Some(Task::Acts(options)) => acts::run(&common, &options),
        Some(Task::Replay(options)) => replay::run(&common, &options),
        Some(Task::Report(options)) => report::run(&common, &options),
        Some(Task::Incident(options)) => incident::run(&common, &options),
        Some(Task::Drill(options)) => drill::run(&common, &options),
        Some(Task::Checklist(options)) => checklist::run(&common, &options),
        Some(Task::History(options)) => history::run(&common, &options),
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
