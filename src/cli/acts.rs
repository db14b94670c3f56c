//! `wardroom acts`: what was done, what is unfinished, and how to go on verifying it.

use clap::Subcommand;
use serde_json::json;

use super::act::session::Session;
use super::act::{follow, name, pretty};
use super::args::{Common, Output};
use super::{identity, logging, out, settings, stage};
use crate::control;
use crate::domain::act::{Act, ActId, Stage, Wish};
use crate::domain::text::clean;

/// Options of `acts`.
#[derive(Debug, Clone, clap::Args)]
pub struct ActsArgs {
    /// What to do; list them when left out
    #[command(subcommand)]
    pub command: Option<ActsCommand>,
    /// The form of the answer
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// How many are listed at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
}

/// What `acts` does beside listing.
#[derive(Debug, Clone, Subcommand)]
pub enum ActsCommand {
    /// Take an unfinished act over: look what came of it, and verify or watch on. Sends nothing
    Verify {
        /// The act, such as a-3f9c21d4
        id: String,
        /// Also to the end of its watch
        #[arg(long)]
        watch: bool,
    },
    /// Close an unfinished act as it is, without looking
    Close {
        /// The act, such as a-3f9c21d4
        id: String,
    },
}

/// Runs it.
///
/// # Errors
/// A config that is wrong, a journal that cannot be read.
pub fn run(common: &Common, options: &ActsArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let mut config = settings::load(common).map_err(|error| error.to_string())?.config;
    let (id, wish, to_the_end) = match &options.command {
        None => return list(&config, options),
        Some(ActsCommand::Verify { id, watch }) => {
            let id = ActId(id.clone());
            (id.clone(), Wish::Verify(id), *watch)
        }
        Some(ActsCommand::Close { id }) => {
            let id = ActId(id.clone());
            (id.clone(), Wish::Close(id), false)
        }
    };
    let act = control::ledger(&config)?.act(&id).map_err(|error| error.to_string())?;
    let act = act.ok_or_else(|| format!("there is no act {id} in the journal; wardroom acts lists them"))?;
    name::only(&mut config, &act.plan.model);
    let runtime = stage::runtime()?;
    let code = runtime.block_on(async {
        let session = Session::start(config, identity::who("command line"))?;
        session.wish(wish).await?;
        follow::follow(session, &id, options.output, to_the_end).await
    });
    runtime.shutdown_timeout(stage::LAST_ORDERS);
    code
}

/// The unfinished first, then the newest.
fn list(config: &crate::config::Config, options: &ActsArgs) -> Result<u8, String> {
    let ledger = control::ledger(config)?;
    let error = |error: crate::records::LedgerError| error.to_string();
    let unfinished = ledger.unfinished().map_err(error)?;
    let is_left = |act: &Act| unfinished.iter().any(|left| left.plan.id == act.plan.id);
    let mut acts = ledger.acts(options.limit).map_err(error)?;
    acts.retain(|act| !is_left(act));
    let all: Vec<&Act> = unfinished.iter().chain(&acts).collect();
    if options.output == Output::Json {
        let rows: Vec<_> = all.iter().map(|act| json!({"unfinished": is_left(act), "act": act})).collect();
        out::say(&pretty(&json!({ "acts": rows }))?);
        return Ok(0);
    }
    if all.is_empty() {
        out::say("no act yet");
        return Ok(0);
    }
    out::say(&format!("{:<11} {:<20} {:<14} {:<11} {}", "ACT", "TIME (UTC)", "STATE", "WHO", "WHAT"));
    for act in all {
        let state = match (is_left(act), act.stage, &act.outcome) {
            (true, Stage::Watching, _) => "watch left".into(),
            (true, ..) => "UNFINISHED".into(),
            (_, _, Some(outcome)) => outcome.word().to_owned(),
            (_, stage, None) => format!("{stage:?}").to_lowercase(),
        };
        let who = clean(&act.plan.who.user, 11);
        let at = act.confirmed_at.format("%Y-%m-%d %H:%M:%S");
        out::say(&format!("{:<11} {at:<20} {state:<14} {who:<11} {}", act.plan.id.0, act.headline()));
    }
    if let Some(first) = unfinished.first() {
        out::say(&format!("wardroom acts verify {} goes on with it", first.plan.id));
    }
    Ok(0)
}
