//! Entries of an incident as CSV: columns for people and spreadsheets, and one that carries the whole entry.

use super::words;
use crate::domain::Time;
use crate::domain::incident::{Entry, EntryId, IncidentId, Matter};

/// The columns. `kind`, `event` and `evidence` are words; `matter` is the entry's content as JSON, from which it is read
/// back.
pub const COLUMNS: [&str; 9] =
    ["id", "incident", "happened", "recorded", "by", "kind", "event", "evidence", "matter"];

/// The entries as CSV with a line of names. A cell that a spreadsheet would run as a formula gets an apostrophe in
/// front, and so does one that begins with an apostrophe: [`read`] takes it away.
///
/// # Errors
/// An entry that JSON cannot say.
pub fn write(entries: &[Entry]) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let wrong = |why: csv::Error| format!("the CSV cannot be written: {why}");
    writer.write_record(COLUMNS).map_err(wrong)?;
    for entry in entries {
        let matter = serde_json::to_string(&entry.matter)
            .map_err(|why| format!("entry {} cannot be written: {why}", entry.id))?;
        let cells = [
            entry.id.0.clone(),
            entry.incident.0.clone(),
            time(entry.happened),
            time(entry.recorded),
            entry.by.clone(),
            words::kind(&entry.matter).to_owned(),
            words::event(entry),
            words::evidence(entry),
            matter,
        ];
        writer.write_record(cells.map(harmless)).map_err(wrong)?;
    }
    let bytes = writer.into_inner().map_err(|why| format!("the CSV cannot be written: {}", why.error()))?;
    String::from_utf8(bytes).map_err(|why| why.to_string())
}

/// The entries of such a CSV, in its order. Columns are found by their names; others are passed over.
///
/// # Errors
/// A column that is missing, a line that is no entry, with its number.
pub fn read(text: &str) -> Result<Vec<Entry>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().map_err(|why| format!("line 1: {why}"))?.clone();
    let column = |wanted: &str| {
        names.iter().position(|name| name == wanted).ok_or_else(|| {
            format!("line 1: there is no column `{wanted}`; export it again with --format csv")
        })
    };
    let places = [
        column("id")?,
        column("incident")?,
        column("happened")?,
        column("recorded")?,
        column("by")?,
        column("matter")?,
    ];
    let mut entries = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let said = |why: String| format!("record {}: {why}", index + 1);
        let record = record.map_err(|why| said(why.to_string()))?;
        let [id, incident, happened, recorded, by, matter] =
            places.map(|place| plain(record.get(place).unwrap_or_default()));
        let matter: Matter = serde_json::from_str(matter).map_err(|why| said(format!("`matter`: {why}")))?;
        entries.push(Entry {
            id: EntryId(id.to_owned()),
            incident: IncidentId(incident.to_owned()),
            happened: moment(happened).map_err(|why| said(format!("`happened`: {why}")))?,
            recorded: moment(recorded).map_err(|why| said(format!("`recorded`: {why}")))?,
            by: by.to_owned(),
            matter,
        });
    }
    Ok(entries)
}

fn time(at: Time) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn moment(text: &str) -> Result<Time, String> {
    chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(|why| format!("`{text}`: {why}"))
}

fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) { format!("'{cell}") } else { cell }
}

fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}
