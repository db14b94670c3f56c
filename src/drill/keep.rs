//! What is kept of drills: one line of JSON each, and a mark of each drill that has not cleaned up yet. A file lock
//! tells a drill that runs from one that was killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Lines longer than this are somebody else's.
const LONGEST: usize = 1 << 20;
/// How an unfinished drill's file ends.
const UNFINISHED: &str = ".unfinished.json";

/// The folder of what is kept.
#[derive(Debug, Clone)]
pub struct Drills {
    folder: PathBuf,
}

/// A drill that is not cleaned up yet; the lock goes with the process.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    /// What is needed to clean up.
    pub undo: Value,
    _lock: File,
}

impl Drills {
    /// In the state folder.
    ///
    /// # Errors
    /// A folder that cannot be made, in words.
    pub fn open(state: &Path) -> Result<Self, String> {
        let drills = Self { folder: state.to_owned() };
        std::fs::create_dir_all(drills.marks()).map_err(|why| {
            format!("{}: {why}; set control.folder to a folder that can be written", drills.marks().display())
        })?;
        Ok(drills)
    }

    fn marks(&self) -> PathBuf {
        self.folder.join("drills")
    }

    fn lines(&self) -> PathBuf {
        self.folder.join("drills.jsonl")
    }

    /// The folder of one drill's own journal and audit trail.
    pub fn journal(&self, id: &str) -> PathBuf {
        self.marks().join(id)
    }

    /// Earlier drills, the oldest first; lines that cannot be read are left out.
    pub fn earlier(&self) -> Vec<Value> {
        let text = std::fs::read(self.lines()).unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n').filter(|line| line.len() < LONGEST);
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// Writes a drill's line; it is on disk when this returns.
    ///
    /// # Errors
    /// A file that cannot be written, in words.
    pub fn append(&self, line: &Value) -> Result<(), String> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(self.lines())?;
            // One write: lines of two drills that end at once do not mix.
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        };
        write().map_err(|why| format!("{}: {why}: this drill is not in the list", self.lines().display()))
    }

    /// Marks a drill as begun, before it changes anything; `undo` is what cleaning up needs.
    ///
    /// # Errors
    /// A file that cannot be written, in words.
    pub fn begin(&self, id: &str, undo: Value) -> Result<Unfinished, String> {
        let path = self.marks().join(format!("{id}{UNFINISHED}"));
        let write = || -> io::Result<File> {
            let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
            file.lock()?;
            file.write_all(undo.to_string().as_bytes())?;
            file.sync_all()?;
            File::open(self.marks())?.sync_all()?;
            Ok(file)
        };
        let lock = write().map_err(|why| format!("{}: {why}: nothing was deployed", path.display()))?;
        Ok(Unfinished { path, undo, _lock: lock })
    }

    /// Drills that were killed before they cleaned up. One that still runs is not among them.
    ///
    /// # Errors
    /// A folder that cannot be read, in words.
    pub fn left(&self) -> Result<Vec<Unfinished>, String> {
        let fault = |why: io::Error| format!("{}: {why}", self.marks().display());
        let mut left = Vec::new();
        for entry in std::fs::read_dir(self.marks()).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            if !path.to_string_lossy().ends_with(UNFINISHED) {
                continue;
            }
            let Ok(mut lock) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(why)) => return Err(fault(why)),
            }
            let mut text = String::new();
            lock.read_to_string(&mut text).map_err(fault)?;
            // Cut off while it was written: nothing had been deployed by then.
            let undo = serde_json::from_str(&text).unwrap_or(Value::Null);
            left.push(Unfinished { path, undo, _lock: lock });
        }
        Ok(left)
    }
}

impl Unfinished {
    /// The drill's name.
    pub fn id(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.trim_end_matches(UNFINISHED).to_owned()
    }

    /// It was cleaned up.
    ///
    /// # Errors
    /// A file that cannot be removed, in words.
    pub fn done(self) -> Result<(), String> {
        std::fs::remove_file(&self.path).map_err(|why| format!("{}: {why}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_are_kept_and_a_broken_one_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let drills = Drills::open(folder.path()).unwrap();
        assert!(drills.earlier().is_empty());
        drills.append(&json!({"drill": "d-1"})).unwrap();
        std::fs::write(drills.lines(), "{\"drill\": \"d-1\"}\n{\"dri\n").unwrap();
        drills.append(&json!({"drill": "d-2"})).unwrap();
        let ids: Vec<Value> = drills.earlier().iter().map(|line| line["drill"].clone()).collect();
        assert_eq!(ids, ["d-1", "d-2"]);
    }

    #[test]
    fn one_that_runs_is_not_left_and_one_that_ended_without_a_word_is() {
        let folder = tempfile::tempdir().unwrap();
        let drills = Drills::open(folder.path()).unwrap();
        let running = drills.begin("d-1", json!({"kind": "demo"})).unwrap();
        assert!(drills.left().unwrap().is_empty(), "it holds its lock");
        drop(running);
        let left = drills.left().unwrap();
        assert_eq!((left.len(), left[0].id().as_str(), &left[0].undo["kind"]), (1, "d-1", &json!("demo")));
        left.into_iter().for_each(|one| one.done().unwrap());
        assert!(drills.left().unwrap().is_empty());
        assert!(drills.begin("d-2", json!(1)).unwrap().done().is_ok());
    }
}
