//! Points at which a debug build can be made to die, so that a test can prove what a restart finds.

/// Dies here by SIGKILL when `WARDROOM_CRASH_AT` is the number of this point, counted from 1 in the order in which
/// they are passed. Does nothing in a release build.
pub fn point() {
    #[cfg(debug_assertions)]
    armed::pass();
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static AT: LazyLock<Option<u64>> =
        LazyLock::new(|| std::env::var("WARDROOM_CRASH_AT").ok()?.parse().ok());
    static PASSED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn pass() {
        let Some(at) = *AT else { return };
        if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == at {
            // A signal that cannot be caught: nothing is tidied up, as when the machine's power fails.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::process::abort();
        }
    }
}
