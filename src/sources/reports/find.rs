//! Finds report files and reads them. Blocking.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::moment;
use crate::domain::{Fault, FaultKind, Time};

/// Entries of a folder that are looked at.
const MOST_ENTRIES: usize = 100_000;
/// Other files beside the reports are passed over: pages, pictures, what is half written.
const ENDINGS: [&str; 4] = ["json", "jsonl", "ndjson", "csv"];

/// A report file as it lay there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// When it was written.
    pub modified: SystemTime,
    /// Where it lies.
    pub path: PathBuf,
    /// How long it is, bytes.
    pub length: u64,
}

impl Found {
    fn of(path: PathBuf, about: &Metadata) -> Self {
        let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { modified, path, length: about.len() }
    }

    /// The moment in its name, else when it was written.
    pub fn at(&self, offset_min: i32) -> Time {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        moment::in_name(&name, offset_min).unwrap_or_else(|| self.modified.into())
    }

    /// Its content.
    ///
    /// # Errors
    /// [`FaultKind::TooLarge`] above `most_bytes`, [`FaultKind::File`] when it cannot be read.
    pub fn read(&self, most_bytes: u64) -> Result<Vec<u8>, Fault> {
        let shown = self.path.display();
        let too_large = || {
            Fault::new(FaultKind::TooLarge, format!("{shown}: is larger than {} MiB", most_bytes >> 20))
                .advise("raise max_answer_mib")
        };
        if self.length > most_bytes {
            return Err(too_large());
        }
        let mut raw = Vec::new();
        let read = File::open(&self.path)
            .and_then(|file| file.take(most_bytes.saturating_add(1)).read_to_end(&mut raw));
        match read {
            Err(error) => Err(unreadable(&self.path, &error)),
            // It grew since it was looked at.
            Ok(length) if length as u64 > most_bytes => Err(too_large()),
            Ok(_) => Ok(raw),
        }
    }
}

/// The reports at a path, the newest first: the file itself, or the files of the folder.
///
/// # Errors
/// [`FaultKind::File`] when the path is not there or may not be read, [`FaultKind::Absent`] when a folder
/// holds no report.
pub fn reports(path: &Path) -> Result<Vec<Found>, Fault> {
    let about = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if about.is_file() {
        return Ok(vec![Found::of(path.to_owned(), &about)]);
    }
    if !about.is_dir() {
        // A pipe would block for ever.
        return Err(Fault::new(FaultKind::File, format!("{} is neither file nor folder", path.display())));
    }
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    let mut found: Vec<Found> = entries
        .take(MOST_ENTRIES)
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let hidden = path.file_name()?.to_string_lossy().starts_with('.');
            let ending = path.extension()?.to_string_lossy().to_ascii_lowercase();
            if hidden || !ENDINGS.contains(&ending.as_str()) {
                return None;
            }
            let about = fs::metadata(&path).ok().filter(Metadata::is_file)?;
            Some(Found::of(path, &about))
        })
        .collect();
    // Files copied together have one time: then their names tell the order.
    found.sort_unstable_by(|a, b| b.cmp(a));
    match found.is_empty() {
        true => Err(Fault::new(FaultKind::Absent, format!("{}: no report in this folder", path.display()))
            .advise("reports end with .json, .jsonl, .ndjson or .csv")),
        false => Ok(found),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    crate::sources::unreadable(path, error).advise("check the path of [[drift_reports]]")
}
