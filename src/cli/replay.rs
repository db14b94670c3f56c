//! `wardroom replay`: plays a recorded room, prints one of its frames, or writes a copy with masked names. Needs no
//! config and no network.

mod viewer;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::args::{Common, Format, size};
use super::out;
use crate::app::{App, KeyMap, settle};
use crate::tape::{self, Player};
use crate::view::{self, Depth, Look, export};

/// Options of `replay`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReplayArgs {
    /// The recording
    pub file: PathBuf,
    /// How fast it is played, 0.1 to 1000
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Print the last frame and end
    #[arg(long)]
    pub snapshot: bool,
    /// Columns and rows of the printed frame [default: as recorded]
    #[arg(long, value_parser = size, requires = "snapshot")]
    pub size: Option<(u16, u16)>,
    /// The form of the printed frame
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "snapshot")]
    pub format: Format,
    /// Begin so many seconds into the recording, or print that moment's frame
    #[arg(long, value_name = "SECONDS")]
    pub at: Option<u32>,
    /// Write a copy to this new file with the names of models, places and people masked, and end
    #[arg(long, value_name = "OUT", conflicts_with_all = ["snapshot", "at"])]
    pub mask: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.1..=1_000.0).contains(speed));
    speed.ok_or_else(|| format!("`{text}` is not a speed; write a number from 0.1 to 1000"))
}

/// Runs it. A recording that is cut off is played up to its last whole block, with a warning.
///
/// # Errors
/// No recording, one of another form, or one whose first block is broken; no terminal to play it on.
pub fn run(common: &Common, options: &ReplayArgs) -> Result<u8, String> {
    let name = options.file.display();
    if let Some(copy) = &options.mask {
        let masked = tape::mask(&options.file, copy)?;
        warn(options, masked.cut.as_deref());
        out::say(&format!("{}: {} blocks, {} names masked", copy.display(), masked.blocks, masked.names));
        return Ok(0);
    }
    let mut player = Player::open(&options.file).map_err(|error| format!("replay: {error}"))?;
    match options.at {
        Some(seconds) => player.go_to(player.begins() + TimeDelta::seconds(i64::from(seconds))),
        None if options.snapshot => player.go_to_end(),
        None => {}
    }
    if !options.snapshot {
        let code = viewer::run(common, options, &mut player)?;
        warn(options, player.cut());
        return Ok(code);
    }
    let theme = common.theme.as_deref();
    let ascii = common.ascii || player.head().ascii;
    let depth = if options.format == Format::Text { Depth::Mono } else { Depth::Rgb };
    let (theme, look) = dress(theme, player.head().theme.as_str(), depth, ascii)?;
    let size = options.size.unwrap_or(player.scene().glance.size());
    let mut app = app(&player, size, &theme, ascii)?;
    app.mark = Some("REPLAY".into());
    player.show(&mut app, true);
    settle(&mut app, player.store());
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    view::draw(&mut buffer, &app, player.store(), &look);
    warn(options, player.cut());
    if let Some(since) = player.take_gap() {
        out::complain(&format!("{name}: nothing was recorded for a while after {since}"));
    }
    out::say(&match options.format {
        Format::Text => export::to_text(&buffer),
        Format::Ansi => export::to_ansi(&buffer),
        Format::Svg => export::to_svg(&buffer, theme == "light"),
    });
    Ok(0)
}

fn warn(options: &ReplayArgs, cut: Option<&str>) {
    if let Some(why) = cut {
        out::complain(&format!(
            "{}: {why}; played up to the last whole block before",
            options.file.display()
        ));
    }
}

/// The theme that was asked for; else the recorded one where it can be had here, else the default.
fn dress(asked: Option<&str>, recorded: &str, depth: Depth, ascii: bool) -> Result<(String, Look), String> {
    let load = |name: &str| Look::load(name, depth, ascii).map(|look| (name.to_owned(), look));
    match asked {
        Some(name) => load(name),
        None => load(recorded).or_else(|_| load("default")),
    }
    .map_err(|error| error.to_string())
}

/// A room for a recording, with the usual keys: nothing of this machine's config goes into it.
fn app(player: &Player, size: (u16, u16), theme: &str, ascii: bool) -> Result<App, String> {
    let map = KeyMap::new(&BTreeMap::new()).map_err(|error| error.to_string())?;
    let mut app = App::new(player.scene().now, size, map);
    app.theme = theme.to_owned();
    app.ascii = ascii;
    Ok(app)
}
