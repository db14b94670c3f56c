//! The input thread: reads bytes, makes keys of them, notices when the terminal is gone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::Sender;

use super::Input;
use super::output::Flags;
use super::parse::{Parsed, Parser};

/// How long a lone escape waits for the rest of a sequence.
const ESCAPE: Duration = Duration::from_millis(40);
/// How long the loop may take to end the process after the terminal is gone.
const GRACE: Duration = Duration::from_millis(300);

/// Starts the thread.
pub(super) fn spawn(flags: Arc<Flags>, inputs: Sender<Input>) -> std::io::Result<()> {
    std::thread::Builder::new().name("input".into()).spawn(move || {
        read(&flags, &inputs);
        gone(&inputs);
    })?;
    Ok(())
}

/// Tells the loop that the terminal is gone, and ends the process if the loop does not.
pub(super) fn gone(inputs: &Sender<Input>) {
    let _ = inputs.try_send(Input::Gone);
    std::thread::sleep(GRACE);
    super::modes::restore();
    std::process::exit(129);
}

/// Reads until the terminal is gone.
fn read(flags: &Flags, inputs: &Sender<Input>) {
    let stdin = rustix::stdio::stdin();
    let mut parser = Parser::default();
    let mut bytes = [0u8; 4096];
    let mut parsed = Vec::new();
    loop {
        let wait = if parser.is_waiting() { Timespec::try_from(ESCAPE).ok() } else { None };
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut polled, wait.as_ref()) {
            Ok(0) => parser.flush(&mut parsed),
            Ok(_) => match rustix::io::read(stdin, &mut bytes) {
                Ok(0) => return,
                Ok(n) => parser.feed(bytes.get(..n).unwrap_or_default(), &mut parsed),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(_) => return,
            },
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return,
        }
        for event in parsed.drain(..) {
            let input = match event {
                Parsed::Key(key) => Input::Key(key),
                Parsed::Mouse(event) => Input::Mouse(event),
                Parsed::Paste(text) => Input::Paste(text),
                Parsed::Suspend => Input::Suspend,
                Parsed::Synchronized(known) => {
                    flags.synchronized.store(known, Ordering::Relaxed);
                    continue;
                }
            };
            if inputs.blocking_send(input).is_err() {
                // The loop has ended; the process is about to.
                std::thread::sleep(Duration::from_secs(3_600));
            }
        }
    }
}
