//! Where log lines go: into the log pane, or to standard error for headless work.

use std::fs::File;
use std::path::Path;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Our own rooms by their targets, and nothing of the libraries below a warning: their debug lines hold URLs.
fn targets(own: LevelFilter) -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("wardroom", own)
        .with_target("sources", own)
        .with_target("room", own)
        .with_target("demo", own)
}

/// Log lines for the room: the log pane, and a file when one is named.
///
/// # Errors
/// A log file that cannot be written.
pub fn for_room(file: Option<&Path>) -> Result<(), String> {
    // The logger itself drops lines that are older than its buffer; failing to start it loses only the pane.
    let _ = tui_logger::init_logger(tui_logger::LevelFilter::Info);
    let pane = tui_logger::TuiTracingSubscriberLayer.with_filter(targets(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(pane);
    start(registry, file)
}

/// Log lines for headless work: warnings to standard error, and everything to a file when one is named.
///
/// # Errors
/// A log file that cannot be written.
pub fn headless(file: Option<&Path>) -> Result<(), String> {
    let err = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .with_filter(targets(LevelFilter::WARN));
    let registry = tracing_subscriber::registry().with(err);
    start(registry, file)
}

/// Begins to log, to a file as well when one is named. Whatever logs already goes on: a second call changes nothing.
fn start<S>(registry: S, file: Option<&Path>) -> Result<(), String>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> + Send + Sync,
{
    match file {
        Some(path) => {
            let layer = file_layer(path)?;
            let _ = registry.with(layer.with_filter(targets(LevelFilter::DEBUG))).try_init();
        }
        None => {
            let _ = registry.try_init();
        }
    }
    Ok(())
}

fn file_layer<S>(path: &Path) -> Result<impl Layer<S>, String>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let file = File::options().create(true).append(true).open(path);
    let file = file.map_err(|error| {
        format!("--log-file {}: {error}; name a file in a folder that exists", path.display())
    })?;
    Ok(tracing_subscriber::fmt::layer().with_writer(file).with_ansi(false))
}
