//! The room on a recording: the recorded operator's view is followed until the viewer takes over.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use super::{ReplayArgs, app, dress};
use crate::app::keymap::Chord;
use crate::app::{Action, App, Dialog, Effect, Msg, settle, update};
use crate::cli::args::Common;
use crate::cli::{fresh, stage};
use crate::domain::Level;
use crate::tape::Player;
use crate::terminal::{self, Ending, Input, Options, Terminal};
use crate::view::{self, Depth, Look};

/// Between two frames of a running tape.
const FRAME: Duration = Duration::from_millis(50);
/// A small and a big jump, seconds.
const JUMPS: (i64, i64) = (10, 60);
/// How long a word to the viewer stands.
const WORD: Duration = Duration::from_secs(6);

/// Plays it in the terminal until the viewer leaves; gives the exit code.
pub fn run(common: &Common, options: &ReplayArgs, player: &mut Player) -> Result<u8, String> {
    let variable = |name: &str| std::env::var(name).ok();
    let capabilities = terminal::detect_here(&variable).map_err(|refusal| refusal.to_string())?;
    let ascii = common.ascii || !capabilities.unicode;
    let depth = fresh::depth_of(capabilities.colours);
    let (theme, look) = dress(common.theme.as_deref(), player.head().theme.as_str(), depth, ascii)?;
    let runtime = stage::runtime()?;
    terminal::install_panic_hook(|| false);
    let (inputs, from_terminal) = mpsc::channel(256);
    let terminal = Terminal::enter(Options { mouse: false }, inputs).map_err(|error| error.to_string())?;
    let mut app = app(player, terminal.size(), &theme, ascii)?;
    app.mouse = false;
    let mut viewer = Viewer {
        app,
        player,
        look,
        depth,
        terminal,
        speed: options.speed,
        paused: false,
        follows: true,
        word: None,
        ran: Instant::now(),
        dirty: true,
    };
    viewer.greet();
    let code = runtime.block_on(viewer.live(from_terminal));
    viewer.terminal.leave();
    runtime.shutdown_timeout(stage::LAST_ORDERS);
    Ok(code)
}

struct Viewer<'a> {
    app: App,
    player: &'a mut Player,
    look: Look,
    depth: Depth,
    terminal: Terminal,
    speed: f64,
    paused: bool,
    /// Whether the recorded operator's view is shown.
    follows: bool,
    /// A word to the viewer, and since when it stands.
    word: Option<(String, Level, Instant)>,
    /// When the tape ran last.
    ran: Instant,
    dirty: bool,
}

impl Viewer<'_> {
    async fn live(&mut self, mut inputs: mpsc::Receiver<Input>) -> u8 {
        loop {
            self.run_on();
            self.paint();
            tokio::select! {
                biased;
                input = inputs.recv() => {
                    let Some(input) = input else { return 0 };
                    if let Some(code) = self.take(input) {
                        return code;
                    }
                }
                () = tokio::time::sleep(FRAME) => {}
            }
        }
    }

    fn greet(&mut self) {
        match self.player.cut() {
            Some(why) => {
                let why = format!("the recording is cut: {why}");
                self.say(why, Level::Warning);
            }
            None => self.say("Space pauses, Left and Right jump 10 s, q leaves", Level::Ok),
        }
    }

    fn say(&mut self, text: impl Into<String>, level: Level) {
        self.word = Some((text.into(), level, Instant::now()));
        self.dirty = true;
    }

    /// Lets the tape run for the time that passed.
    fn run_on(&mut self) {
        let passed = self.ran.elapsed().as_secs_f64() * self.speed;
        self.ran = Instant::now();
        if self.word.as_ref().is_some_and(|(_, _, since)| since.elapsed() > WORD) {
            self.word = None;
            self.dirty = true;
        }
        if self.paused || self.player.is_over() {
            return;
        }
        // Microseconds are exact for centuries.
        let step = TimeDelta::microseconds((passed * 1e6) as i64);
        let to = self.player.position().checked_add_signed(step);
        self.player.run_to(to.unwrap_or(self.player.ends()));
        self.dirty = true;
        if let Some(since) = self.player.take_gap() {
            let since = since.format("%H:%M:%S");
            self.say(format!("nothing was recorded from {since}Z until here"), Level::Warning);
        }
    }

    fn paint(&mut self) {
        if !self.dirty || !self.terminal.is_idle() {
            return;
        }
        self.player.show(&mut self.app, self.follows);
        self.app.mark = Some(self.mark());
        if let Some((text, level, _)) = &self.word {
            self.app.say(text.clone(), *level);
        } else if !self.follows {
            self.app.message = None;
        }
        settle(&mut self.app, self.player.store());
        let (columns, rows) = self.app.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let cursor = view::draw(&mut buffer, &self.app, self.player.store(), &self.look);
        self.dirty = !self.terminal.present(buffer, cursor);
    }

    fn mark(&self) -> String {
        let state = match (self.player.is_over(), self.paused) {
            (true, _) => " end",
            (false, true) => " paused",
            (false, false) => "",
        };
        format!("REPLAY {}x{state}", self.speed)
    }

    fn take(&mut self, input: Input) -> Option<u8> {
        self.dirty = true;
        match input {
            Input::Key(key) => return self.press(key),
            Input::Mouse(event) => {
                self.own_view();
                return self.give(Msg::Mouse(event));
            }
            Input::Paste(text) if !self.follows => return self.give(Msg::Paste(text)),
            Input::Paste(_) | Input::Drained { .. } => {}
            Input::Resize { cols, rows } => {
                self.app.size = (cols, rows);
                self.terminal.repaint();
            }
            Input::Suspend => self.terminal.suspend(),
            Input::Resumed => {
                self.terminal.resume();
                self.app.size = self.terminal.size();
                self.ran = Instant::now();
            }
            Input::Signal(Ending::Interrupt) => return Some(130),
            Input::Signal(Ending::Terminate) => return Some(143),
            Input::Signal(Ending::Hangup) | Input::Gone => return Some(129),
        }
        None
    }

    fn press(&mut self, key: crate::app::keymap::Press) -> Option<u8> {
        let writes = !self.follows && self.app.is_typing();
        let action = self.app.keymap.action(&key).filter(|_| !writes);
        let is = |name: &str| !writes && Chord::parse(name) == Some(Chord::of(&key));
        match action {
            _ if is("Space") => {
                self.paused = !self.paused;
                return None;
            }
            _ if is("f") => {
                self.follows = true;
                self.say("the recorded operator's view", Level::Ok);
                return None;
            }
            Some(Action::Earlier) => self.player.go_by(-JUMPS.0),
            Some(Action::Later) => self.player.go_by(JUMPS.0),
            Some(Action::MuchEarlier) => self.player.go_by(-JUMPS.1),
            Some(Action::MuchLater) => self.player.go_by(JUMPS.1),
            Some(Action::Live) => self.player.go_to_end(),
            Some(Action::Quit) => return Some(0),
            Some(action) if is_refused(action) => self.refuse(),
            _ => {
                self.own_view();
                return self.give(Msg::Key(key));
            }
        }
        self.ran = Instant::now();
        None
    }

    /// From now on the viewer looks where they want.
    fn own_view(&mut self) {
        if self.follows {
            self.follows = false;
            self.app.dialog = Dialog::None;
            self.say("your own view; f follows the recorded one again", Level::Ok);
        }
    }

    fn refuse(&mut self) {
        self.say("this is a recording: nothing can be done or written in it", Level::Warning);
    }

    fn give(&mut self, msg: Msg) -> Option<u8> {
        let before = self.app.clone();
        let generation = self.player.store().generation;
        let effects = update(&mut self.app, self.player.store_mut(), msg);
        if let Some(message) = self.app.message.take() {
            self.say(message.text, message.level);
        }
        if self.player.store().generation != generation {
            // A note: the recording stays as it is.
            self.player.again();
            self.refuse();
        }
        for effect in effects {
            match effect {
                Effect::Quit => return Some(0),
                Effect::Redraw => self.terminal.repaint(),
                Effect::Mouse(on) => self.terminal.set_mouse(on),
                Effect::Copy(text) => {
                    let outcome = self.terminal.copy(&text).to_string();
                    self.say(outcome, Level::Ok);
                }
                Effect::Theme(name) => match Look::load(&name, self.depth, self.app.ascii) {
                    Ok(look) => {
                        self.look = look;
                        self.app.theme = name;
                    }
                    Err(error) => self.say(error.to_string(), Level::Warning),
                },
                // Everything else is for a live room.
                _ => {
                    self.app = before;
                    self.refuse();
                    return None;
                }
            }
        }
        None
    }
}

/// What only a live room can do.
fn is_refused(action: Action) -> bool {
    let writes = [Action::Note, Action::Incident, Action::Checklist, Action::Refresh];
    action.acts() || writes.contains(&action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_and_notes_are_refused_and_looking_is_not() {
        for action in [Action::Abort, Action::RollBack, Action::Weight, Action::Note, Action::Refresh] {
            assert!(is_refused(action), "{action:?}");
        }
        for action in [Action::Down, Action::Open, Action::Help, Action::Waits, Action::Acts, Action::Filter]
        {
            assert!(!is_refused(action), "{action:?}");
        }
    }
}
