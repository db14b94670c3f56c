//! A tape on the disk: which blocks it has, and what stands in them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::block::{self, HEAD, Kind, PREFACE};
use super::item::{Item, Whole};
use crate::domain::Time;

/// Why a file cannot be played at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TapeError {
    /// It cannot be opened or read.
    #[error("{path}: {why}; name a file that `--record` wrote")]
    File {
        /// Which file.
        path: String,
        /// Why.
        why: String,
    },
    /// It does not begin like a tape.
    #[error("{0} is not a recording; name a file that `--record` wrote")]
    NoTape(String),
    /// It was written by a newer program.
    #[error("{path} has form {found}, this wardroom plays form {known}; use the wardroom that recorded it")]
    Version {
        /// Which file.
        path: String,
        /// The form it has.
        found: u16,
        /// The form that can be played.
        known: u16,
    },
    /// Its first block is broken: there is nothing to start from.
    #[error("{path}: its first block is broken: {why}; nothing of it can be played")]
    First {
        /// Which file.
        path: String,
        /// Why.
        why: String,
    },
}

/// One block's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    offset: u64,
    len: u32,
    kind: Kind,
    at: Time,
}

/// An open tape.
#[derive(Debug)]
pub struct Tape {
    file: File,
    places: Vec<Place>,
    /// Why it ends before the file does.
    cut: Option<String>,
}

impl Tape {
    /// Opens a tape and looks at every block's hash: it ends before the first that does not hold.
    ///
    /// # Errors
    /// See [`TapeError`].
    pub fn open(path: &Path) -> Result<Self, TapeError> {
        let name = || path.display().to_string();
        let wrong = |error: std::io::Error| TapeError::File { path: name(), why: error.to_string() };
        let mut file = File::open(path).map_err(wrong)?;
        let mut preface = [0; PREFACE as usize];
        let got = read_up_to(&mut file, &mut preface).map_err(wrong)?;
        match block::version(&preface[..got]) {
            None => return Err(TapeError::NoTape(name())),
            Some(block::VERSION) => {}
            Some(found) => {
                return Err(TapeError::Version { path: name(), found, known: block::VERSION });
            }
        }
        let size = file.metadata().map_err(wrong)?.len();
        let mut tape = Self { file, places: Vec::new(), cut: None };
        let mut offset = PREFACE;
        let mut payload = Vec::new();
        while tape.cut.is_none() && offset < size {
            match tape.look(offset, size, &mut payload) {
                Ok(place) => {
                    offset = place.offset + u64::from(place.len);
                    tape.places.push(place);
                }
                Err(why) => tape.cut = Some(format!("{why} at byte {offset} of {size}")),
            }
        }
        let broken = |why: &str| TapeError::First { path: name(), why: why.to_owned() };
        match tape.places.first() {
            None => Err(broken(tape.cut.as_deref().unwrap_or("there is none"))),
            Some(place) if place.kind != Kind::Whole => Err(broken("it holds no whole state")),
            Some(_) => Ok(tape),
        }
    }

    fn look(&mut self, offset: u64, size: u64, payload: &mut Vec<u8>) -> Result<Place, &'static str> {
        let mut bytes = [0; HEAD];
        let got = read_up_to(&mut self.file, &mut bytes).map_err(|_| "the file cannot be read on")?;
        if got < HEAD {
            return Err("a block is cut off");
        }
        let head = block::Head::read(&bytes).ok_or("a block's head is damaged")?;
        let start = offset + HEAD as u64;
        if start + u64::from(head.len) > size {
            return Err("a block is cut off");
        }
        payload.clear();
        let read = (&mut self.file).take(u64::from(head.len)).read_to_end(payload);
        if read.map_err(|_| "the file cannot be read on")? < head.len as usize {
            return Err("a block is cut off");
        }
        if !head.fits(&bytes, payload) {
            return Err("a block is damaged");
        }
        Ok(Place { offset: start, len: head.len, kind: head.kind, at: head.at })
    }

    /// Why the tape ends before the file does, if it does.
    pub fn cut(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    /// How many blocks can be played.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is nothing to play; never so for an open tape.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The first moment.
    pub fn begins(&self) -> Time {
        self.places.first().map(|place| place.at).unwrap_or_default()
    }

    /// The last moment.
    pub fn ends(&self) -> Time {
        self.places.last().map(|place| place.at).unwrap_or_default()
    }

    /// What a block holds.
    pub fn kind(&self, block: usize) -> Option<Kind> {
        self.places.get(block).map(|place| place.kind)
    }

    /// The moment at a block's end.
    pub fn at(&self, block: usize) -> Option<Time> {
        self.places.get(block).map(|place| place.at)
    }

    /// The last whole state that is not after a moment; the first block when there is none.
    pub fn whole_before(&self, at: Time) -> usize {
        let fits = |place: &Place| place.kind == Kind::Whole && place.at <= at;
        self.places.iter().rposition(fits).unwrap_or(0)
    }

    /// A whole state.
    ///
    /// # Errors
    /// The block cannot be read, or is of another form.
    pub fn whole(&mut self, block: usize) -> Result<Whole, String> {
        self.contents(block)
    }

    /// What came in a block.
    ///
    /// # Errors
    /// The block cannot be read, or is of another form.
    pub fn items(&mut self, block: usize) -> Result<Vec<Item>, String> {
        self.contents(block)
    }

    /// Lets the tape end before a block.
    pub(super) fn end_before(&mut self, block: usize, why: &str) {
        self.places.truncate(block.max(1));
        self.cut = Some(format!("block {block} cannot be played: {why}"));
    }

    fn contents<T: DeserializeOwned>(&mut self, block: usize) -> Result<T, String> {
        let place = *self.places.get(block).ok_or("there is no such block")?;
        let mut payload = Vec::new();
        self.file
            .seek(SeekFrom::Start(place.offset))
            .and_then(|_| (&mut self.file).take(u64::from(place.len)).read_to_end(&mut payload))
            .map_err(|error| error.to_string())?;
        block::decode(&payload)
    }
}

/// Reads as much as there is.
fn read_up_to(file: &mut File, into: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < into.len() {
        match file.read(&mut into[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}
