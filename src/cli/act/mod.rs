//! `wardroom pause|resume|promote|abort|retry|rollback|weight`: one act, from its plan to its proof.

mod ask;
pub mod follow;
pub mod name;
pub mod session;
mod show;

use super::args::{Common, Output};
use super::{identity, logging, out, settings};
use crate::config::Config;
use crate::config::duration::Span;
use crate::domain::Version;
use crate::domain::act::{Operation, Refusal, Wish};
use session::Session;

/// Refused, or nothing sent.
pub const NOTHING: u8 = 1;

/// Options of every act.
#[derive(Debug, Clone, clap::Args)]
pub struct How {
    /// The model as in the config, or CONTEXT/NAMESPACE/NAME
    pub model: String,
    /// Print the plan with every request, and send nothing
    #[arg(long)]
    pub plan: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Do not ask; needed without a terminal
    #[arg(long)]
    pub yes: bool,
    /// The model's name once more: needed in production for rollback and promote --full
    #[arg(long, value_name = "MODEL")]
    pub confirm: Option<String>,
    /// Watch on for this long after it is effective, and end with 2 when it did not last
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub watch: Option<Span>,
}

fn span(text: &str) -> Result<Span, String> {
    text.parse()
}

/// Options of `promote`.
#[derive(Debug, Clone, clap::Args)]
pub struct PromoteArgs {
    /// Options of every act.
    #[command(flatten)]
    pub how: How,
    /// All traffic to the canary, past every step that is left
    #[arg(long)]
    pub full: bool,
}

/// Options of `rollback`.
#[derive(Debug, Clone, clap::Args)]
pub struct RollbackArgs {
    /// Options of every act.
    #[command(flatten)]
    pub how: How,
    /// The version as it is named on screen
    #[arg(long, value_name = "VERSION")]
    pub to: String,
}

/// Options of `weight`.
#[derive(Debug, Clone, clap::Args)]
pub struct WeightArgs {
    /// Options of every act.
    #[command(flatten)]
    pub how: How,
    /// The canary's share of traffic, percent
    #[arg(value_name = "PERCENT", value_parser = percent)]
    pub percent: f64,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| format!("`{text}` is not a share; write a percent from 0 to 100"))
}

impl PromoteArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As [`run`].
    pub fn run(&self, common: &Common) -> Result<u8, String> {
        let operation = if self.full { Operation::PromoteFull } else { Operation::Promote };
        run(common, &self.how, operation)
    }
}

impl RollbackArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As [`run`].
    pub fn run(&self, common: &Common) -> Result<u8, String> {
        run(common, &self.how, Operation::RollBack { to: Version::new(&self.to) })
    }
}

impl WeightArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As [`run`].
    pub fn run(&self, common: &Common) -> Result<u8, String> {
        run(common, &self.how, Operation::SetWeight { percent: self.percent })
    }
}

/// Plans, asks, does, verifies.
///
/// # Errors
/// A config that is wrong, a model that is not there, a journal that cannot be written: nothing was sent.
pub fn run(common: &Common, how: &How, operation: Operation) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let mut config = settings::load(common).map_err(|error| error.to_string())?.config;
    let wanted = name::narrow(&mut config, &how.model)?;
    if let Some(watch) = how.watch {
        config.control.watch = watch;
    }
    if config.control.read_only {
        return refuse(
            how,
            &Refusal::new("read-only: nothing is planned or sent", "set control.read_only = false"),
        );
    }
    let runtime = super::stage::runtime()?;
    let code = runtime.block_on(act(config, how, operation, &wanted));
    runtime.shutdown_timeout(super::stage::LAST_ORDERS);
    code
}

async fn act(config: Config, how: &How, operation: Operation, wanted: &str) -> Result<u8, String> {
    let mut session = Session::start(config, identity::who("command line"))?;
    let model = session.seen(wanted).await?;
    let evidence = session.evidence(&model);
    let reason = how.reason.clone();
    let wish = Wish::Plan { number: 1, model, operation, reason, evidence, seen: None };
    session.wish(wish).await?;
    let plan = match session.planned().await? {
        Ok(plan) => plan,
        Err(refusal) => return refuse(how, &refusal),
    };
    if how.plan {
        match how.output {
            Output::Json => out::say(&pretty(&*plan)?),
            Output::Table => out::say(&show::plan(&plan)),
        }
        return Ok(0);
    }
    if how.output == Output::Table {
        out::say(&show::plan(&plan));
    }
    if let Err(refusal) = ask::confirmed(&plan, how.yes, how.confirm.as_deref(), &how.model)? {
        return refuse(how, &refusal);
    }
    let id = plan.id.clone();
    session.wish(Wish::Execute(plan)).await?;
    follow::follow(session, &id, how.output, how.watch.is_some()).await
}

fn refuse(how: &How, refusal: &Refusal) -> Result<u8, String> {
    match how.output {
        Output::Json => {
            let answer = serde_json::json!({"refused": refusal, "exit_code": NOTHING});
            out::say(&pretty(&answer)?);
        }
        Output::Table => out::complain(&refusal.to_string()),
    }
    Ok(NOTHING)
}

/// A document as text.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn pretty<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|why| why.to_string())
}
