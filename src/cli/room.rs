//! The war room itself: the loop between the terminal, the sources and the state.

use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::args::{Common, RoomArgs};
use super::drill::companion::Companion;
use super::hands::Hands;
use super::memory::Memory;
use super::recording::Recording;
use super::ticks::Book;
use super::{fresh, logging, settings, stage};
use crate::app::{App, Effect, Msg, incident, settle};
use crate::checklist::Known;
use crate::config::Loaded;
use crate::demo::Demo;
use crate::domain::act::{ActId, Stage, Told};
use crate::domain::{Level, Report};
use crate::history::{Keep, Kept};
use crate::sources::poller::{self, PollSettings, Poller, PollerHandle};
use crate::store::Store;
use crate::terminal::{self, Ending, Input, Options, Terminal};
use crate::view::{
    self,
    look::{Depth, Look},
};

/// How many reports may wait for the loop.
const REPORTS: usize = 1_024;
/// Between two frames of a running clock.
const TENTH: Duration = Duration::from_millis(100);
/// How many reports one turn of the loop takes in, so that a key never waits behind a flood.
const AT_ONCE: usize = 256;

/// Opens the room. The demo and its runtime are kept alive with it.
///
/// # Errors
/// No terminal to draw on, a theme that cannot be read, a source that cannot be set up: nothing is half-started.
pub fn run(
    common: &Common,
    loaded: Loaded,
    demo: Option<(Demo, Runtime)>,
    options: &RoomArgs,
) -> Result<u8, String> {
    run_beside(common, loaded, demo, options, None)
}

/// The same with a drill beside it, which sees what the room sees and ends it.
///
/// # Errors
/// As [`run`].
pub fn run_beside(
    common: &Common,
    mut loaded: Loaded,
    demo: Option<(Demo, Runtime)>,
    options: &RoomArgs,
    drill: Option<Companion>,
) -> Result<u8, String> {
    // Who only looks has no engine.
    loaded.config.control.read_only |= options.spectate;
    let variable = |name: &str| std::env::var(name).ok();
    let capabilities = terminal::detect_here(&variable).map_err(|refusal| refusal.to_string())?;
    let map = settings::keymap(&loaded).map_err(|error| error.to_string())?;
    let ascii = loaded.config.ascii || !capabilities.unicode;
    let depth = fresh::depth_of(capabilities.colours);
    let look = Look::load(&loaded.config.theme, depth, ascii).map_err(|error| error.to_string())?;
    logging::for_room(common.log_file.as_deref())?;
    let (demo, runtime) = match demo {
        Some((demo, runtime)) => (Some(demo), runtime),
        None => (None, stage::runtime()?),
    };
    let (store, sources) = stage::set(&loaded.config)?;
    tracing::info!(target: "room", "watching {} models through {} sources", store.models.len(), sources.len());
    let tape = Recording::draft(options.record.as_deref())?;
    // A panic while a source is polled becomes its fault; any other ends the room.
    terminal::install_panic_hook(|| poller::is_polling() || crate::samples::is_contained());
    let (inputs, from_terminal) = mpsc::channel(256);
    let terminal =
        Terminal::enter(Options { mouse: loaded.config.mouse }, inputs).map_err(|error| error.to_string())?;
    let mut app = fresh::app_for(&loaded, stage::now(), terminal.size(), map);
    app.ascii = ascii;
    app.spectator = options.spectate;
    app.incidents.alone = loaded.config.history.off.then(|| "history.off is set".to_owned());
    let (sender, reports) = mpsc::channel(REPORTS);
    let poller = {
        let _guard = runtime.enter();
        Poller::spawn(sources, PollSettings::of(&loaded.config, stage::now), sender)
    };
    let hands = {
        let _guard = runtime.enter();
        Hands::of(&loaded.config)
    };
    let memory = Memory::of(&loaded.config, &store);
    let tape = Recording::begin(tape, &app, &store);
    let (tell_ticks, ticks) = mpsc::channel(16);
    let room = Room {
        book: Book::of(&loaded.config),
        tell_ticks,
        ticks,
        app,
        empty: store.clone(),
        store,
        look,
        depth,
        terminal,
        poller,
        hands,
        memory,
        tape,
        drill,
        freshened: None,
        filled: false,
        frame_pause: Duration::from_secs(1) / loaded.config.max_fps.max(1),
        last_frame: None,
        dirty: true,
    };
    let code = runtime.block_on(room.live(from_terminal, reports));
    if let Some(demo) = demo {
        demo.stop();
    }
    runtime.shutdown_timeout(stage::LAST_ORDERS);
    Ok(code)
}

struct Room {
    app: App,
    store: Store,
    /// The store as the config makes it, before anything was seen.
    empty: Store,
    look: Look,
    depth: Depth,
    terminal: Terminal,
    poller: PollerHandle,
    hands: Hands,
    memory: Memory,
    tape: Recording,
    /// The book of ticks, and what it tells.
    book: Result<Book, String>,
    tell_ticks: mpsc::Sender<Result<Box<Known>, String>>,
    ticks: mpsc::Receiver<Result<Box<Known>, String>>,
    drill: Option<Companion>,
    freshened: Option<ActId>,
    /// Whether the history was asked for the past of what is known since every source has answered.
    filled: bool,
    frame_pause: Duration,
    last_frame: Option<Instant>,
    dirty: bool,
}

enum Turn {
    GoOn,
    Leave(u8),
}

impl Room {
    async fn live(mut self, mut inputs: mpsc::Receiver<Input>, mut reports: mpsc::Receiver<Report>) -> u8 {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.paint();
            let wait = self.until_next_frame();
            let turn = tokio::select! {
                biased;
                input = inputs.recv() => match input {
                    Some(input) => self.take_input(input),
                    None => Turn::Leave(0),
                },
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => Turn::GoOn,
                Some(told) = self.hands.told() => {
                    self.freshen(&told);
                    self.drill.iter().for_each(|drill| drill.hear(&told));
                    self.app.wake(stage::now());
                    self.take(Msg::Told(Box::new(told)));
                    Turn::GoOn
                }
                Some(known) = self.ticks.recv() => {
                    self.take(Msg::Ticks(known));
                    Turn::GoOn
                }
                Some(kept) = self.memory.told() => {
                    self.take_kept(kept);
                    Turn::GoOn
                }
                _ = tick.tick() => {
                    self.take(Msg::Tick(stage::now()));
                    self.hands.show(&self.store);
                    if !self.app.spectator {
                        self.memory.observe(&self.store, self.app.clock());
                    }
                    self.tape.keep_up(&mut self.app, &self.store);
                    self.fill_more();
                    self.accompany()
                }
                // The clock of an act shows tenths.
                () = tokio::time::sleep(TENTH), if self.app.counts_tenths() => {
                    self.app.wake(stage::now());
                    self.dirty = true;
                    Turn::GoOn
                }
                Some(report) = reports.recv() => {
                    self.take_report(report);
                    for _ in 1..AT_ONCE {
                        let Ok(report) = reports.try_recv() else { break };
                        self.take_report(report);
                    }
                    Turn::GoOn
                }
            };
            if let Turn::Leave(code) = turn {
                self.poller.stop();
                self.terminal.leave();
                self.tape.end();
                self.hands.let_go().await;
                return code;
            }
        }
    }

    /// Which features are measured is known when every source has answered: only then their past can be had.
    fn fill_more(&mut self) {
        if !self.filled && self.store.sources.iter().all(|source| source.asked.is_some()) {
            self.filled = true;
            let _ = self.memory.ask(Keep::Fill(Box::new(self.store.clone())));
        }
    }

    /// Shows the drill what is seen, and its bar; the room ends with it.
    fn accompany(&mut self) -> Turn {
        let Some(drill) = &self.drill else { return Turn::GoOn };
        drill.see(&self.store);
        self.app.bar = drill.bar(self.app.now);
        if drill.is_over() { Turn::Leave(0) } else { Turn::GoOn }
    }

    /// What an act changed is wanted when it is accepted, not at the next poll.
    fn freshen(&mut self, told: &Told) {
        if let Told::Act(act) = told
            && act.stage == Stage::Verifying
            && self.freshened.as_ref() != Some(&act.plan.id)
        {
            self.freshened = Some(act.plan.id.clone());
            self.poller.refresh(None);
        }
    }

    fn take_report(&mut self, report: Report) {
        self.app.wake(report.at);
        self.take(Msg::Report(Box::new(report)));
    }

    fn take_kept(&mut self, kept: Kept) {
        match kept {
            Kept::Past(past) => self.take(Msg::Past(past)),
            Kept::Filled(past) => self.take(Msg::Filled(past)),
            Kept::Written(entries) | Kept::Entries(entries) => self.take(Msg::Entries(entries)),
            Kept::Notice(words) => {
                tracing::warn!(target: "history", "{words}");
                self.app.say(words, Level::Warning);
                self.dirty = true;
            }
            Kept::Trouble(why) => {
                tracing::error!(target: "history", "nothing is kept any more: {why}");
                // Also a moment that is being read will not come.
                incident::alone(&mut self.app, why.clone());
                self.take(Msg::Past(Err(format!("nothing is kept any more: {why}"))));
            }
        }
    }

    fn take(&mut self, msg: Msg) {
        let effects = self.tape.update(&mut self.app, &mut self.store, msg);
        self.dirty = true;
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn take_input(&mut self, input: Input) -> Turn {
        // The clocks of acts start from here.
        self.app.wake(stage::now());
        match input {
            Input::Key(key) => {
                let effects = self.tape.update(&mut self.app, &mut self.store, Msg::Key(key));
                self.dirty = true;
                // The answer to a key does not wait for the frame rate.
                self.last_frame = None;
                for effect in effects {
                    self.carry_out(effect);
                }
            }
            Input::Mouse(event) => self.take(Msg::Mouse(event)),
            Input::Paste(text) => self.take(Msg::Paste(text)),
            Input::Resize { cols, rows } => {
                self.take(Msg::Resize(cols, rows));
                self.terminal.repaint();
                self.last_frame = None;
            }
            Input::Drained { .. } => {}
            Input::Suspend => self.terminal.suspend(),
            Input::Resumed => {
                self.terminal.resume();
                let (columns, rows) = self.terminal.size();
                self.take(Msg::Resize(columns, rows));
            }
            Input::Signal(Ending::Interrupt) => return Turn::Leave(130),
            Input::Signal(Ending::Terminate) => return Turn::Leave(143),
            Input::Signal(Ending::Hangup) | Input::Gone => return Turn::Leave(129),
        }
        if self.app.leaving { Turn::Leave(0) } else { Turn::GoOn }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Quit => self.app.leaving = true,
            Effect::Refresh => self.poller.refresh(None),
            Effect::Redraw => self.terminal.repaint(),
            Effect::Act(wish) => {
                if let Err(why) = self.hands.wish(*wish) {
                    self.app.say(why, Level::Warning);
                }
            }
            Effect::Past(None) => {}
            Effect::Past(Some(at)) => {
                let empty = Box::new(self.empty.clone());
                if let Err(why) = self.memory.ask(Keep::Past(at, empty)) {
                    self.take(Msg::Past(Err(why)));
                }
            }
            Effect::Write(entries) => {
                // Without a history the bar says so all the time; what could not be given is given again.
                if let Err(why) = self.memory.ask(Keep::Entries(entries))
                    && self.app.incidents.alone.is_none()
                {
                    self.app.say(why, Level::Warning);
                }
            }
            Effect::Tick(mut ticks) => {
                super::ticks::sign(&mut ticks);
                let (book, tell) = (self.book.clone(), self.tell_ticks.clone());
                // The disk may take its time; the loop goes on.
                tokio::task::spawn_blocking(move || {
                    let known = book.and_then(|book| book.exchange(&ticks)).map(Box::new);
                    // A room that was left needs no answer.
                    let _ = tell.blocking_send(known);
                });
            }
            Effect::Mouse(on) => self.terminal.set_mouse(on),
            Effect::Copy(text) => {
                let outcome = self.terminal.copy(&text);
                self.app.say(outcome.to_string(), Level::Ok);
            }
            Effect::Theme(name) => match Look::load(&name, self.depth, self.app.ascii) {
                Ok(look) => {
                    self.look = look;
                    self.app.theme = name;
                }
                Err(error) => self.app.say(error.to_string(), Level::Warning),
            },
        }
    }

    /// How long until a frame that waits may be drawn.
    fn until_next_frame(&self) -> Option<Duration> {
        if !self.dirty || !self.terminal.is_idle() {
            return None;
        }
        Some(self.last_frame.map_or(Duration::ZERO, |last| self.frame_pause.saturating_sub(last.elapsed())))
    }

    /// Draws when there is something new, the frame rate allows it and the output thread is idle.
    fn paint(&mut self) {
        if self.until_next_frame() != Some(Duration::ZERO) {
            return;
        }
        settle(&mut self.app, &self.store);
        self.tape.look(&self.app);
        let (columns, rows) = self.app.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let cursor = view::draw(&mut buffer, &self.app, &self.store, &self.look);
        self.last_frame = Some(Instant::now());
        // A frame that is not taken is stale by the time it could be: it is drawn again then.
        self.dirty = !self.terminal.present(buffer, cursor);
        if !self.dirty {
            self.app.drawn();
        }
    }
}
