//! An entry of the audit trail and its canonical bytes.
//!
//! The canonical bytes are the JSON of [`Entry`] as `serde_json` writes it: the fields in the order of the struct, no
//! blanks, times in RFC 3339 in UTC, numbers so that they read back the same. The trail keeps these bytes (or one age
//! payload of them) and never builds them again, so a later wardroom may add fields at the end. They are chained:
//! `hash(n) = SHA-256(hash(n-1) ‖ length of the bytes as 8 bytes, big end first ‖ bytes)`, `hash(0)` is 32 zero bytes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::act::{ActId, Hand, Who};
use crate::domain::{ModelId, Time};

/// A link of the chain.
pub(super) type Hash = [u8; 32];
/// What the first entry is chained to.
pub(super) const BEGINNING: Hash = [0; 32];

/// What kind of line an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A human confirmed the plan.
    Confirmed,
    /// Wardroom confirmed the plan by itself, as its config allows.
    Automatic,
    /// A request is about to be sent.
    RequestSent,
    /// The server accepted a request.
    RequestAccepted,
    /// The server refused a request, or the world had moved.
    RequestRefused,
    /// Nobody knows whether a request was done.
    RequestUnknown,
    /// A request was never sent.
    RequestNotSent,
    /// Users are on the right version.
    Effective,
    /// The watch after it saw something.
    Watch,
    /// A later process took the act over.
    Recovered,
    /// Nothing more happens by itself.
    Over,
    /// Anything else: the point says what.
    Noted,
}

impl Line {
    /// The words of a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Automatic => "automatic",
            Self::RequestSent => "request sent",
            Self::RequestAccepted => "request accepted",
            Self::RequestRefused => "request refused",
            Self::RequestUnknown => "request unknown",
            Self::RequestNotSent => "request not sent",
            Self::Effective => "effective",
            Self::Watch => "watch",
            Self::Recovered => "recovered",
            Self::Over => "over",
            Self::Noted => "noted",
        }
    }
}

/// A request as the trail keeps it: without its body, which the cluster's own audit log has under the same `Audit-ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRequest {
    /// Who sends it.
    pub hand: Hand,
    /// What it does, in a few words.
    pub words: String,
    /// `PATCH`, `POST`, …
    pub verb: String,
    /// Path and query, without the server.
    pub path: String,
    /// `waiting`, `sent`, `accepted`, `refused`, `unknown` or `not_sent`.
    pub is: String,
    /// Since when it is that, when that is known.
    pub at: Option<Time>,
    /// The `Audit-ID` that it carried or that the server told; empty before it was sent.
    pub audit_id: String,
    /// What the server or wardroom said about it.
    pub note: String,
}

/// A check as the trail keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCheck {
    /// The words.
    pub words: String,
    /// `passed`, `failed`, `unknown` or `skipped`.
    pub is: String,
    /// What was seen.
    pub detail: String,
}

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: 1, 2, 3, … without a gap.
    pub number: u64,
    /// When.
    pub at: Time,
    /// What kind of line.
    pub line: Line,
    /// The point of the act as the journal names it: `after request 1`.
    pub point: String,
    /// The act.
    pub act: ActId,
    /// The model.
    pub model: ModelId,
    /// The object: context, namespace, name.
    pub target: String,
    /// The configured cluster or controller that knows the object.
    pub system: String,
    /// The operation's word of the command line.
    pub verb: String,
    /// The act in one line: `rollback alzheimer to 1.2.0`.
    pub what: String,
    /// Who.
    pub who: Who,
    /// The number of the operating system's user that the process ran as.
    pub uid: u32,
    /// The process that wrote it.
    pub process: u32,
    /// Why, in the operator's words.
    pub why: String,
    /// The state that it started from.
    pub before: String,
    /// The state that it leads to.
    pub after: String,
    /// What spoke for it.
    pub evidence: String,
    /// What this line adds: the server's answer, what the watch saw, how it ended.
    pub detail: String,
    /// The outcome's word, empty while it is open.
    pub outcome: String,
    /// The plan's requests as they stood.
    pub requests: Vec<SentRequest>,
    /// The checks that had seen something.
    pub checks: Vec<SeenCheck>,
}

impl Entry {
    /// The canonical bytes.
    ///
    /// # Errors
    /// A value that JSON cannot say.
    pub fn canonical(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|why| why.to_string())
    }

    /// The entry of canonical bytes.
    ///
    /// # Errors
    /// Bytes that are no entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|why| why.to_string())
    }
}

/// The next link of the chain.
pub(super) fn link(before: &[u8], bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
    hasher.finalize().into()
}

/// A hash as it is printed.
pub(super) fn hex(hash: &[u8]) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::with_capacity(hash.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
