//! Raw samples of one model's features in files: a reference, and a file that grows while the demo runs.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use serde_json::json;
use statrs::distribution::{ContinuousCDF, Normal};

use super::fleet::Fleet;
use super::server::predict;

/// The model whose samples are written: the first of the cast.
pub const MODEL: usize = 0;
/// Rows of the reference, and of the current file at the start.
const ROWS: usize = 4_000;
/// Rows that come in a second.
const RATE: usize = 60;
/// The feature that is a category.
const CATEGORY: &str = "apoe_e4";
/// Its values and how often each occurs in the reference.
const VALUES: [(&str, f64); 3] = [("e3e3", 0.62), ("e3e4", 0.30), ("e4e4", 0.08)];

/// The folder with both files; it goes when the demo goes.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Drop for Files {
    fn drop(&mut self) {
        // A folder that cannot be removed is the system's to clean up: it lies among the temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Files {
    /// The folder itself.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Where a journal may lie.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Writes both files into a new folder among the temporary files.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn write(fleet: &Fleet) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("wardroom-demo-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let files = Self { folder };
        let mut rng = SmallRng::seed_from_u64(fleet.story.seed);
        for (path, t) in [(files.reference(), None), (files.current(), Some(fleet.t()))] {
            let mut text = header(fleet);
            rows(fleet, t, ROWS, &mut rng, &mut text);
            File::create(path)?.write_all(text.as_bytes())?;
        }
        for (model, state) in fleet.models.iter().enumerate().filter(|(model, _)| fleet.has_rollout(*model)) {
            File::create(files.recorded(&state.part.name))?.write_all(recorded(fleet, model).as_bytes())?;
        }
        Ok(files)
    }

    /// Requests to a model with the answer of each of its versions.
    pub fn recorded(&self, model: &str) -> PathBuf {
        self.folder.join(format!("recorded-{model}.jsonl"))
    }

    /// Samples as the model was trained on.
    pub fn reference(&self) -> PathBuf {
        self.folder.join("reference.csv")
    }

    /// Samples as they come.
    pub fn current(&self) -> PathBuf {
        self.folder.join("current.csv")
    }
}

/// Appends what comes, second after second.
pub async fn grow(fleet: Arc<Fleet>, current: PathBuf) {
    let mut rng = SmallRng::seed_from_u64(fleet.story.seed ^ 1);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.tick().await;
    loop {
        tick.tick().await;
        let mut text = String::new();
        rows(&fleet, Some(fleet.t()), RATE, &mut rng, &mut text);
        // A disk that is full ends the growth, not the demo: the room then shows the samples' age.
        if append(&current, &text).is_err() {
            return;
        }
    }
}

/// Requests with the answers of every version, one to a line.
fn recorded(fleet: &Fleet, model: usize) -> String {
    const ROWS: [[f64; 4]; 3] = [[1.0, 0.5, -0.25, 0.0], [-1.5, 0.75, 0.1, 2.0], [0.0, -2.0, 1.25, -0.5]];
    let mut text = String::new();
    for (version, name) in
        fleet.models.get(model).into_iter().flat_map(|m| m.part.versions.iter().enumerate())
    {
        for row in ROWS {
            let line = json!({
                "inputs": [{"name": "features", "shape": [1, 4], "datatype": "FP64", "data": row}],
                "version": name,
                "outputs": [{"name": "predict", "datatype": "FP64", "shape": [1], "data": predict(model, version, 4, &row)}],
            });
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(text.as_bytes())
}

fn features(fleet: &Fleet) -> &[(&'static str, String, f64)] {
    fleet.models.get(MODEL).map_or(&[], |model| &model.part.features)
}

fn header(fleet: &Fleet) -> String {
    let names: Vec<&str> = features(fleet).iter().map(|(_, name, _)| name.as_str()).collect();
    format!("{}\n", names.join(","))
}

/// Rows at a moment of the story, or of the time before it.
fn rows(fleet: &Fleet, t: Option<f64>, count: usize, rng: &mut SmallRng, text: &mut String) {
    let shares: Vec<f64> = features(fleet)
        .iter()
        .enumerate()
        .map(|(place, _)| t.map_or(0.0, |t| fleet.story.drift(MODEL, place, t)))
        .collect();
    // A shift of d standard deviations moves 2Φ(d/2) − 1 of the rows.
    let shifts: Vec<f64> = shares
        .iter()
        .map(|share| Normal::new(0.0, 1.0).map_or(0.0, |n| 2.0 * n.inverse_cdf(0.5 + share.min(0.98) / 2.0)))
        .collect();
    for _ in 0..count {
        for (place, (_, name, _)) in features(fleet).iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            if name == CATEGORY {
                text.push_str(category(rng.random(), shares[place]));
            } else {
                let z: f64 = StandardNormal.sample(rng);
                let (mean, sd) = (10.0 * (place + 1) as f64, 1.0 + place as f64 * 0.7);
                // Writing into a String cannot fail.
                let _ = write!(text, "{:.3}", mean + sd * (z + shifts[place]));
            }
        }
        text.push('\n');
    }
}

/// A category; `moved` is the share of rows that went from the first to the second.
fn category(drawn: f64, moved: f64) -> &'static str {
    let mut left = drawn;
    for (place, (value, share)) in VALUES.into_iter().enumerate() {
        let share = share + [-moved, moved, 0.0][place];
        if left < share {
            return value;
        }
        left -= share;
    }
    VALUES[VALUES.len() - 1].0
}

/// The features by group, as a config writes them.
pub fn groups(fleet: &Fleet) -> String {
    let mut text = String::new();
    for group in ["sensor", "omics", "clinical"] {
        let mine = features(fleet).iter().filter(|(of, ..)| *of == group);
        let names: Vec<String> = mine.map(|(_, name, _)| format!("\"{name}\"")).collect();
        let _ = writeln!(text, "groups.{group} = [{}]", names.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_drawn_by_their_shares() {
        assert_eq!(
            [0.0, 0.61, 0.63, 0.93].map(|drawn| category(drawn, 0.0)),
            ["e3e3", "e3e3", "e3e4", "e4e4"]
        );
        assert_eq!(category(0.61, 0.2), "e3e4", "a fifth of the rows moved");
        assert_eq!(category(1.0, 0.0), "e4e4");
    }
}
