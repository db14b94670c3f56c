//! CSV: the header line and the rows below it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use csv::ByteRecord;

use super::cell::with_delimited;
use super::format::{BOM, without_bom};
use super::sink::Sink;
use super::{MAX_COLUMNS, Options, SampleError};

/// What the header line says.
#[derive(Debug, Clone)]
pub(super) struct Header {
    separator: u8,
    /// For each cell of a row the column it goes to; `None` for columns that nobody wants.
    columns: Vec<Option<usize>>,
}

impl Header {
    /// Reads the header line, adds its columns to the sink and gives where the rows begin. `None` when the
    /// line is not there or (unless the file is `whole`) not yet there to its end.
    pub(super) fn read(
        path: &Path,
        bytes: &[u8],
        separator: Option<u8>,
        whole: bool,
        options: &Options,
        sink: &mut impl Sink,
    ) -> Result<Option<(Self, usize)>, SampleError> {
        let text = without_bom(bytes);
        let bom = if text.len() == bytes.len() { 0 } else { BOM.len() };
        // Blank lines above the header are skipped by the reader, and must not hide it from the sniffing.
        let blank = text.iter().take_while(|&&byte| byte == b'\n' || byte == b'\r').count();
        let text = text.get(blank..).unwrap_or_default();
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let separator = separator.unwrap_or_else(|| sniff(text));
        let end = match (Scan::new(separator).row(text), whole) {
            (Some(end), _) => end,
            (None, true) => text.len(),
            (None, false) => return Ok(None),
        };
        let mut record = ByteRecord::new();
        let line = text.get(..end).unwrap_or_default();
        reader(line, separator).read_byte_record(&mut record).map_err(|error| broken(path, 1, 0, &error))?;
        check_names(path, &record)?;
        let names = names(path, &record)?;
        if names.len() > MAX_COLUMNS {
            sink.remark(format!("only the first {MAX_COLUMNS} columns are read"));
        }
        let columns = names
            .into_iter()
            .enumerate()
            .map(|(at, name)| (at < MAX_COLUMNS && options.wants(&name)).then(|| sink.column(name)))
            .collect();
        Ok(Some((Self { separator, columns }, bom + blank + end)))
    }

    /// Reads the rows of a whole file: what is below the header.
    pub(super) fn read_all(
        &self,
        path: &Path,
        bytes: &[u8],
        max_rows: u64,
        sink: &mut impl Sink,
    ) -> Result<(), SampleError> {
        let first = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        // A first short row must not reserve more than twice what the file can hold.
        let most = bytes.len() / (2 * self.columns.len().max(1));
        let rows = (bytes.len() / first.max(1)).min(most).saturating_add(1);
        sink.expect(usize::try_from(max_rows).unwrap_or(usize::MAX).min(rows + rows / 16));
        self.rows(path, bytes, true, max_rows, sink)
    }

    /// Reads rows. Of a `whole` file the last row may be cut: it is left out with a remark if so.
    pub(super) fn rows(
        &self,
        path: &Path,
        bytes: &[u8],
        whole: bool,
        max_rows: u64,
        sink: &mut impl Sink,
    ) -> Result<(), SampleError> {
        let mut reader = reader(bytes, self.separator);
        let mut record = ByteRecord::new();
        let mut rows = 0;
        loop {
            let position = reader.position().clone();
            let more = reader
                .read_byte_record(&mut record)
                .map_err(|error| broken(path, position.line(), position.byte(), &error))?;
            if !more {
                return Ok(());
            }
            let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
            if whole && reader.position().byte() >= bytes.len() as u64 {
                let last = bytes.get(at..).unwrap_or_default();
                if Scan::new(self.separator).ends_in_quotes(last) {
                    sink.remark(format!(
                        "the last row (number {}) is left out: its quoted cell does not end",
                        rows + 1
                    ));
                    return Ok(());
                }
            }
            if rows == max_rows {
                sink.remark(format!("only the first {max_rows} rows are read"));
                return Ok(());
            }
            rows += 1;
            for (raw, &column) in record.iter().zip(&self.columns) {
                if let Some(column) = column {
                    with_delimited(raw, |cell| sink.push(column, cell));
                }
            }
            sink.row(record.len() != self.columns.len());
        }
    }

    /// How many of the bytes are whole rows.
    pub(super) fn whole_rows(&self, bytes: &[u8]) -> usize {
        Scan::new(self.separator).rows(bytes)
    }
}

fn reader(bytes: &[u8], separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(bytes.len().clamp(1, 1 << 16))
        .from_reader(bytes)
}

fn broken(path: &Path, line: u64, offset: u64, error: &csv::Error) -> SampleError {
    let remedy = "mend or remove the line";
    SampleError::Line { path: path.into(), line, offset, what: error.to_string(), remedy }
}

/// Numbers for names mean that the header is missing, unless they count the columns.
fn check_names(path: &Path, record: &ByteRecord) -> Result<(), SampleError> {
    let number = |raw: &[u8]| with_delimited(raw, |cell| matches!(cell, super::cell::Cell::Number(_)));
    let counts = |from: usize| (from..).zip(record).all(|(at, raw)| raw == at.to_string().as_bytes());
    if !record.is_empty() && record.iter().all(number) && !counts(0) && !counts(1) {
        return Err(SampleError::NoHeader { path: path.into() });
    }
    Ok(())
}

/// The names, each once. Nothing goes to the sink before all are known to be good.
fn names(path: &Path, record: &ByteRecord) -> Result<Vec<Arc<str>>, SampleError> {
    let mut seen = HashSet::new();
    let mut names = Vec::with_capacity(record.len());
    for (at, raw) in record.iter().enumerate() {
        let name = String::from_utf8_lossy(raw.trim_ascii());
        // The index of a data frame has no name.
        let name: Arc<str> =
            if name.is_empty() { format!("column {}", at + 1).into() } else { name.as_ref().into() };
        if !seen.insert(name.clone()) {
            let name = crate::domain::text::clean_name(&name);
            return Err(SampleError::Duplicate { path: path.into(), name });
        }
        names.push(name);
    }
    Ok(names)
}

/// Which of comma, semicolon and tab the header line has most of, outside of quotes.
fn sniff(text: &[u8]) -> u8 {
    let mut quoted = false;
    let mut seen = [0_usize; 3];
    let separators = *b",;\t";
    for &byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = separators.iter().position(|&separator| separator == byte) {
                    seen[at] += 1;
                }
            }
        }
    }
    let most = seen.iter().max().copied().unwrap_or(0);
    separators
        .into_iter()
        .zip(seen)
        .find(|&(_, count)| count == most)
        .map_or(b',', |(separator, _)| separator)
}

/// Finds where rows end, with the reader's own idea of quotes: they open a cell only at its begin.
#[derive(Debug, Clone, Copy)]
struct Scan {
    separator: u8,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Bare,
    Quoted,
    /// Behind a quote in quotes: the cell's end, or half of a doubled one.
    Quote,
}

impl Scan {
    fn new(separator: u8) -> Self {
        Self { separator, place: Place::Start }
    }

    /// Steps over one byte; true when it ends a row.
    fn step(&mut self, byte: u8) -> bool {
        self.place = match (self.place, byte) {
            (Place::Quoted, b'"') => Place::Quote,
            (Place::Quoted, _) => Place::Quoted,
            (Place::Start | Place::Quote, b'"') => Place::Quoted,
            (_, b'\n' | b'\r') => {
                self.place = Place::Start;
                return true;
            }
            (_, byte) if byte == self.separator => Place::Start,
            _ => Place::Bare,
        };
        false
    }

    /// Where the first row ends, with its line's end.
    fn row(mut self, bytes: &[u8]) -> Option<usize> {
        let at = bytes.iter().position(|&byte| self.step(byte))?;
        Some(at + 1 + usize::from(bytes.get(at..at + 2) == Some(b"\r\n")))
    }

    /// Where the last whole row ends. A `\r` at the very end may be half a line's end: it waits.
    fn rows(mut self, bytes: &[u8]) -> usize {
        let mut end = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if self.step(byte) && (byte == b'\n' || at + 1 < bytes.len()) {
                end = at + 1;
            }
        }
        end
    }

    fn ends_in_quotes(mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            self.step(byte);
        }
        self.place == Place::Quoted
    }
}
