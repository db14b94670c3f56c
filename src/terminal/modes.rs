//! Entering and leaving the terminal's modes, from any thread, also twice, also in a panic.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

/// The modes of the shell, read once before the first change.
static SHELL: OnceLock<Termios> = OnceLock::new();
/// Whether the terminal is ours now.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Alternate screen, hidden cursor, bracketed paste.
pub(super) const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// All of it undone in reverse order, with everything else that could have been switched on: an open
/// synchronized update, mouse modes, colours.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l";
/// The mouse's wheel and buttons in the wide form.
pub(super) const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// The mouse given back.
pub(super) const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// Sets raw mode. The bytes of [`ENTER`] are written by the caller.
pub(super) fn raw() -> std::io::Result<()> {
    let now = tcgetattr(rustix::stdio::stdin())?;
    let mut raw = SHELL.get_or_init(|| now).clone();
    raw.make_raw();
    tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw)?;
    ENTERED.store(true, Ordering::SeqCst);
    Ok(())
}

/// Gives the terminal back. May be called from any thread, any number of times; only the first call after
/// entering does something. Never blocks on a terminal that takes no bytes.
pub fn restore() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let out = rustix::stdio::stdout();
    if !is_writable(Duration::from_millis(20)) {
        // What is queued will never be read, or not soon; without room our own bytes would not fit.
        let _ = tcflush(out, QueueSelector::OFlush);
    }
    if is_writable(Duration::from_millis(80)) {
        let _ = rustix::io::write(out, LEAVE);
    }
    if let Some(shell) = SHELL.get() {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, shell);
    }
}

fn is_writable(within: Duration) -> bool {
    let out = rustix::stdio::stdout();
    let mut polled = [PollFd::new(&out, PollFlags::OUT)];
    let Ok(within) = Timespec::try_from(within) else { return false };
    poll(&mut polled, Some(&within)).is_ok_and(|ready| ready > 0)
        && polled[0].revents().contains(PollFlags::OUT)
}

/// Makes a panic in any thread give the terminal back first, then say what happened, then end the process
/// with 101: a room in which a part has died shows old numbers as if they were alive. A panic for which
/// `is_contained` holds is left to whoever contains it.
pub fn install_panic_hook(is_contained: fn() -> bool) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if is_contained() {
            return;
        }
        restore();
        before(info);
        std::process::exit(101);
    }));
}
