//! `wardroom snapshot`: prints the screen as it would be drawn.

use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::args::{Common, Format, SnapshotArgs};
use super::{fresh, logging, out, settings, stage};
use crate::app::{App, Msg, keymap, update};
use crate::config::{self, Loaded};
use crate::sources::poller;
use crate::store::Store;
use crate::view::{self, export};

/// Runs it.
///
/// # Errors
/// A config that is wrong, a key that is no key, a source that cannot be set up.
pub fn run(common: &Common, options: &SnapshotArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let runtime = stage::runtime()?;
    let mut demo = None;
    let loaded = if options.demo {
        let started = runtime
            .block_on(crate::demo::start(crate::demo::DemoOptions::default()))
            .map_err(|error| error.to_string())?;
        let text = started.config_toml();
        demo = Some(started);
        config::parse("demo", &text, &settings::flags(common)).map_err(|error| error.to_string())?
    } else {
        settings::load(common).map_err(|error| error.to_string())?
    };
    let store = runtime.block_on(observe(&loaded, options.watch))?;
    let look = fresh::look_for(&loaded, options.format != Format::Text)?;
    let text = draw(&loaded, store, options, &look)?;
    out::say(&text);
    if let Some(demo) = demo {
        demo.stop();
    }
    runtime.shutdown_timeout(stage::LAST_ORDERS);
    Ok(0)
}

/// One round of every source, or all rounds within a time.
async fn observe(loaded: &Loaded, watch: Option<Duration>) -> Result<Store, String> {
    let (mut store, mut sources) = stage::set(&loaded.config)?;
    let Some(watch) = watch else {
        for report in poller::poll_round(&mut sources, loaded.config.concurrency, stage::now).await {
            store.apply(&report);
        }
        store.tick(stage::now());
        return Ok(store);
    };
    let (sender, mut reports) = tokio::sync::mpsc::channel(1_024);
    let handle = poller::Poller::spawn(sources, poller::PollSettings::of(&loaded.config, stage::now), sender);
    let end = Instant::now() + watch;
    let mut ticked = Instant::now();
    while let Ok(Some(report)) =
        tokio::time::timeout(end.saturating_duration_since(Instant::now()), reports.recv()).await
    {
        store.apply(&report);
        // Once a second, as a room does: at every report, a slow machine would fall behind.
        if ticked.elapsed() >= Duration::from_secs(1) {
            ticked = Instant::now();
            store.tick(stage::now());
        }
    }
    store.tick(stage::now());
    handle.stop();
    Ok(store)
}

fn draw(
    loaded: &Loaded,
    mut store: Store,
    options: &SnapshotArgs,
    look: &view::look::Look,
) -> Result<String, String> {
    let map = settings::keymap(loaded).map_err(|error| error.to_string())?;
    let mut app: App = fresh::app_for(loaded, stage::now(), options.size, map);
    update(&mut app, &mut store, Msg::Tick(stage::now()));
    for key in &options.keys {
        let chord = keymap::Chord::parse(key)
            .ok_or_else(|| format!("--keys {key}: not a key; write a character, Enter, Tab, Esc, Down …"))?;
        update(&mut app, &mut store, Msg::Key(chord.press()));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, options.size.0, options.size.1));
    view::draw(&mut buffer, &app, &store, look);
    Ok(match options.format {
        Format::Text => export::to_text(&buffer),
        Format::Ansi => export::to_ansi(&buffer),
        Format::Svg => export::to_svg(&buffer, loaded.config.theme == "light"),
    })
}
