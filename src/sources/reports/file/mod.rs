//! Drift reports in files: one file that is written anew, or a folder whose newest file counts.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::domain::{Fact, Fault, FaultKind, Harvest, SourceInfo, Time};
use crate::sources::remarks::Remarks;
use crate::sources::reports::find::{self, Found};
use crate::sources::reports::told::{Terms, Told};
use crate::sources::reports::{MOST_SOUGHT, aged, shape};
use crate::sources::{Polled, Source};

/// Reports of a folder that make the past.
const MOST_PAST: usize = 200;

/// Reports of one model in files.
pub struct Files {
    info: SourceInfo,
    timeout: Duration,
    task: Task,
    /// A look that outlived its poll: a dead mount must not collect threads.
    under_way: Option<JoinHandle<Result<Looked, Fault>>>,
    /// The file that was read last, and what it says.
    known: Option<(Found, Time, Vec<Fact>)>,
    remarks: Remarks,
}

/// What a look needs to know.
#[derive(Clone)]
struct Task {
    path: PathBuf,
    terms: Terms,
    most_bytes: u64,
    patience: Duration,
}

/// What a look brought.
enum Looked {
    Same,
    Anew { found: Found, at: Time, now: Vec<Fact>, past: Vec<Fact> },
}

impl Files {
    /// Reports at `path`; a look at the past ends after half of `timeout`.
    pub fn new(info: SourceInfo, path: PathBuf, terms: Terms, timeout: Duration, most_bytes: u64) -> Self {
        let task = Task { path, terms, most_bytes, patience: timeout / 2 };
        Self { info, timeout, task, under_way: None, known: None, remarks: Remarks::default() }
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let known = self.known.as_ref().map(|(found, _, _)| found.clone());
        let task = self.task.clone();
        let under_way =
            self.under_way.get_or_insert_with(|| tokio::task::spawn_blocking(move || task.look(known)));
        let looked = under_way.await;
        self.under_way = None;
        let looked = looked.map_err(|_| Fault::new(FaultKind::File, "reading the files broke off"))?;
        let mut past_facts = Vec::new();
        match looked {
            Ok(Looked::Same) => {}
            Ok(Looked::Anew { found, at, now, past }) => {
                self.known = Some((found, at, now));
                past_facts = past;
            }
            Err(fault) => {
                // A report that becomes readable again shall be read again.
                self.known = None;
                return Err(fault);
            }
        }
        let mut facts = Vec::new();
        if let Some((_, at, said)) = &self.known {
            facts.extend(said.iter().cloned());
            facts.extend(aged(*at, now));
        }
        facts.extend(past_facts);
        Ok(Harvest::of(self.remarks.only_new(facts)))
    }
}

impl Source for Files {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.timeout + Duration::from_secs(1)
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}

impl Task {
    fn look(&self, known: Option<Found>) -> Result<Looked, Fault> {
        let begun = Instant::now();
        let all = find::reports(&self.path)?;
        let Some((newest, older)) = all.split_first() else { return Ok(Looked::Same) };
        if known.as_ref() == Some(newest) {
            return Ok(Looked::Same);
        }
        let (at, told) = self.read(newest)?;
        let mut now = self.terms.now(&told, at);
        let own = told.at.unwrap_or(at);
        if told.rows.is_empty() {
            let before = older.iter().take(MOST_SOUGHT - 1).filter_map(|found| self.read(found).ok());
            if let Some((at, told)) = before.into_iter().find(|(_, told)| !told.rows.is_empty()) {
                // What is said last counts, and the newest report is.
                now.splice(0..0, self.terms.now(&told, at));
            }
        }
        if now.is_empty() {
            let what = format!("{}: says nothing about drift or quality", shown(&newest.path));
            return Err(Fault::new(FaultKind::Unreadable, what)
                .advise("is DataDriftPreset, or a metric of drift, in the report?"));
        }
        let mut past = vec![(at, told)];
        if known.is_none() {
            self.read_past(older, begun, &mut past);
        }
        let past = self.terms.history(&now, &past);
        Ok(Looked::Anew { found: newest.clone(), at: own, now, past })
    }

    fn read(&self, found: &Found) -> Result<(Time, Told), Fault> {
        let raw = found.read(self.most_bytes)?;
        Ok((found.at(self.terms.offset_min), shape::read(&raw, &shown(&found.path), &self.terms)?))
    }

    /// Older reports, the newest first, as far as time and the limit of size go. A broken one is a gap.
    fn read_past(&self, older: &[Found], begun: Instant, past: &mut Vec<(Time, Told)>) {
        let mut left = self.most_bytes;
        for found in older.iter().take(MOST_PAST - 1) {
            if begun.elapsed() > self.patience || found.length > left {
                break;
            }
            left -= found.length;
            past.extend(self.read(found).ok());
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
