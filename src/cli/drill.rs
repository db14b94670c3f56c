//! `wardroom drill`: practises a rollback from the fault to the clean-up, and says how long each part took.

pub mod companion;
mod left;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::args::{Common, Output, RoomArgs};
use super::{identity, logging, out, room, settings, stage};
use crate::config::{self, Config, Loaded};
use crate::demo::{self, DemoOptions};
use crate::domain::act::Who;
use crate::drill::keep::Drills;
use crate::drill::run::{Limits, run as drive};
use crate::drill::session::Session;
use crate::drill::stage::cluster::{ClusterStage, Fault, Means};
use crate::drill::stage::{Stage, demo::DemoStage};
use crate::drill::{Drill, Mark, Scenario, Setting};
use crate::records;
use companion::Companion;

/// It could not run, or could not clean up.
const NOT_DONE: u8 = 3;
/// Models of the demo of a drill: the one that matters among others.
const MODELS: usize = 4;
/// How often the room of a drill's demo asks.
const INTERVAL: Duration = Duration::from_millis(500);

/// Options of `drill`.
#[derive(Debug, Clone, clap::Args)]
pub struct DrillArgs {
    /// What is injected: latency-regression, error-burst, silent-quality-loss, drift, never-ready, registry-mismatch
    #[arg(long, value_name = "NAME", default_value = "latency-regression")]
    pub scenario: String,
    /// Where: the embedded demo, or CONTEXT/NAMESPACE of a cluster in the config that is not production
    #[arg(long, value_name = "demo|CONTEXT/NAMESPACE", default_value = "demo")]
    pub on: String,
    /// Let wardroom find it and roll back by what the room shows; without it you do, in the room
    #[arg(long)]
    pub auto: bool,
    /// Which model of the config, on a cluster [default: the first there]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// The image of the test version, on a cluster [default: the same image]
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// A label of the pod template that makes your test server misbehave, on a cluster
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "fault_annotation")]
    pub fault_label: Option<String>,
    /// The same as an annotation
    #[arg(long, value_name = "KEY=VALUE")]
    pub fault_annotation: Option<String>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Runs it. Exit code 0 verified and cleaned up, 1 not detected or not in time, 2 rollback or verification failed, 3
/// could not run or could not clean up.
///
/// # Errors
/// What keeps it from beginning: nothing was changed.
pub fn run(common: &Common, options: &DrillArgs) -> Result<u8, String> {
    let scenario: Scenario = options.scenario.parse()?;
    if options.auto {
        logging::headless(common.log_file.as_deref())?;
    } else if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Err("a drill without --auto is done in the room, which needs a terminal; add --auto".into());
    }
    match options.on.as_str() {
        "demo" => on_demo(common, options, scenario),
        _ => on_cluster(common, options, scenario),
    }
}

impl DrillArgs {
    /// How the test version misbehaves on a cluster.
    fn means(&self) -> Result<Means, String> {
        let given =
            [("labels", "label", &self.fault_label), ("annotations", "annotation", &self.fault_annotation)];
        let mut fault = None;
        for (kind, word, text) in given {
            let Some(text) = text else { continue };
            let (key, value) = text
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| format!("--fault-{word} {text}: write KEY=VALUE"))?;
            fault = Some(Fault { kind, key: key.into(), value: value.into() });
        }
        Ok(Means { fault, image: self.image.clone(), model: self.model.clone() })
    }
}

fn on_cluster(common: &Common, options: &DrillArgs, scenario: Scenario) -> Result<u8, String> {
    let mut loaded = settings::load(common).map_err(|error| error.to_string())?;
    if loaded.config.control.read_only {
        return Err("read-only: nothing is deployed or sent; set control.read_only = false".into());
    }
    let folder = records::folder(loaded.config.control.folder.as_deref());
    let drills = Drills::open(&folder.map_err(|error| error.to_string())?)?;
    let runtime = stage::runtime()?;
    runtime.block_on(left::clean(&drills))?;
    let id = fresh_id();
    let means = options.means()?;
    let set = ClusterStage::new(&loaded.config, &options.on, &id, scenario, &means);
    let set: Arc<dyn Stage> = Arc::new(runtime.block_on(set)?);
    loaded.config = set.config().clone();
    let code = Planned { set, drills: &drills, id, scenario, options }.hold(common, loaded, &runtime);
    runtime.shutdown_timeout(stage::LAST_ORDERS);
    code
}

fn on_demo(common: &Common, options: &DrillArgs, scenario: Scenario) -> Result<u8, String> {
    let drills = Drills::open(&records::folder(None).map_err(|error| error.to_string())?)?;
    let runtime = stage::runtime()?;
    runtime.block_on(left::clean(&drills))?;
    let wanted = DemoOptions {
        models: MODELS,
        scenario: demo::Scenario::Drill,
        interval: INTERVAL,
        ..DemoOptions::default()
    };
    let demo = runtime.block_on(demo::start(wanted)).map_err(|error| error.to_string())?;
    let mut loaded = config::parse("demo", &demo.config_toml(), &settings::flags(common))
        .map_err(|error| error.to_string())?;
    let id = fresh_id();
    // A trail of its own, which stays: an act on this fleet is no act of the operator's own trail.
    loaded.config.control.folder = Some(drills.journal(&id));
    let set = DemoStage::new(demo.stage_hand(), loaded.config.clone(), demo.folder());
    loaded.config = set.config().clone();
    let set: Arc<dyn Stage> = Arc::new(set);
    let code = Planned { set, drills: &drills, id, scenario, options }.hold(common, loaded, &runtime);
    demo.stop();
    runtime.shutdown_timeout(stage::LAST_ORDERS);
    code
}

/// A drill that has its stage and is not begun.
struct Planned<'a> {
    set: Arc<dyn Stage>,
    drills: &'a Drills,
    id: String,
    scenario: Scenario,
    options: &'a DrillArgs,
}

impl Planned<'_> {
    /// Holds it: by itself, or with a person.
    fn hold(self, common: &Common, loaded: Loaded, runtime: &Runtime) -> Result<u8, String> {
        match self.options.auto {
            true => runtime.block_on(headless(self)),
            false => in_the_room(self, common, loaded, runtime),
        }
    }
}

/// A drill with a person: the room is open, the keys are theirs.
fn in_the_room(
    planned: Planned<'_>,
    common: &Common,
    loaded: Loaded,
    runtime: &Runtime,
) -> Result<u8, String> {
    let Planned { set, drills, id, scenario, options } = planned;
    let unfinished = drills.begin(&id, set.undo())?;
    let drill = Drill::new(setting(&*set, id, scenario, options), stage::now());
    let (shows, shown) = watch::channel(drill.clone());
    // Held to the end: a sender that is gone would be a stop that never comes.
    let (_stop, stopped) = watch::channel(false);
    let (empty, _) = stage::set(&loaded.config)?;
    let (companion, eyes) = Companion::pair(empty, shown);
    let limits = Limits::of(false).with_starts(set.pods_start_s());
    let driving = runtime.spawn(drive(drill, set.clone(), eyes, stage::now, limits, shows, stopped));
    let left = room::run_beside(common, loaded, None, &RoomArgs::default(), Some(companion));
    // Whatever became of the room, the drill comes to its end and cleans up.
    let drill = runtime.block_on(driving).map_err(|why| why.to_string())?;
    let code = finish(&drill, &*set, drills, unfinished, options);
    left.and(code)
}

fn fresh_id() -> String {
    format!("d-{}-{:04x}", stage::now().format("%Y%m%d-%H%M%S"), rand::random::<u16>())
}

/// `user@host`.
fn person(who: &Who) -> String {
    if who.host.is_empty() { who.user.clone() } else { format!("{}@{}", who.user, who.host) }
}

/// What the drill is about.
fn setting(set: &dyn Stage, id: String, scenario: Scenario, options: &DrillArgs) -> Setting {
    let (stable, test) = set.versions();
    Setting {
        id,
        scenario,
        on: set.name(),
        auto: options.auto,
        by: person(&identity::who("drill")),
        model: set.model(),
        stable,
        test,
    }
}

/// A drill without a room: the automatic operator acts.
async fn headless(planned: Planned<'_>) -> Result<u8, String> {
    let Planned { set, drills, id, scenario, options } = planned;
    let unfinished = drills.begin(&id, set.undo())?;
    let config: Config = set.config().clone();
    let mut who = identity::who("drill");
    who.by = "drill, automatic".into();
    let (session, eyes) = Session::start(&config, who, stage::now)?;
    let drill = Drill::new(setting(&*set, id, scenario, options), stage::now());
    let (shows, mut shown) = watch::channel(drill.clone());
    let (stop, stopped) = watch::channel(false);
    let mut signals = Signals::watch()?;
    let ending = tokio::spawn(async move {
        signals.next().await;
        out::complain("the drill is interrupted: it cleans up first");
        // Nobody listens when it is over already.
        let _ = stop.send(true);
        // The sender lives as long as this: a drill that is asked twice still cleans up.
        std::future::pending::<()>().await;
    });
    let telling = (options.output == Output::Table).then(|| {
        tokio::spawn(async move {
            let mut said = Vec::new();
            while shown.changed().await.is_ok() {
                tell(&shown.borrow_and_update(), &mut said);
            }
        })
    });
    let limits = Limits::of(true).with_starts(set.pods_start_s());
    let drill = drive(drill, set.clone(), eyes, stage::now, limits, shows, stopped).await;
    if let Some(telling) = telling {
        // The last words are said before the report.
        let _ = telling.await;
    }
    ending.abort();
    session.end().await;
    finish(&drill, &*set, drills, unfinished, options)
}

/// Marks as they come, one line each.
fn tell(drill: &Drill, said: &mut Vec<String>) {
    let mut say = |words: String| {
        if !said.contains(&words) {
            out::say(&words);
            said.push(words);
        }
    };
    if drill.marks.last().is_none() {
        say(format!("{:>9}  {}", "", drill.phase.words()));
    }
    for mark in Mark::ALL {
        if let Some(seconds) = drill.marks.between(Mark::Injected, mark) {
            say(format!("{seconds:>7.2} s  {}", mark.words()));
        }
    }
}

/// Writes the report, and keeps the drill's line.
fn finish(
    drill: &Drill,
    set: &dyn Stage,
    drills: &Drills,
    unfinished: crate::drill::keep::Unfinished,
    options: &DrillArgs,
) -> Result<u8, String> {
    let limits = set.limits(drill.setting.scenario);
    let earlier: Vec<_> =
        drills.earlier().into_iter().filter(|line| line["on"] == drill.setting.on.as_str()).collect();
    match options.output {
        Output::Json => {
            let document = drill.document(&limits, &earlier);
            out::say(&serde_json::to_string_pretty(&document).map_err(|why| why.to_string())?);
        }
        Output::Table => out::say(&drill.table(&limits, &earlier)),
    }
    drills.append(&drill.line())?;
    if drill.cleaned == Some(Ok(())) {
        unfinished.done()?;
    }
    Ok(drill.exit_code().min(NOT_DONE))
}

/// The signals that end a drill early.
struct Signals([tokio::signal::unix::Signal; 3]);

impl Signals {
    fn watch() -> Result<Self, String> {
        use tokio::signal::unix::{SignalKind, signal};
        let watch = |kind| signal(kind).map_err(|error| format!("cannot watch for signals: {error}"));
        Ok(Self([
            watch(SignalKind::interrupt())?,
            watch(SignalKind::terminate())?,
            watch(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
