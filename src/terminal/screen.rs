//! The terminal in our hands: what the loop may do with it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::mpsc::Sender;

use super::clipboard::{self, Copied};
use super::output::{self, Flags, Job};
use super::{Input, input, modes, signals};

/// How long leaving waits for a frame that is being written.
const LAST_FRAME: Duration = Duration::from_millis(150);

/// How to enter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Take the mouse from the terminal.
    pub mouse: bool,
}

/// Why the terminal could not be entered.
#[derive(Debug, thiserror::Error)]
#[error("the terminal cannot be set up: {0}; use `wardroom snapshot` for a picture of the screen")]
pub struct TerminalError(#[from] std::io::Error);

/// The terminal, entered.
#[derive(Debug)]
pub struct Terminal {
    jobs: SyncSender<Job>,
    flags: Arc<Flags>,
    mouse: bool,
}

impl Terminal {
    /// Enters: raw mode, alternate screen, threads for input, output and signals, all speaking to `inputs`.
    ///
    /// # Errors
    /// The modes cannot be set, or a thread cannot be started; the terminal is then as it was.
    pub fn enter(options: Options, inputs: Sender<Input>) -> Result<Self, TerminalError> {
        modes::raw()?;
        let flags = Arc::new(Flags::default());
        let started = output::spawn(flags.clone(), inputs.clone()).and_then(|jobs| {
            signals::spawn(inputs.clone())?;
            input::spawn(flags.clone(), inputs)?;
            Ok(jobs)
        });
        let jobs = started.inspect_err(|_| modes::restore())?;
        let terminal = Self { jobs, flags, mouse: options.mouse };
        terminal.send(Job::Raw(output::entering(options.mouse)));
        Ok(terminal)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        signals::size()
    }

    /// Whether the last frame is written, so that a new one would be taken.
    pub fn is_idle(&self) -> bool {
        !self.flags.busy.load(Ordering::Acquire)
    }

    /// Gives a frame to the output thread. Frames never queue: while one is being written a new one is
    /// dropped, and the loop draws again at [`Input::Drained`].
    pub fn present(&mut self, frame: Buffer, cursor: Option<Position>) -> bool {
        if self.flags.busy.swap(true, Ordering::AcqRel) {
            return false;
        }
        let taken = self.send(Job::Frame(frame, cursor));
        if !taken {
            self.flags.busy.store(false, Ordering::Release);
        }
        taken
    }

    /// Forgets what is shown: the next frame is written whole.
    pub fn repaint(&mut self) {
        self.send(Job::Forget);
    }

    /// Takes the mouse, or gives it back.
    pub fn set_mouse(&mut self, on: bool) {
        self.mouse = on;
        self.send(Job::Raw(if on { modes::MOUSE_ON } else { modes::MOUSE_OFF }.to_vec()));
    }

    /// Puts text on the clipboard.
    pub fn copy(&mut self, text: &str) -> Copied {
        let (bytes, count) = clipboard::sequence(text);
        match (self.send(Job::Raw(bytes)), count < text.len()) {
            (false, _) => Copied::Busy,
            (true, true) => Copied::Cut { bytes: count },
            (true, false) => Copied::Sent { bytes: count },
        }
    }

    /// Gives the terminal to the shell and stops until it continues us.
    pub fn suspend(&mut self) {
        self.finish_frame();
        modes::restore();
        // Stops the whole process here; the next line runs after `fg`.
        let _ = kill_process(getpid(), Signal::STOP);
        self.resume();
    }

    /// Takes the terminal again after a stop.
    pub fn resume(&mut self) {
        if modes::raw().is_ok() {
            self.send(Job::Raw(output::entering(self.mouse)));
            self.repaint();
        }
    }

    /// Leaves: everything that was switched on is switched off, within a bounded time.
    pub fn leave(self) {
        self.finish_frame();
        modes::restore();
    }

    /// Waits until the thread has written what it has, but not for a terminal that takes nothing.
    fn finish_frame(&self) {
        let (done, wait) = sync_channel::<()>(0);
        if self.send(Job::Fence(done)) {
            let _ = wait.recv_timeout(LAST_FRAME);
        }
    }

    fn send(&self, job: Job) -> bool {
        self.jobs.try_send(job).is_ok()
    }
}
