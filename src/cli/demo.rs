//! `wardroom demo`: the embedded fleet, and the room that watches it.

use super::args::{Common, DemoArgs};
use super::{logging, out, room, settings, stage};
use crate::config;
use crate::demo::{self, DemoOptions};

/// Runs it.
///
/// # Errors
/// An unknown scenario, or loopback ports that cannot be had.
pub fn run(common: &Common, args: DemoArgs) -> Result<u8, String> {
    let options = options(&args)?;
    let runtime = stage::runtime()?;
    let demo = runtime.block_on(demo::start(options)).map_err(|error| error.to_string())?;
    let text = demo.config_toml();
    if args.serve {
        logging::headless(common.log_file.as_deref())?;
        out::say(&text);
        let ended = runtime.block_on(demo_end());
        demo.stop();
        runtime.shutdown_timeout(stage::LAST_ORDERS);
        return ended;
    }
    let mut loaded =
        config::parse("demo", &text, &settings::flags(common)).map_err(|error| error.to_string())?;
    // What is done to this fleet ends with it: no trace in the operator's own trail.
    loaded.config.control.folder = Some(demo.journal_folder());
    room::run(common, loaded, Some((demo, runtime)), &args.room)
}

/// The demo's options from the command line's.
///
/// # Errors
/// An unknown scenario or a speed that is no speed.
pub fn options(args: &DemoArgs) -> Result<DemoOptions, String> {
    if !(args.speed.is_finite() && args.speed > 0.0 && args.speed <= 1_000.0) {
        return Err(format!("--speed {}: write a number above 0 and up to 1000", args.speed));
    }
    Ok(DemoOptions {
        models: args.models as usize,
        seed: args.seed,
        scenario: args.scenario.parse()?,
        speed: args.speed,
        interval: args.interval,
        panic_after: args.panic_after,
    })
}

/// Waits for the end of a serving demo.
async fn demo_end() -> Result<u8, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let watch = |kind| signal(kind).map_err(|error| format!("cannot watch for signals: {error}"));
    let (mut interrupt, mut terminate, mut hangup) =
        (watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?, watch(SignalKind::hangup())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(0)
}
