//! The audit trail for other programs: JSON lines, and CSV for spreadsheets.

use std::io::{self, Write};

use super::canonical::Entry;

/// Writes entries as lines of JSON: each line is an entry's canonical bytes.
#[derive(Debug)]
pub struct JsonLines<W: Write>(W);

impl<W: Write> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(out)
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = entry.canonical().map_err(io::Error::other)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }

    /// Ends it.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The columns of the CSV.
pub const COLUMNS: [&str; 29] = [
    "number",
    "at",
    "line",
    "point",
    "act",
    "environment",
    "cluster",
    "namespace",
    "model",
    "system",
    "target",
    "verb",
    "what",
    "user",
    "origin",
    "host",
    "identity",
    "by",
    "uid",
    "process",
    "why",
    "before",
    "after",
    "evidence",
    "detail",
    "outcome",
    "audit_ids",
    "requests",
    "checks",
];

/// Writes entries as CSV, with a line of names. A cell that a spreadsheet would run as a formula gets an apostrophe in
/// front; JSON lines carry every value as it is.
pub struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> std::fmt::Debug for Csv<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Csv").finish_non_exhaustive()
    }
}

impl<W: Write> Csv<W> {
    /// Writes to `out`, the names first.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS).map_err(io_error)?;
        Ok(Self(writer))
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.0.write_record(cells(entry)?.map(harmless)).map_err(io_error)
    }

    /// Ends it.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A broken pipe must stay one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cells(entry: &Entry) -> io::Result<[String; 29]> {
    let audit_ids: Vec<&str> = (entry.requests.iter().map(|request| request.audit_id.as_str()))
        .filter(|audit_id| !audit_id.is_empty())
        .collect();
    let (model, who) = (&entry.model, &entry.who);
    Ok([
        entry.number.to_string(),
        entry.at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        entry.line.words().into(),
        entry.point.clone(),
        entry.act.0.clone(),
        model.environment.to_string(),
        model.cluster.to_string(),
        model.namespace.to_string(),
        model.name.to_string(),
        entry.system.clone(),
        entry.target.clone(),
        entry.verb.clone(),
        entry.what.clone(),
        who.user.clone(),
        who.origin.clone(),
        who.host.clone(),
        who.identity.clone(),
        who.by.clone(),
        entry.uid.to_string(),
        entry.process.to_string(),
        entry.why.clone(),
        entry.before.clone(),
        entry.after.clone(),
        entry.evidence.clone(),
        entry.detail.clone(),
        entry.outcome.clone(),
        audit_ids.join(" "),
        serde_json::to_string(&entry.requests)?,
        serde_json::to_string(&entry.checks)?,
    ])
}

fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
