//! What must not be lost: the journal of acts and the audit trail, in one SQLite file (WAL), which several wardrooms on
//! one machine share. Every write is durable before it returns. Calls block: never call from the UI's task.

mod canonical;
mod crypt;
mod entry;
mod error;
pub mod export;
mod file;
mod journal;
mod process;
mod query;
mod schema;
#[cfg(test)]
mod tests;
mod trail;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use canonical::{Entry, Line, SeenCheck, SentRequest};
pub use error::LedgerError;
pub use file::{folder, usual_folder};
pub use query::{Filter, Trail};
pub use verify::{Finding, Noted, Verified};

use crate::domain::Time;
use crate::domain::act::{Act, ActId};
use crypt::Keys;
use error::sqlite;
use process::Process;
use trail::Head;

/// One line of the journal: the whole act as it was at a named point.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its number, rising over all acts.
    pub number: u64,
    /// When.
    pub at: Time,
    /// The point: `confirmed`, `before request 1`, `after request 1`, `check weight`, `effective`, `over`.
    pub point: String,
    /// The process that wrote it.
    pub process: u32,
    /// The act.
    pub act: Act,
}

/// The journal and the audit trail.
#[derive(Debug)]
pub struct Ledger {
    connection: Mutex<Connection>,
    path: PathBuf,
    keys: Option<Keys>,
    process: Process,
}

impl Ledger {
    /// Opens the file, and makes it when it is not there.
    ///
    /// # Errors
    /// A folder that cannot be written, a damaged file, a key that cannot be read; a trail that is encrypted and no key
    /// or another one.
    pub fn open(folder: &Path, age_identity: Option<&Path>) -> Result<Self, LedgerError> {
        let keys = age_identity.map(Keys::read).transpose()?;
        let (connection, path) = file::writable(folder)?;
        // Better now than in the middle of an act.
        if let Some(row) = trail::last(&connection).map_err(|error| sqlite(&path, &error))? {
            crypt::unseal(keys.as_ref(), &path, row.bytes)?;
        }
        Ok(Self { connection: Mutex::new(connection), path, keys, process: Process::this() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an act down at a point; with `audited`, an entry of the audit trail in the same transaction. Gives the
    /// number of the audit entry, which the act in the journal then carries too.
    ///
    /// # Errors
    /// A disk that is full, a lock that lasts, a trail that does not end where it should: nothing may be sent then. Also
    /// an act that is confirmed a second time, and one that another process drives.
    pub fn write(&self, at: Time, point: &str, act: &Act, audited: bool) -> Result<Option<u64>, LedgerError> {
        let connection = self.lock();
        let transaction = self.begin(&connection)?;
        if let Some(last) = journal::last(&transaction, &self.path, &act.plan.id)? {
            let trouble = |what: String| Err(LedgerError::Trouble(what));
            if point == "confirmed" {
                return trouble(format!(
                    "act {} was confirmed before and is not done twice; make a new plan",
                    act.plan.id
                ));
            }
            if last.process != self.process && !last.process.is_gone() {
                return trouble(format!(
                    "act {} is driven by process {} now; follow it there",
                    act.plan.id, last.process.number
                ));
            }
        }
        let number = self.put(&transaction, at, point, act, audited)?;
        transaction.commit().map_err(|error| self.said(&error))?;
        Ok(number)
    }

    /// Acts that are open and whose process is gone.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn unfinished(&self) -> Result<Vec<Act>, LedgerError> {
        let open = journal::lasts(&self.lock(), &self.path, true, usize::MAX)?;
        let orphans = open.into_iter().filter(|last| last.process.is_gone());
        orphans.map(|last| last.act(self.keys.as_ref(), &self.path)).collect()
    }

    /// Takes an unfinished act over for this process, so that a second wardroom does not; false when another did, when
    /// its process still runs, or when it is over. The journal then holds the act with `resumed` set: see
    /// [`Self::act`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn take_over(&self, act: &ActId, at: Time) -> Result<bool, LedgerError> {
        let connection = self.lock();
        let transaction = self.begin(&connection)?;
        let Some(last) = journal::last(&transaction, &self.path, act)? else { return Ok(false) };
        if !last.open || !last.process.is_gone() {
            return Ok(false);
        }
        let before = last.process.number;
        let mut act = last.act(self.keys.as_ref(), &self.path)?;
        act.resumed = format!(
            "process {} took it over from process {before}, which is gone, at {}",
            self.process.number,
            at.format("%H:%M:%S UTC")
        );
        self.put(&transaction, at, entry::TAKEN_OVER, &act, true)?;
        transaction.commit().map_err(|error| self.said(&error))?;
        Ok(true)
    }

    /// Every line of one act, the oldest first.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn journal(&self, act: &ActId) -> Result<Vec<JournalRow>, LedgerError> {
        let rows = journal::of_act(&self.lock(), &self.path, act)?;
        rows.into_iter().map(|row| row.read(self.keys.as_ref(), &self.path)).collect()
    }

    /// The last state of one act.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn act(&self, act: &ActId) -> Result<Option<Act>, LedgerError> {
        let last = journal::last(&self.lock(), &self.path, act)?;
        last.map(|last| last.act(self.keys.as_ref(), &self.path)).transpose()
    }

    /// The last state of each act, the newest first, at most `limit`.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn acts(&self, limit: usize) -> Result<Vec<Act>, LedgerError> {
        let lasts = journal::lasts(&self.lock(), &self.path, false, limit)?;
        lasts.into_iter().map(|last| last.act(self.keys.as_ref(), &self.path)).collect()
    }

    /// The entries of the audit trail that the filter lets through, the oldest first.
    ///
    /// # Errors
    /// A file that cannot be read, an entry that is none.
    pub fn query(&self, filter: &Filter) -> Result<Vec<Entry>, LedgerError> {
        let mut found = Vec::new();
        query::each(&self.lock(), &self.path, self.keys.as_ref(), filter, |entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    }

    /// Looks whether anything in the audit trail was changed, lost, inserted or moved.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn verify(&self) -> Result<Verified, LedgerError> {
        verify::verify(&self.lock(), &self.path, self.keys.as_ref(), None)
    }

    /// Puts journal row and audit entry into a transaction.
    fn put(
        &self,
        transaction: &Transaction<'_>,
        at: Time,
        point: &str,
        act: &Act,
        audited: bool,
    ) -> Result<Option<u64>, LedgerError> {
        let mut head = self.head(transaction)?;
        let mut act = act.clone();
        let mut number = None;
        if audited {
            let writer = entry::Writer { process: self.process.number, uid: process::user_number() };
            let carried = self.carried(transaction, &act)?;
            let entry = entry::entry(head.count + 1, at, point, &act, &carried, writer);
            let bytes = entry.canonical().map_err(|why| self.unreadable(&act, &why))?;
            if Entry::parse(&bytes).as_ref() != Ok(&entry) {
                return Err(self.unreadable(&act, "its entry reads back differently"));
            }
            let bytes = crypt::seal(self.keys.as_ref(), &self.path, bytes)?;
            head = trail::append(transaction, &head, &bytes).map_err(|error| self.said(&error))?;
            number = Some(head.count);
            act.audit = number;
        }
        let bytes = serde_json::to_vec(&act).map_err(|why| self.unreadable(&act, &why.to_string()))?;
        // JSON has no NaN: an act with one would be lost when it is needed most.
        match serde_json::from_slice::<Act>(&bytes) {
            Ok(back) if back == act => {}
            Ok(_) => return Err(self.unreadable(&act, "it reads back differently")),
            Err(why) => return Err(self.unreadable(&act, &why.to_string())),
        }
        let bytes = crypt::seal(self.keys.as_ref(), &self.path, bytes)?;
        let new = journal::New { at, point, act: &act, bytes: &bytes, process: &self.process, head: &head };
        journal::insert(transaction, &new).map_err(|error| self.said(&error))?;
        Ok(number)
    }

    /// The `Audit-ID` of each request as earlier rows told it; nothing where no state has lost it.
    fn carried(&self, transaction: &Transaction<'_>, act: &Act) -> Result<Vec<String>, LedgerError> {
        if !act.requests.iter().any(entry::lost_its_audit_id) {
            return Ok(Vec::new());
        }
        let mut carried = vec![String::new(); act.requests.len()];
        for row in journal::of_act(transaction, &self.path, &act.plan.id)? {
            let earlier = row.act(self.keys.as_ref(), &self.path)?;
            for (known, state) in carried.iter_mut().zip(&earlier.requests) {
                if let Some(audit_id) = entry::audit_id(state) {
                    audit_id.clone_into(known);
                }
            }
        }
        Ok(carried)
    }

    /// The trail's head, when the table ends there.
    fn head(&self, transaction: &Transaction<'_>) -> Result<Head, LedgerError> {
        let said = |error| self.said(&error);
        let last = trail::last(transaction).map_err(said)?;
        match trail::head(transaction).map_err(said)? {
            Some(head) if trail::ends_at(&head, last.as_ref()) => Ok(head),
            _ => Err(LedgerError::at(
                &self.path,
                "the audit trail does not end where it should: it was changed",
                "run `wardroom audit verify`, keep the folder for the inquiry, and set control.folder to a new one",
            )),
        }
    }

    fn unreadable(&self, act: &Act, why: &str) -> LedgerError {
        let what = format!("act {} cannot be written so that it can be read again ({why})", act.plan.id);
        LedgerError::at(&self.path, what, "nothing was written; make a new plan")
    }

    /// Begins to write: waits for other processes now, not in the middle.
    fn begin<'a>(&self, connection: &'a Connection) -> Result<Transaction<'a>, LedgerError> {
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(|error| self.said(&error))
    }

    fn said(&self, error: &rusqlite::Error) -> LedgerError {
        sqlite(&self.path, error)
    }

    /// A panic of another thread left no half transaction: those roll back when they are dropped.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
