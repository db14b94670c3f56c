//! The history for programs without a room: entries of all environments, what to write documents from. Calls block.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::events;
use super::file::{File, NAME};
use super::frames::Keys;
use super::names::Names;
use super::observer::What;
use super::read::{Wanted, read};
use super::trouble::{Hope, Trouble};
use super::{Settings, Tier};
use crate::domain::incident::{Entry, IncidentId};
use crate::domain::{Event, Kpi, ModelId, Time};
use crate::store::ModelState;

/// How often a file that others keep locked is tried; each attempt waits for some seconds.
const ATTEMPTS: usize = 5;

/// A series that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSeries {
    /// Of which model, all its traffic.
    pub model: ModelId,
    /// Of what.
    pub kpi: Kpi,
    /// Points in order of time: seconds since 1970, and the value in the KPI's unit. A missing point is a gap.
    pub points: Vec<(i64, f64)>,
}

/// Every entry of every environment, in order of recording; none where there is no history yet.
///
/// # Errors
/// A file that cannot be read, in words: what, where, what to do.
pub fn read_entries(folder: &Path) -> Result<Vec<Entry>, String> {
    let Some(file) = open(folder)? else { return Ok(Vec::new()) };
    let said = |error: rusqlite::Error| file.said(&error).words;
    let mut statement = file.connection.prepare("SELECT entry FROM entries ORDER BY number").map_err(said)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(said)?;
    rows.map(|text| {
        serde_json::from_str(&text.map_err(said)?).map_err(|why| {
            format!(
                "{}: an entry cannot be read ({why}); use the wardroom that wrote it",
                file.path.display()
            )
        })
    })
    .collect()
}

/// Appends entries, durably, all or none, and gives them as they stand: one that is there already stays as it was, and
/// the time of recording grows with every entry. An incident stays in its environment; a new one begins in this.
///
/// # Errors
/// A file that cannot be written, in words: what, where, what to do. Nothing was written then.
pub fn append(folder: &Path, environment: &str, entries: &[Entry]) -> Result<Vec<Entry>, String> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        match write(folder, environment, entries) {
            Ok(written) => return Ok(written),
            Err(trouble) if trouble.hope == Hope::Soon => last = trouble.words,
            Err(trouble) => return Err(trouble.words),
        }
    }
    Err(last)
}

fn write(folder: &Path, environment: &str, entries: &[Entry]) -> Result<Vec<Entry>, Trouble> {
    let file = File::writable(folder)?;
    let said = |error: rusqlite::Error| file.said(&error);
    let transaction = file.begin()?;
    let room = rand::random::<i64>();
    let mut written = Vec::new();
    for entry in entries {
        let home: Option<i64> = transaction
            .query_row(
                "SELECT environment FROM entries WHERE incident = ?1 LIMIT 1",
                [&entry.incident.0],
                |row| row.get(0),
            )
            .optional()
            .map_err(said)?;
        let home = match home {
            Some(home) => home,
            None => Names::environment(&transaction, environment).map_err(said)?,
        };
        let entry = std::slice::from_ref(entry);
        written.append(&mut events::write_entries(&transaction, home, room, entry, &file.path)?);
    }
    transaction.commit().map_err(said)?;
    Ok(written)
}

/// The environment that an incident was declared in.
///
/// # Errors
/// As [`read_entries`].
pub fn environment_of(folder: &Path, incident: &IncidentId) -> Result<Option<String>, String> {
    let Some(file) = open(folder)? else { return Ok(None) };
    let sql = "SELECT n.name FROM entries e JOIN environments n ON n.id = e.environment WHERE e.incident = ?1 LIMIT 1";
    let found = file.connection.query_row(sql, [&incident.0], |row| row.get(0)).optional();
    found.map_err(|error| file.said(&error).words)
}

/// Series of all models of the environment from a moment to another, as fine as they are kept of that time but at most
/// some thousand points each.
///
/// # Errors
/// As [`read_entries`].
pub fn read_series(
    settings: &Settings,
    kpis: &[Kpi],
    from: Time,
    to: Time,
) -> Result<Vec<KeptSeries>, String> {
    let Some(file) = open(&settings.folder)? else { return Ok(Vec::new()) };
    let Some(environment) = file.environment(&settings.environment).map_err(|trouble| trouble.words)? else {
        return Ok(Vec::new());
    };
    of_kpis(&file, &settings.tiers, environment, kpis, (from.timestamp(), to.timestamp() + 1))
        .map_err(|error| file.said(&error).words)
}

/// The most points of one series.
const POINTS: i64 = 6_000;

fn of_kpis(
    file: &File,
    tiers: &[Tier],
    environment: i64,
    kpis: &[Kpi],
    span: (i64, i64),
) -> rusqlite::Result<Vec<KeptSeries>> {
    let mut names = Names::default();
    names.learn(&file.connection, environment)?;
    let mut found: Vec<(i64, KeptSeries)> = Vec::new();
    for model in models(file, environment)? {
        for (what, number) in names.of_model(&model) {
            if let What::Kpi(kpi, None) = what
                && kpis.contains(kpi)
            {
                found.push((number, KeptSeries { model: model.clone(), kpi: *kpi, points: Vec::new() }));
            }
        }
    }
    let finest = tiers.first().map_or(15, |tier| i64::from(tier.step_s));
    let wanted = Wanted { environment, span, step_s: finest.max((span.1 - span.0) / POINTS) };
    let places: HashMap<i64, usize> = found.iter().enumerate().map(|(place, (n, _))| (*n, place)).collect();
    let add = |points: &mut Vec<(i64, f64)>, at, value| points.push((at, f64::from(value)));
    for (number, points) in read(&file.connection, tiers, wanted, |number| places.contains_key(&number), add)?
    {
        if let Some(place) = places.get(&number) {
            found[*place].1.points = points;
        }
    }
    let mut series: Vec<KeptSeries> = found.into_iter().map(|(_, series)| series).collect();
    series.retain(|series| !series.points.is_empty());
    series.sort_by(|a, b| (&a.model, a.kpi).cmp(&(&b.model, b.kpi)));
    Ok(series)
}

fn models(file: &File, environment: i64) -> rusqlite::Result<Vec<ModelId>> {
    let mut statement = file
        .connection
        .prepare("SELECT home, cluster, namespace, name FROM models WHERE environment = ?1")?;
    let rows = statement.query_map(params![environment], |row| {
        let text = |column: usize| row.get::<_, String>(column);
        Ok(ModelId {
            environment: text(0)?.into(),
            cluster: text(1)?.into(),
            namespace: text(2)?.into(),
            name: text(3)?.into(),
        })
    })?;
    rows.collect()
}

/// The models of the environment as they stood at a moment, with when that was known; nothing when nothing is kept of
/// that time. Their series are empty.
///
/// # Errors
/// As [`read_entries`]; also a frame that cannot be read.
pub fn models_at(settings: &Settings, at: Time) -> Result<Option<(Time, Vec<ModelState>)>, String> {
    let Some(file) = open(&settings.folder)? else { return Ok(None) };
    let Some(environment) = file.environment(&settings.environment).map_err(|trouble| trouble.words)? else {
        return Ok(None);
    };
    let found = Keys::default().read(&file.connection, environment, at);
    let frame = found.map_err(|error| file.said(&error).words)?.transpose()?;
    Ok(frame.map(|frame| (frame.at, frame.models.clone())))
}

/// The environments that a history knows, by name.
///
/// # Errors
/// As [`read_entries`].
pub fn environments(folder: &Path) -> Result<Vec<String>, String> {
    let Some(file) = open(folder)? else { return Ok(Vec::new()) };
    let said = |error: rusqlite::Error| file.said(&error).words;
    let mut statement =
        file.connection.prepare("SELECT name FROM environments ORDER BY name").map_err(said)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(said)?;
    rows.collect::<Result<_, _>>().map_err(said)
}

/// The most lines of the timeline that are read at once.
const LINES: usize = 100_000;

/// The lines of the timeline from a moment to another, in order of time; of very many the newest.
///
/// # Errors
/// As [`read_entries`].
pub fn read_events(settings: &Settings, from: Time, to: Time) -> Result<Vec<Event>, String> {
    let Some(file) = open(&settings.folder)? else { return Ok(Vec::new()) };
    let Some(environment) = file.environment(&settings.environment).map_err(|trouble| trouble.words)? else {
        return Ok(Vec::new());
    };
    let found = events::events(&file.connection, environment, from, to, LINES);
    found.map_err(|error| file.said(&error).words)
}

fn open(folder: &Path) -> Result<Option<File>, String> {
    if !folder.join(NAME).exists() {
        return Ok(None);
    }
    File::readable(folder).map(Some).map_err(|trouble| trouble.words)
}
