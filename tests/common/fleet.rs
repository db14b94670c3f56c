//! The demo fleet in a process of its own, and configs for those that watch it.
#![allow(dead_code, reason = "not every test file needs every part of it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::pty::PATIENCE;

/// A served demo fleet; it ends when this is dropped.
pub struct Fleet {
    child: Child,
    /// Its config, as it told it.
    pub config: String,
    folder: tempfile::TempDir,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Fleet {
    /// Starts `wardroom demo --serve` with these words more, and waits until all of its config is there.
    pub fn start(words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wardroom.toml");
        let child = Command::new(env!("CARGO_BIN_EXE_wardroom"))
            .args(["demo", "--serve"])
            .args(words)
            .stdout(std::fs::File::create(&path).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut fleet = Self { child, config: String::new(), folder };
        let begun = Instant::now();
        // The config is written at once, and ends with the last model's endpoint.
        while !fleet.config.ends_with("preset = \"wardroom\"\n") {
            assert!(begun.elapsed() < PATIENCE, "the demo does not start; it said\n{}", fleet.config);
            std::thread::sleep(Duration::from_millis(20));
            fleet.config = std::fs::read_to_string(&path).unwrap();
        }
        fleet
    }

    /// Ends it, for who wants to see what is said of a fleet that is gone.
    pub fn stop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its folder: `wardroom.toml`, which names no journal, lies there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The config as the fleet told it, in a file.
    pub fn file(&self) -> String {
        self.folder().join("wardroom.toml").to_str().unwrap().to_owned()
    }

    /// What the room with the config of this name keeps.
    pub fn state(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// A config with a journal of its own; `more` continues its `[control]`.
    pub fn config(&self, name: &str, more: &str) -> PathBuf {
        let path = self.folder().join(format!("{name}.toml"));
        let text = format!("{}\n[control]\nfolder = {:?}\n{more}\n", self.config, self.state(name));
        std::fs::write(&path, text).unwrap();
        path
    }
}
