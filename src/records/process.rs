//! Which process wrote a row, so that it can be told later whether it still runs.

use std::path::Path;

/// A process of this machine. A number alone is used again; with its start and the machine's boot it is unique.
///
/// Containers with process numbers of their own must not share a folder: each would take the other's for gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    /// The process number.
    pub(super) number: u32,
    /// When it started, in clock ticks since the boot; 0 where the system does not tell.
    pub(super) started: u64,
    /// The boot of the machine; empty where the system does not tell.
    pub(super) boot: String,
}

impl Process {
    /// This process.
    pub(super) fn this() -> Self {
        let number = std::process::id();
        Self { number, started: running(number).unwrap_or_default(), boot: boot() }
    }

    /// Whether it is no longer there.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone_at(&boot())
    }

    fn is_gone_at(&self, boot_now: &str) -> bool {
        if self.boot != boot_now {
            return true;
        }
        if self.started > 0 && Path::new("/proc/self/stat").exists() {
            return running(self.number) != Some(self.started);
        }
        let Some(number) = i32::try_from(self.number).ok().and_then(rustix::process::Pid::from_raw) else {
            return true;
        };
        // Another user's process answers EPERM: it is there.
        matches!(rustix::process::test_kill_process(number), Err(rustix::io::Errno::SRCH))
    }
}

/// The effective user's number of this process.
pub(super) fn user_number() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The start of a process that runs, in clock ticks since the boot.
fn running(number: u32) -> Option<u64> {
    started(&std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?)
}

/// The start out of a line of `/proc/PID/stat`; nothing for a process that has ended and was not yet waited for.
fn started(stat: &str) -> Option<u64> {
    // The name stands in brackets and may itself hold brackets and blanks.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 18446744073709551615";

    #[test]
    fn the_start_is_found_behind_any_name() {
        assert_eq!(started(LINE), Some(987_654));
        assert_eq!(started(&LINE.replace(") S ", ") Z ")), None, "ended, not yet waited for");
        assert_eq!(started("42 (a"), None);
        assert_eq!(started(""), None);
    }

    #[test]
    fn this_process_runs_and_others_under_its_number_do_not() {
        let this = Process::this();
        assert!(!this.is_gone());
        if this.started > 0 {
            assert!(
                Process { started: this.started + 1, ..this.clone() }.is_gone(),
                "the number is used again"
            );
        }
        assert!(this.is_gone_at("another boot"));
        assert!(
            !Process { started: 0, ..this.clone() }.is_gone(),
            "told by a signal where there is no start"
        );
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let number = child.id();
        child.wait().unwrap();
        assert!(Process { number, started: 0, ..this }.is_gone());
    }
}
