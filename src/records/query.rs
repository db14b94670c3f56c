//! Reading the audit trail without writing to it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::canonical::Entry;
use super::crypt::{Keys, unseal};
use super::error::{LedgerError, sqlite};
use super::verify::{Noted, Verified, verify};
use super::{file, trail};
use crate::domain::Time;

/// Which entries; an absent part lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The model's name, or `CONTEXT/NAMESPACE/NAME` of its object.
    pub model: Option<String>,
    /// The act.
    pub act: Option<String>,
    /// The user of the operating system, or the identity towards the cluster.
    pub user: Option<String>,
    /// The operation's word: `rollback`.
    pub verb: Option<String>,
    /// Not before this.
    pub since: Option<Time>,
    /// Before this.
    pub until: Option<Time>,
    /// Somewhere in the words, in the requests' paths or in their `Audit-ID`s; capitals do not count.
    pub text: Option<String>,
}

impl Filter {
    /// Whether an entry is let through.
    pub fn lets(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &[&str]| {
            wanted.as_deref().is_none_or(|wanted| found.contains(&wanted))
        };
        is(&self.model, &[&entry.model.name, &entry.target])
            && is(&self.act, &[&entry.act.0])
            && is(&self.user, &[&entry.who.user, &entry.who.identity])
            && is(&self.verb, &[&entry.verb])
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && self.text.as_deref().is_none_or(|text| says(entry, text))
    }
}

fn says(entry: &Entry, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |words: &str| words.to_lowercase().contains(&text);
    let own = [
        entry.point.as_str(),
        entry.line.words(),
        &entry.act.0,
        &entry.model.name,
        &entry.target,
        &entry.what,
        &entry.why,
        &entry.before,
        &entry.after,
        &entry.evidence,
        &entry.detail,
        &entry.outcome,
        &entry.who.user,
        &entry.who.origin,
        &entry.who.host,
        &entry.who.identity,
    ];
    own.into_iter().any(has)
        || entry.requests.iter().any(|request| {
            [&request.words, &request.path, &request.audit_id, &request.note]
                .into_iter()
                .any(|words| has(words))
        })
        || entry.checks.iter().any(|check| has(&check.words) || has(&check.detail))
}

/// Calls for each entry that is let through, in order.
pub(super) fn each(
    connection: &Connection,
    path: &Path,
    keys: Option<&Keys>,
    filter: &Filter,
    mut with: impl FnMut(Entry) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    trail::each(connection, path, |row| {
        let number = row.number;
        let plain = unseal(keys, path, row.bytes)?;
        let entry = Entry::parse(&plain).map_err(|why| {
            LedgerError::at(
                path,
                format!("entry {number} cannot be read ({why})"),
                "run `wardroom audit verify` on its folder",
            )
        })?;
        if filter.lets(&entry) { with(entry) } else { Ok(()) }
    })
}

/// The audit trail for reading.
#[derive(Debug)]
pub struct Trail {
    connection: Connection,
    path: PathBuf,
    keys: Option<Keys>,
}

impl Trail {
    /// Opens the trail of a folder; makes nothing.
    ///
    /// # Errors
    /// No file there, one that is damaged or of a newer wardroom, a key that cannot be read.
    pub fn open(folder: &Path, age_identity: Option<&Path>) -> Result<Self, LedgerError> {
        let keys = age_identity.map(Keys::read).transpose()?;
        let (connection, path) = file::readable(folder)?;
        Ok(Self { connection, path, keys })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether anything was changed, lost, inserted or moved. Needs no key; with one it reads the words too.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn verify(&self, noted: Option<&Noted>) -> Result<Verified, LedgerError> {
        verify(&self.connection, &self.path, self.keys.as_ref(), noted)
    }

    /// Calls for each entry that the filter lets through, the oldest first.
    ///
    /// # Errors
    /// A file that cannot be read, a key that is missing or another, whatever `with` fails with.
    pub fn each(
        &self,
        filter: &Filter,
        with: impl FnMut(Entry) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        // One moment: others may append meanwhile.
        let _snapshot =
            self.connection.unchecked_transaction().map_err(|error| sqlite(&self.path, &error))?;
        each(&self.connection, &self.path, self.keys.as_ref(), filter, with)
    }

    /// The entries that the filter lets through, the oldest first.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub fn query(&self, filter: &Filter) -> Result<Vec<Entry>, LedgerError> {
        let mut found = Vec::new();
        self.each(filter, |entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    }
}
