//! Raw samples in files: follows the file that grows and computes the drift of its last rows against a
//! reference. Files are read, and drift computed, off the threads that poll.

mod predictions;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use super::remarks::Remarks;
use super::{Polled, Source, lenient, model_id};
use crate::config::{Config, Preset, SamplesConfig};
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fact, Fault, FaultKind, Harvest, Kpi, ModelId, SourceGroup, SourceId, SourceInfo, Time};
use crate::drift::{Groups, Method, Prepared, Reference, Report, Status, compare};
use crate::samples::{Follower, Options, SampleError, Table, read};
use predictions::{Predictions, Turn};

/// The deadline of reading and computing, when none is configured.
const PATIENCE: Duration = Duration::from_secs(60);
/// More features than this are cut.
const MOST_FEATURES: usize = 5_000;
/// Features whose many categories show more than this without any drift are left out, when uncertain.
const MOST_USUAL: f64 = 0.05;
/// Features that are named in one finding.
const NAMED: usize = 5;

/// One source for each configured pair of files.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let models: Vec<_> = config.model.iter().map(|model| model_id(config, model)).collect();
    let build = |samples: &SamplesConfig| -> Result<Box<dyn Source>, Fault> {
        let unfit = |what: String| Fault::new(FaultKind::Absent, format!("{}: {what}", samples.name));
        let model = lenient::find(&models, &clean_name(&samples.model), None)
            .ok_or_else(|| unfit("no such model".into()))?;
        Ok(Box::new(Samples {
            info: SourceInfo {
                id: SourceId::new(&samples.name),
                group: SourceGroup::Mlops,
                kind: "samples".into(),
                place: clean(&samples.current.display().to_string(), 200),
                interval_s: config.interval_s(samples.interval),
                model: None,
                owes: vec![(model.clone(), Kpi::DataDrift)],
            },
            patience: samples.timeout.map_or(PATIENCE, |span| span.0),
            task: Some(Task::new(model.clone(), samples).map_err(unfit)?),
            under_way: None,
            remarks: Remarks::default(),
        }))
    };
    config.samples.iter().map(build).collect()
}

/// Samples of one model.
struct Samples {
    info: SourceInfo,
    patience: Duration,
    /// What is read and known; away while a look is under way.
    task: Option<Task>,
    /// A look that outlived its poll: it is waited for, not begun again.
    under_way: Option<JoinHandle<Looked>>,
    remarks: Remarks,
}

impl Samples {
    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        if let Some(mut task) = self.task.take() {
            self.under_way = Some(tokio::task::spawn_blocking(move || {
                let said = task.look(now);
                (task, said)
            }));
        }
        let Some(under_way) = &mut self.under_way else {
            return Err(
                Fault::new(FaultKind::File, "an earlier look broke off").advise("start wardroom again")
            );
        };
        let looked = under_way.await;
        self.under_way = None;
        let (task, said) = looked.map_err(|_| {
            Fault::new(FaultKind::File, "reading the samples broke off").advise("start wardroom again")
        })?;
        self.task = Some(task);
        Ok(Harvest::of(self.remarks.only_new(said?)))
    }
}

impl Source for Samples {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.patience
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}

/// What a look gives back: what it was made with, and what it found.
type Looked = (Task, Result<Vec<Fact>, Fault>);

/// Length and time of change of a file.
type Stamp = (u64, Option<SystemTime>);

/// What is read, and what is known from before.
struct Task {
    model: ModelId,
    reference_path: PathBuf,
    methods: Vec<Method>,
    groups: Groups,
    prediction: Option<String>,
    follower: Follower,
    reference: Option<(Stamp, Reference)>,
    predictions: Predictions,
    known: Option<Vec<Fact>>,
}

impl Task {
    fn new(model: ModelId, samples: &SamplesConfig) -> Result<Self, String> {
        Ok(Self {
            model,
            reference_path: samples.reference.clone(),
            methods: Method::list(&samples.methods.join(","))?,
            groups: Groups::new(&samples.groups)?,
            prediction: samples.prediction_column.clone(),
            follower: Follower::new(&samples.current, samples.window, Options::default()),
            reference: None,
            predictions: Predictions::default(),
            known: None,
        })
    }

    /// Reads what is new. What holds still is said again.
    fn look(&mut self, now: Time) -> Result<Vec<Fact>, Fault> {
        let anew = self.read_reference()?;
        // A JSON line that cannot be read is skipped the next time: what the window holds is still good.
        let read = self.follower.read_new().map(|new| new.is_some());
        let (new, broken) = match read {
            Ok(new) => (new, None),
            Err(error @ SampleError::Line { .. }) if self.follower.window().rows() > 0 => {
                (true, Some(Fact::Remark(clean(&error.to_string(), 400))))
            }
            Err(error) => return Err(fault(&error)),
        };
        if (new || anew || self.known.is_none()) && self.reference.is_some() {
            // Should computing fail, what was known before no longer holds.
            self.known = None;
            self.known = Some(self.compute(now, new)?);
        }
        let mut facts = self.known.clone().unwrap_or_default();
        facts.extend(broken);
        Ok(facts)
    }

    /// Reads the reference when it is not the one that is known; true when it was.
    fn read_reference(&mut self) -> Result<bool, Fault> {
        let path = &self.reference_path;
        let stamp =
            stamp(path).map_err(|source| fault(&SampleError::Unreadable { path: path.clone(), source }))?;
        if self.reference.as_ref().is_some_and(|(known, _)| *known == stamp) {
            return Ok(false);
        }
        let table = read(path, &Options::default()).map_err(|error| fault(&error))?;
        self.reference = Some((stamp, Reference::new(table)));
        Ok(true)
    }

    /// `new`: the window changed, not only the reference.
    fn compute(&mut self, now: Time, new: bool) -> Result<Vec<Fact>, Fault> {
        let Some((_, reference)) = &self.reference else { return Ok(Vec::new()) };
        let window = self.follower.window();
        let (taken, limit) = (window.taken(), window.limit() as u64);
        let table = window.to_table();
        let place = self.follower.path().display().to_string();
        if table.rows == 0 {
            return Err(Fault::new(FaultKind::Absent, format!("{place}: holds no row yet"))
                .advise("wait until the server has written samples"));
        }
        // The rows are as old as the file's last change, not as our look.
        let changed = stamp(self.follower.path()).ok().and_then(|(_, changed)| changed);
        let at = changed.map_or(now, |changed| Time::from(changed).min(now));
        let mut facts = about(&place, &table);
        let mut current = Prepared::all(table);
        if let Some(name) = &self.prediction
            && let Some(place) = current.iter().position(|column| *column.name == **name)
        {
            let column = Arc::new(current.remove(place));
            let finding = self.predictions.told(reference.get(name), &column, Turn { taken, limit, new });
            facts.push(self.finding("prediction", finding));
        } else if let Some(name) = &self.prediction {
            facts.push(self.finding("prediction", (format!("the file has no column `{name}`"), true)));
        }
        let mut report = compare(reference, &current, &self.methods, &self.groups);
        if let Some(name) = &self.prediction {
            report.features.retain(|said| *said.feature != **name);
        }
        facts.push(self.finding("schema", schema(&report)));
        let (features, more) = self.features(&report, at);
        facts.extend(more);
        facts.push(Fact::Drift { model: self.model.clone(), features });
        Ok(facts)
    }

    /// One entry a feature and method. What would look more certain than it is, is left out.
    fn features(&self, report: &Report, at: Time) -> (Vec<crate::domain::FeatureDrift>, Option<Fact>) {
        let mut unsure: Vec<&str> = Vec::new();
        let mut features = Vec::new();
        for said in report.features.iter().take(MOST_FEATURES * self.methods.len()) {
            let Some(drift) = said.to_domain(at) else { continue };
            // Its many categories make it noisier than the store can know from its rows: they alone would
            // look like drift.
            if said.usual >= MOST_USUAL && Some(drift.certainty()) > said.certainty {
                unsure.push(&said.feature);
                continue;
            }
            features.push(drift);
        }
        unsure.dedup();
        let remark = (!unsure.is_empty()).then(|| {
            let text = format!("too many categories for their rows to show drift: {}", listed(&unsure));
            Fact::Remark(clean(&text, 400))
        });
        (features, remark)
    }

    fn finding(&self, kind: &str, (finding, abnormal): (String, bool)) -> Fact {
        Fact::DriftFinding {
            model: self.model.clone(),
            kind: kind.into(),
            finding: clean(&finding, 200),
            abnormal,
        }
    }
}

/// What is odd about features: gone, new, empty, of another type, of other quality, with new categories.
fn schema(report: &Report) -> (String, bool) {
    let mut by_state: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for said in &report.features {
        let name: &str = &said.feature;
        let states = [
            said.status.is_schema_change().then(|| state_word(said.status)),
            said.data_quality_alert.then_some("other share of unusable cells"),
            (said.unseen_in_reference > 0).then_some("new categories"),
        ];
        for state in states.into_iter().flatten() {
            let names = by_state.entry(state).or_default();
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
    }
    if by_state.is_empty() {
        return ("none found".into(), false);
    }
    let parts: Vec<String> =
        by_state.iter().map(|(state, names)| format!("{state}: {}", listed(names))).collect();
    (parts.join("; "), true)
}

fn state_word(status: Status) -> &'static str {
    match status {
        Status::MissingInCurrent => "gone",
        Status::MissingInReference => "not in the reference",
        Status::TypeChanged => "other type",
        _ => "no data",
    }
}

/// The first few names, and how many more there are.
fn listed(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(NAMED).map(|name| clean_name(name)).collect();
    let more = names.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}

/// What was left out when reading.
fn about(place: &str, table: &Table) -> Vec<Fact> {
    let ragged = (table.ragged > 0)
        .then(|| format!("{} of {} rows have other cells than the header", table.ragged, table.rows));
    let said = ragged.into_iter().chain(table.remarks.iter().cloned());
    said.map(|text| Fact::Remark(clean(&format!("{place}: {text}"), 400))).collect()
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// The error as a fault; it names its remedy itself.
fn fault(error: &SampleError) -> Fault {
    let kind = match error {
        SampleError::Unreadable { .. } | SampleError::NoFile { .. } => FaultKind::File,
        SampleError::Empty { .. } => FaultKind::Absent,
        SampleError::TooLarge { .. } => FaultKind::TooLarge,
        SampleError::Truncated { .. } => FaultKind::CutShort,
        _ => FaultKind::Unreadable,
    };
    Fault::new(kind, error.to_string())
}
