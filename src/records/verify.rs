//! Verification of the audit trail: change, loss, insertion and reordering, also at its end.
//!
//! What it rests on: the chain over the kept bytes, numbers without a gap, the head beside the trail, and the head as
//! every journal row noted it. Who can write the file can build all of these anew; so a head that was printed earlier
//! and kept elsewhere is the only proof against its owner: [`Noted`].

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::canonical::{BEGINNING, Entry, Hash, hex, link};
use super::crypt::{Keys, is_sealed, unseal};
use super::error::{LedgerError, sqlite};
use super::schema::OBJECTS;
use super::trail::{self, Row};

/// More findings than these are counted, not told.
const TOLD: usize = 100;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// At which entry, when it is one.
    pub entry: Option<i64>,
    /// What, in words.
    pub what: String,
}

/// A head that was noted earlier: `COUNT:HASH`, as `audit verify` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// How many entries there were.
    pub count: u64,
    /// The hash of the last, in hexadecimal digits.
    pub hash: String,
}

impl std::str::FromStr for Noted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no head; write COUNT:HASH as `audit verify` prints it");
        let (count, hash) = text.trim().split_once(':').ok_or_else(wrong)?;
        let count = count.parse().map_err(|_| wrong())?;
        let is_hash = hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit());
        is_hash.then(|| Self { count, hash: hash.to_ascii_lowercase() }).ok_or_else(wrong)
    }
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many entries the trail has.
    pub count: u64,
    /// The hash of the last, in hexadecimal digits.
    pub hash: String,
    /// How many entries are encrypted.
    pub encrypted: u64,
    /// How many of those could not be read with the configured key: their chain was looked at, not their words.
    pub unread: u64,
    /// What is not as it was written; empty when the trail is intact.
    pub findings: Vec<Finding>,
    /// How many more findings there were.
    pub more: u64,
}

impl Verified {
    /// Whether nothing was changed, lost, inserted or moved.
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    /// The head in one word, to be kept elsewhere.
    pub fn head(&self) -> String {
        format!("{}:{}", self.count, self.hash)
    }
}

/// Looks at the whole trail as it is at one moment.
pub(super) fn verify(
    connection: &Connection,
    path: &Path,
    keys: Option<&Keys>,
    noted: Option<&Noted>,
) -> Result<Verified, LedgerError> {
    let said = |error: rusqlite::Error| sqlite(path, &error);
    // One moment: others may append meanwhile.
    let snapshot = connection.unchecked_transaction().map_err(said)?;
    let mut walk = Walk::new(path, keys);
    let whole = walk.schema(&snapshot).map_err(said)?;
    if whole {
        trail::each(&snapshot, path, |row| {
            walk.row(&row);
            Ok(())
        })?;
        walk.ends(&snapshot).map_err(said)?;
        walk.journal(&snapshot).map_err(said)?;
    }
    if let Some(noted) = noted {
        walk.noted(noted);
    }
    Ok(walk.verified())
}

struct Walk<'a> {
    path: &'a Path,
    keys: Option<&'a Keys>,
    /// The hashes of the rows as they are kept, by number; of the beginning under 0.
    hashes: HashMap<u64, Hash>,
    /// The last row's number.
    last: u64,
    /// The last row's hash.
    link: Vec<u8>,
    count: u64,
    encrypted: u64,
    unread: u64,
    findings: Vec<Finding>,
    more: u64,
}

impl<'a> Walk<'a> {
    fn new(path: &'a Path, keys: Option<&'a Keys>) -> Self {
        Self {
            path,
            keys,
            hashes: HashMap::from([(0, BEGINNING)]),
            last: 0,
            link: BEGINNING.to_vec(),
            count: 0,
            encrypted: 0,
            unread: 0,
            findings: Vec::new(),
            more: 0,
        }
    }

    fn find(&mut self, entry: Option<i64>, what: impl Into<String>) {
        if self.findings.len() < TOLD {
            self.findings.push(Finding { entry, what: what.into() });
        } else {
            self.more += 1;
        }
    }

    /// Looks whether tables and triggers are as they were made; false when a table that is needed is not there.
    fn schema(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut whole = true;
        for (name, made) in OBJECTS {
            let found: Option<String> = connection
                .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
                .optional()?;
            match found {
                Some(sql) if sql == made => {}
                Some(_) => self.find(None, format!("`{name}`, a part of the file, was changed")),
                None => {
                    self.find(None, format!("`{name}`, a part of the file, was removed"));
                    whole &= !made.starts_with("CREATE TABLE");
                }
            }
        }
        let strange: i64 = connection.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view') \
             AND name NOT IN ('trail_keeps', 'trail_holds', 'trail_grows')",
            [],
            |row| row.get(0),
        )?;
        if strange > 0 {
            self.find(None, "the file has triggers or views that wardroom did not make");
        }
        Ok(whole)
    }

    fn row(&mut self, row: &Row) {
        self.count += 1;
        let expected = self.last + 1;
        let Some(number) = u64::try_from(row.number).ok().filter(|&number| number >= expected) else {
            self.find(Some(row.number), "was inserted before the first entry");
            return;
        };
        if number > expected {
            // What follows a gap cannot be linked.
            let missing = if number == expected + 1 {
                "is missing".to_owned()
            } else {
                format!("is missing, and all that follow to {}", number - 1)
            };
            self.find(i64::try_from(expected).ok(), missing);
        } else if link(&self.link, &row.bytes).as_slice() != row.hash {
            self.find(
                Some(row.number),
                "was changed or moved: its bytes and its hash do not follow from the entry before",
            );
        }
        match Hash::try_from(row.hash.as_slice()) {
            Ok(hash) => drop(self.hashes.insert(number, hash)),
            Err(_) => self.find(Some(row.number), "has a hash of another length"),
        }
        self.last = number;
        self.link.clone_from(&row.hash);
        self.words(row);
    }

    /// Looks at what an entry says, as far as it can be read.
    fn words(&mut self, row: &Row) {
        let plain = if is_sealed(&row.bytes) {
            self.encrypted += 1;
            match unseal(self.keys, self.path, row.bytes.clone()) {
                Ok(plain) => plain,
                Err(_) => {
                    self.unread += 1;
                    return;
                }
            }
        } else {
            row.bytes.clone()
        };
        match Entry::parse(&plain) {
            Ok(entry) if i64::try_from(entry.number) == Ok(row.number) => {}
            Ok(entry) => self.find(Some(row.number), format!("says that it is entry {}", entry.number)),
            Err(why) => self.find(Some(row.number), format!("is no entry: {why}")),
        }
    }

    fn is_hash(&self, number: u64, hash: &[u8]) -> bool {
        self.hashes.get(&number).is_some_and(|known| known == hash)
    }

    /// Looks whether the trail ends where its head says.
    fn ends(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let last = self.last;
        let Some(head) = trail::head(connection)? else {
            self.find(None, "the head of the trail is missing");
            return Ok(());
        };
        if head.count > last {
            self.find(
                i64::try_from(last + 1).ok(),
                format!("is missing: the end was cut, the head knows {} entries", head.count),
            );
        } else if head.count < last {
            self.find(
                i64::try_from(head.count + 1).ok(),
                format!("was added behind the end: the head knows {} entries", head.count),
            );
        } else if !self.is_hash(last, &head.hash) {
            self.find(i64::try_from(last).ok(), "is not the one that the head knows");
        }
        Ok(())
    }

    /// Looks whether the trail still has what each journal row saw at its end.
    fn journal(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement =
            connection.prepare("SELECT number, trail_count, trail_hash FROM journal ORDER BY number")?;
        let mut rows = statement.query([])?;
        let mut last = 0;
        while let Some(row) = rows.next()? {
            let (number, noted, hash): (i64, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let noted = u64::try_from(noted).unwrap_or(u64::MAX);
            if noted < last {
                self.find(None, format!("journal row {number} knows {noted} entries, the row before {last}"));
            }
            last = noted;
            if noted > self.last {
                self.find(
                    i64::try_from(self.last + 1).ok(),
                    format!("is missing: the end was cut, journal row {number} knows {noted} entries"),
                );
            } else if !self.is_hash(noted, &hash) {
                self.find(
                    i64::try_from(noted).ok(),
                    format!("is not the one that journal row {number} knows"),
                );
            }
        }
        // Each entry is written together with a row of the journal.
        if last < self.last {
            self.find(
                i64::try_from(last + 1).ok(),
                format!("is unknown to the journal, whose last row knows {last} entries"),
            );
        }
        Ok(())
    }

    fn noted(&mut self, noted: &Noted) {
        if self.hashes.get(&noted.count).map(|hash| hex(hash)).as_ref() != Some(&noted.hash) {
            self.find(
                i64::try_from(noted.count).ok(),
                "is not the entry of the head that was given: the trail was cut or written anew",
            );
        }
    }

    fn verified(self) -> Verified {
        Verified {
            count: self.count,
            hash: hex(&self.link),
            encrypted: self.encrypted,
            unread: self.unread,
            findings: self.findings,
            more: self.more,
        }
    }
}
