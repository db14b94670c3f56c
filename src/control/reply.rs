//! What a server's answer to a write means, or its silence.

use super::Sent;
use crate::domain::{Fault, FaultKind};
use crate::sources::http::{Answer, error_text};

/// What an answer means that is not 2xx.
pub(crate) fn refused_or_unknown(answer: &Answer) -> Sent {
    let said = error_text(&answer.body);
    match answer.status {
        // Nobody knows how far the server, or the proxy before it, had come.
        408 | 500..=599 => Sent::Unknown(format!("status {}, {said}", answer.status)),
        // A redirect was not followed, and any other 4xx is a refusal: nothing was done.
        status => Sent::Refused(format!("status {status}, {said}")),
    }
}

/// What a request without an answer means.
pub(crate) fn lost(fault: &Fault) -> Sent {
    match fault.kind {
        FaultKind::NoName | FaultKind::Refused | FaultKind::File => {
            Sent::Refused(format!("nothing was sent: {fault}"))
        }
        FaultKind::Down if fault.detail.contains("connection refused") => {
            Sent::Refused(format!("nothing was sent: {fault}"))
        }
        _ => Sent::Unknown(fault.to_string()),
    }
}
