//! The output thread: turns the newest frame into one write, and says when it is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use tokio::sync::mpsc::Sender;

use super::{Input, encode, modes};

/// Asks whether the terminal knows synchronized updates (mode 2026). The answer comes as input, and is
/// never waited for.
const ASK_SYNCHRONIZED: &[u8] = b"\x1b[?2026$p";

/// Work for the thread.
pub(super) enum Job {
    Frame(Buffer, Option<Position>),
    Raw(Vec<u8>),
    /// Forget what is shown: the next frame is written whole.
    Forget,
    /// Dropped when everything before it is written.
    Fence(SyncSender<()>),
}

/// Flags shared with the thread.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// A frame is being written.
    pub busy: AtomicBool,
    /// The terminal knows synchronized updates.
    pub synchronized: AtomicBool,
}

/// Starts the thread. Its queue holds a few jobs; frames are only given when it is not busy.
pub(super) fn spawn(flags: Arc<Flags>, inputs: Sender<Input>) -> std::io::Result<SyncSender<Job>> {
    let (jobs, queue) = sync_channel(16);
    std::thread::Builder::new().name("output".into()).spawn(move || work(&queue, &flags, &inputs))?;
    Ok(jobs)
}

fn work(queue: &Receiver<Job>, flags: &Flags, inputs: &Sender<Input>) {
    let mut shown: Option<Buffer> = None;
    let mut cursor = None;
    let mut asked = false;
    while let Ok(job) = queue.recv() {
        let written = match job {
            Job::Frame(target, at) => {
                let mut bytes = encode::encode(shown.as_ref(), &target, cursor, at);
                let count = bytes.len();
                if count > 0 && flags.synchronized.load(Ordering::Relaxed) {
                    bytes.splice(0..0, b"\x1b[?2026h".iter().copied());
                    bytes.extend_from_slice(b"\x1b[?2026l");
                }
                if !asked {
                    bytes.extend_from_slice(ASK_SYNCHRONIZED);
                    asked = true;
                }
                (shown, cursor) = (Some(target), at);
                let written = write_all(&bytes);
                flags.busy.store(false, Ordering::Release);
                // A full channel means that the loop is awake anyway.
                let _ = inputs.try_send(Input::Drained { bytes: count });
                written
            }
            Job::Raw(bytes) => write_all(&bytes),
            Job::Forget => {
                (shown, cursor) = (None, None);
                write_all(b"\x1b[?25l")
            }
            Job::Fence(done) => {
                drop(done);
                Ok(())
            }
        };
        if written.is_err() {
            super::input::gone(inputs);
            return;
        }
    }
}

/// One write, and more only where the terminal took a part.
fn write_all(mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let out = rustix::stdio::stdout();
                let mut polled = [rustix::event::PollFd::new(&out, rustix::event::PollFlags::OUT)];
                let _ = rustix::event::poll(&mut polled, None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What the first write holds.
pub(super) fn entering(mouse: bool) -> Vec<u8> {
    let mut bytes = modes::ENTER.to_vec();
    if mouse {
        bytes.extend_from_slice(modes::MOUSE_ON);
    }
    bytes
}
