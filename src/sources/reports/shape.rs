//! Tells by its content which tool wrote a report, and reads it.

use serde_json::Value;

use super::table::Table;
use super::told::{Terms, Told};
use super::value::plain_json;
use super::{evidently, nannyml, neutral, whylogs};
use crate::domain::{Fault, FaultKind};

/// Reads a report of any known shape. `place` names it in faults.
///
/// # Errors
/// [`FaultKind::CutShort`] when it ends in the middle, [`FaultKind::Unreadable`] when it is broken (with
/// its line) or of no known shape.
pub fn read(raw: &[u8], place: &str, terms: &Terms) -> Result<Told, Fault> {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let start = raw.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        None => Err(Fault::new(FaultKind::Unreadable, format!("{place}: is empty"))),
        Some(b'{' | b'[') => json(raw, place, terms),
        Some(b'<') => Err(Fault::new(FaultKind::Lying, format!("{place}: a web page instead of data"))
            .advise("save the report as JSON, not as HTML")),
        Some(_) => {
            let wrong = |what: String| Fault::new(FaultKind::Unreadable, format!("{place}: {what}"));
            let table = Table::read(raw).map_err(wrong)?;
            let known = neutral::table(&table, terms).or_else(|| nannyml::read(&table, terms));
            known.ok_or_else(|| unknown(place))
        }
    }
}

/// Reads a report that must be JSON.
///
/// # Errors
/// As [`read`].
pub fn json(raw: &[u8], place: &str, terms: &Terms) -> Result<Told, Fault> {
    let plain = plain_json(raw);
    let whole = match serde_json::from_slice::<Value>(&plain) {
        Ok(whole) => whole,
        Err(error) => {
            return lines(&plain, place, terms).unwrap_or_else(|| Err(broken(place, error.line(), &error)));
        }
    };
    let rows = match &whole {
        Value::Array(rows) if rows.iter().all(Value::is_object) => {
            let ours = rows.is_empty() || rows.iter().any(neutral::is_row);
            ours.then(|| {
                neutral::objects(rows.iter().enumerate().map(|(index, row)| (index + 1, row)), terms)
            })
        }
        row if neutral::is_row(row) => Some(neutral::objects(std::iter::once((1, row)), terms)),
        _ => None,
    };
    let known = rows.or_else(|| evidently::read(&whole, terms)).or_else(|| whylogs::read(&whole, terms));
    known.ok_or_else(|| unknown(place))
}

/// One object a line; `None` when the first line is no row. A last line without its end is still being
/// written, and waits for the next look.
fn lines(raw: &[u8], place: &str, terms: &Terms) -> Option<Result<Told, Fault>> {
    let ended = raw.ends_with(b"\n");
    let all: Vec<(usize, &[u8])> = (1..)
        .zip(raw.split(|&byte| byte == b'\n'))
        .filter(|(_, line)| line.iter().any(|byte| !byte.is_ascii_whitespace()))
        .collect();
    let mut rows: Vec<(usize, Value)> = Vec::new();
    for (index, &(number, line)) in all.iter().enumerate() {
        match serde_json::from_slice::<Value>(line) {
            Ok(row) if !rows.is_empty() || neutral::is_row(&row) => rows.push((number, row)),
            Err(error) if !rows.is_empty() => {
                if index + 1 < all.len() || ended {
                    return Some(Err(broken(place, number, &error)));
                }
            }
            _ => return None,
        }
    }
    Some(Ok(neutral::objects(rows.iter().map(|(number, row)| (*number, row)), terms)))
}

fn broken(place: &str, line: usize, error: &serde_json::Error) -> Fault {
    let column = error.column();
    match error.is_eof() {
        true => Fault::new(
            FaultKind::CutShort,
            format!("{place}, line {line}, column {column}: the JSON ends in the middle"),
        )
        .advise("is it still being written? Write it beside and rename it"),
        false => {
            // The error's own words end with the same place.
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default().to_owned();
            Fault::new(FaultKind::Unreadable, format!("{place}, line {line}, column {column}: {said}"))
        }
    }
}

fn unknown(place: &str) -> Fault {
    Fault::new(FaultKind::Unreadable, format!("{place}: is no drift report of a known shape"))
        .advise("Evidently JSON, NannyML CSV, whylogs JSON, or rows with feature, score, method, time")
}
