//! Goes on with an act that an earlier process left: looks what was in flight, sends nothing, verifies.

use super::doing::Doing;
use super::verify::{self, Before};
use super::{Settled, execute};
use crate::domain::act::{Act, Outcome, RequestState};

/// Goes on verifying or watching.
pub(super) async fn go_on(mut doing: Doing) {
    never_sent(&mut doing.act);
    for n in 0..doing.act.requests.len() {
        let RequestState::Sent { at: sent, audit_id } = doing.act.requests[n].clone() else { continue };
        let seen = execute::settled(&doing, n).await;
        let at = doing.now();
        doing.act.requests[n] = match seen {
            Settled::Done(seen) => {
                let note = format!("wardroom ended before the answer; its effect is there: {seen}");
                RequestState::Accepted { sent, at, audit_id, note }
            }
            Settled::NotDone(seen) => RequestState::Unknown {
                at,
                why: format!("wardroom ended while it was sent; its effect is not there: {seen}; plan again"),
            },
            Settled::CannotTell(seen) => RequestState::Unknown {
                at,
                why: format!("wardroom ended while it was sent; whether it was done cannot be told: {seen}"),
            },
        };
    }
    // What was found is written down before anything else; when that fails it is told, and looking goes on.
    let _ = doing.note("looked again", true).await;
    let nothing = doing.act.requests.iter().all(|request| matches!(request, RequestState::NotSent { .. }));
    if nothing && !doing.act.requests.is_empty() {
        let why = "wardroom ended before the first request was sent; plan again".into();
        return doing.over(Outcome::Nothing { why }).await;
    }
    verify::run(doing, Before::UNKNOWN).await;
}

/// Requests that wait were never sent, and are not sent by a later process.
pub(super) fn never_sent(act: &mut Act) {
    for request in &mut act.requests {
        if matches!(request, RequestState::Waiting { .. }) {
            *request = RequestState::NotSent { why: "wardroom ended before it was sent; plan again".into() };
        }
    }
}
