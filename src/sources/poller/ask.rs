//! Asks one source once: a deadline around it, and a panic inside it becomes a fault.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;

use super::Clock;
use crate::domain::{Fault, FaultKind, Harvest, Report};
use crate::sources::Source;

tokio::task_local! {
    static POLLING: ();
}

/// Whether the current task polls a source: a panic here is caught and reported as a fault, so the panic
/// hook must leave the terminal alone.
pub fn is_polling() -> bool {
    POLLING.try_with(|()| ()).is_ok()
}

/// One poll and its report.
pub async fn ask(source: &mut dyn Source, epoch: u64, clock: Clock) -> Report {
    let id = source.info().id.clone();
    let begun = Instant::now();
    let outcome = POLLING.scope((), guarded(source, clock)).await;
    let took_ms = begun.elapsed().as_secs_f64() * 1_000.0;
    Report { epoch, source: id, at: clock(), took_ms, outcome: outcome.map(Arc::new) }
}

async fn guarded(source: &mut dyn Source, clock: Clock) -> Result<Harvest, Fault> {
    let (deadline, place) = (source.deadline(), source.info().place.clone());
    // A source may panic before its future exists, so the call itself is inside too.
    let poll = async { source.poll(clock()).await };
    match tokio::time::timeout(deadline, AssertUnwindSafe(poll).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => {
            let said = panic.downcast_ref::<&str>().map(ToString::to_string);
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(Fault::new(
                FaultKind::Unreadable,
                format!("{place}: wardroom failed to read the answer: {said}"),
            )
            .advise("this is a mistake in wardroom: please report it"))
        }
        Err(_) => {
            let limit = deadline.as_secs_f64();
            Err(Fault::new(FaultKind::Hung, format!("{place}: the poll was not complete after {limit:.1} s"))
                .advise("the server is slow, or raise its timeout"))
        }
    }
}
