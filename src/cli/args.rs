//! What can be written on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::duration::Span;

/// A war room for model rollouts in a terminal.
#[derive(Debug, Parser)]
#[command(name = "wardroom", version, about, long_about = None, max_term_width = 100)]
pub struct Args {
    /// Options of every subcommand.
    #[command(flatten)]
    pub common: Common,
    /// Options of the room itself.
    #[command(flatten)]
    pub room: RoomArgs,
    /// What to do; the war room itself when left out.
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// Options that may stand before or after the subcommand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// The config file [default: ./wardroom.toml, then the XDG config folder]
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The colours: default, light, colour-blind, high-contrast, mono, or a file
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// How often each source is polled, such as 15s
    #[arg(long, global = true, value_name = "SPAN")]
    pub refresh: Option<String>,
    /// Write the log to this file as well
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// Options of a room, be it of a config or of the demo.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
pub struct RoomArgs {
    /// Record what the room takes in, for `wardroom replay`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Only look, for the big screen: nothing can be planned or written
    #[arg(long)]
    pub spectate: bool,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Watch an embedded fleet in trouble, served over HTTP on loopback
    Demo(DemoArgs),
    /// Judge the fleet once and end with 0 ok, 1 warning, 2 critical, 3 unknown
    Check(CheckArgs),
    /// Compare two files of samples and end with 0 minimal or low, 1 moderate, 2 high or critical, 3 unknown
    Drift(DriftArgs),
    /// Print the screen as it would be drawn
    Snapshot(SnapshotArgs),
    /// Try every configured source and the terminal, and say what to do
    Doctor,
    /// Print a first config from what servers say
    Discover(DiscoverArgs),
    /// Judge a canary from recorded blocks: 0 promote or keep watching, 2 abort, 3 cannot tell
    Judge(JudgeArgs),
    /// Say how many requests it takes until a canary is known to be worse, or as good
    PlanSample(PlanSampleArgs),
    /// Read, verify or export the audit trail: verify ends with 0 intact, 2 changed, 3 cannot be read
    Audit(super::audit::AuditArgs),
    /// Hold a canary by hand
    Pause(super::act::How),
    /// Release what is held by hand, and nothing else
    Resume(super::act::How),
    /// Go on by one step, or to all traffic
    Promote(super::act::PromoteArgs),
    /// All traffic back to stable
    Abort(super::act::How),
    /// Try an aborted canary again
    Retry(super::act::How),
    /// Bring back a named version
    Rollback(super::act::RollbackArgs),
    /// Set the canary's share of traffic
    Weight(super::act::WeightArgs),
    /// List what was done, and go on verifying what was left unfinished
    Acts(super::acts::ActsArgs),
    /// Play a recorded room, or print its last frame
    Replay(super::replay::ReplayArgs),
    /// How the models did between two moments: predictions, latency, errors, KPIs, violations
    Report(super::report::ReportArgs),
    /// List, show or export incidents, and write into one
    Incident(super::incident::IncidentArgs),
    /// Practise a rollback: 0 verified and cleaned up, 1 not in time, 2 failed, 3 could not run or clean up
    Drill(super::drill::DrillArgs),
    /// The daily, weekly and monthly checks: what was verified, what a person must tick
    Checklist(super::checklist::ChecklistArgs),
    /// Say what is kept of what was seen, and how much room it takes
    History(super::history::HistoryArgs),
    /// Print an example, the schema, or the settings that hold
    Config {
        /// Which of them.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// What `config` prints.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// A commented example
    Example,
    /// The JSON schema
    Schema,
    /// Every setting that holds, with where it came from
    Show,
}

/// Options of the demo.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// How many models (to 10,000)
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub models: u32,
    /// Another number is another story
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// The story
    #[arg(long, default_value = "incident")]
    pub scenario: String,
    /// How fast the story goes
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// How often the room polls the demo's servers
    #[arg(long, value_parser = span, default_value = "1s")]
    pub interval: Duration,
    /// Only serve, and print a config for a second wardroom
    #[arg(long)]
    pub serve: bool,
    /// Options of the room.
    #[command(flatten)]
    pub room: RoomArgs,
    /// Panic in a worker after this time, to prove that the terminal is given back
    #[arg(long, value_parser = span, hide = true)]
    pub panic_after: Option<Duration>,
}

impl DemoArgs {
    /// With the options of the room that stood before the word `demo`.
    pub fn in_room(mut self, before: RoomArgs) -> Self {
        self.room.record = self.room.record.or(before.record);
        self.room.spectate |= before.spectate;
        self
    }
}

fn span(text: &str) -> Result<Duration, String> {
    text.parse::<Span>().map(|span| span.0)
}

/// Options of `check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// Only these models (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// The window of rates and percentiles, such as 24h
    #[arg(long, value_name = "SPAN")]
    pub since: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// The form of a headless answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// One JSON document.
    Json,
}

/// Options of `drift`.
#[derive(Debug, Clone, clap::Args)]
pub struct DriftArgs {
    /// Samples as they should be: CSV, JSON lines or Parquet
    #[arg(long, value_name = "FILE")]
    pub reference: PathBuf,
    /// Samples as they are now
    #[arg(long, value_name = "FILE")]
    pub current: PathBuf,
    /// Methods, separated by commas: ks, psi, js, kl, wasserstein, chi2
    #[arg(long, value_name = "LIST", default_value = "ks")]
    pub method: String,
    /// Features by group: sensor = ["spo2", "pulse"], as TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub groups: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Options of `judge`.
#[derive(Debug, Clone, clap::Args)]
pub struct JudgeArgs {
    /// Blocks, one JSON object a line; - reads standard input
    pub file: PathBuf,
    /// Print the verdict at every look, not only the last
    #[arg(long)]
    pub every: bool,
    /// The canary's configured share of traffic, such as 10%: checks the split
    #[arg(long, value_parser = share)]
    pub share: Option<f64>,
    /// How long a canary is watched before it may be promoted, such as 30m
    #[arg(long, value_parser = span)]
    pub soak: Option<Duration>,
    /// Ratio of latency beyond which to abort; 0 is any rise [default: 1.5]
    #[arg(long, value_name = "RATIO")]
    pub latency_margin: Option<f64>,
    /// Drop of accuracy beyond which to abort; 0 is any drop [default: 0.02]
    #[arg(long, value_name = "SHARE")]
    pub accuracy_margin: Option<f64>,
    /// Rise of the error rate beyond which to abort; 0 is any rise [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub errors_margin: Option<f64>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// A share as `10%` or `0.1`.
fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a share; write 10% or 0.1");
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map_err(|_| wrong())? / 100.0,
        None => text.trim().parse::<f64>().map_err(|_| wrong())?,
    };
    (value > 0.0 && value < 1.0).then_some(value).ok_or_else(wrong)
}

/// Options of `plan-sample`.
#[derive(Debug, Clone, clap::Args)]
pub struct PlanSampleArgs {
    /// What is watched
    #[arg(long, value_enum)]
    pub metric: PlannedMetric,
    /// The baseline: its error rate, its share of answers slower than a threshold, its accuracy
    #[arg(long, value_name = "SHARE")]
    pub baseline: f64,
    /// What is to be found: 3x as many bad requests, +1% or 1pts more of them
    #[arg(long, allow_hyphen_values = true)]
    pub effect: String,
    /// The canary's share of traffic, such as 10%
    #[arg(long, value_parser = share)]
    pub share: f64,
    /// All requests a second, to give times
    #[arg(long, value_name = "REQ/S")]
    pub rate: Option<f64>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// What `plan-sample` plans for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlannedMetric {
    /// Failed requests.
    Errors,
    /// Answers slower than a threshold.
    Latency,
    /// Wrong predictions.
    Accuracy,
}

/// Options of `snapshot`.
#[derive(Debug, Clone, clap::Args)]
pub struct SnapshotArgs {
    /// Columns and rows
    #[arg(long, default_value = "120x36", value_parser = size)]
    pub size: (u16, u16),
    /// Plain text, text with colours, or a picture
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Keys to press first, separated by commas: j,Enter
    #[arg(long, value_delimiter = ',')]
    pub keys: Vec<String>,
    /// Poll the sources for this long before the picture is taken, instead of one round
    #[arg(long, value_parser = span)]
    pub watch: Option<Duration>,
    /// Take the picture of the embedded demo fleet
    #[arg(long)]
    pub demo: bool,
}

/// The form of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Characters.
    Text,
    /// Characters and escape sequences.
    Ansi,
    /// A picture.
    Svg,
}

/// A size as `120x36`.
///
/// # Errors
/// Anything else.
pub fn size(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is not a size; write columns x rows, such as 120x36");
    let (columns, rows) = text.split_once(['x', '×']).ok_or_else(wrong)?;
    let read =
        |part: &str| part.trim().parse::<u16>().ok().filter(|n| (1..=1_000).contains(n)).ok_or_else(wrong);
    Ok((read(columns)?, read(rows)?))
}

/// Options of `discover`.
#[derive(Debug, Clone, clap::Args)]
pub struct DiscoverArgs {
    /// A Prometheus server
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<url::Url>,
    /// An MLflow server
    #[arg(long, value_name = "URL")]
    pub mlflow: Option<url::Url>,
    /// A kubeconfig: its rollouts become models
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig (may be repeated) [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Vec<String>,
    /// The environment's name in the config
    #[arg(long, default_value = "local")]
    pub environment: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn config_may_stand_before_or_after() {
        for words in
            [["wardroom", "--config", "a.toml", "check"], ["wardroom", "check", "--config", "a.toml"]]
        {
            let args = Args::parse_from(words);
            assert_eq!(args.common.config.as_deref(), Some(std::path::Path::new("a.toml")));
        }
    }

    #[test]
    fn options_of_the_room_may_stand_before_or_after_demo() {
        for words in [["wardroom", "--record", "a.tape", "demo"], ["wardroom", "demo", "--record", "a.tape"]]
        {
            let Args { task: Some(Task::Demo(demo)), room, .. } = Args::parse_from(words) else {
                panic!("{words:?}")
            };
            assert_eq!(demo.in_room(room).room.record.as_deref(), Some(std::path::Path::new("a.tape")));
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("120x36"), Ok((120, 36)));
        for wrong in ["", "120", "0x5", "ax5", "5000x1"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
