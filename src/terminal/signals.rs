//! The signal thread: endings, stops, and changes of size.

use std::time::Duration;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::Sender;

use super::{Ending, Input};

/// How long the loop may take to end the process after a signal.
const GRACE: Duration = Duration::from_millis(400);

/// Starts the thread.
pub(super) fn spawn(inputs: Sender<Input>) -> std::io::Result<()> {
    let mut wanted = vec![SIGINT, SIGTERM, SIGWINCH, SIGTSTP, SIGCONT];
    // Under nohup a hang-up is meant to be ignored; the vanished terminal is noticed by reading.
    if !hangup_is_ignored() {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted)?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let input = match signal {
                SIGWINCH => {
                    let (cols, rows) = size();
                    Input::Resize { cols, rows }
                }
                SIGTSTP => Input::Suspend,
                SIGCONT => Input::Resumed,
                SIGINT => Input::Signal(Ending::Interrupt),
                SIGTERM => Input::Signal(Ending::Terminate),
                _ => Input::Signal(Ending::Hangup),
            };
            let ends = matches!(input, Input::Signal(_));
            let _ = inputs.try_send(input);
            if ends {
                std::thread::sleep(GRACE);
                super::modes::restore();
                std::process::exit(128 + signal);
            }
        }
    })?;
    Ok(())
}

/// Columns and rows of the terminal; 80×24 when it does not tell.
pub(super) fn size() -> (u16, u16) {
    rustix::termios::tcgetwinsize(rustix::stdio::stdout()).map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

/// Whether the process was started with HUP ignored. Read from the kernel's own words, where there are any.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
