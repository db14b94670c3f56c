//! Reads rows that anyone can write: model, version, feature, score, method, threshold, time; as a JSON
//! array, as JSON lines or as CSV.

use std::collections::BTreeSet;

use serde_json::Value;

use super::method;
use super::table::Table;
use super::told::{Score, Terms, Told};
use super::value::{number, text};
use crate::domain::text::clean_name;

/// One row in words.
struct Said<'a> {
    model: Option<&'a str>,
    feature: Option<&'a str>,
    method: &'a str,
    score: Score,
}

/// Whether an object looks like a row.
pub fn is_row(row: &Value) -> bool {
    row.get("feature").is_some() && row.get("score").is_some()
}

/// What rows say, each with its number from 1. Rows of other models are not ours.
pub fn objects<'v>(rows: impl Iterator<Item = (usize, &'v Value)>, terms: &Terms) -> Told {
    let mut reader = Reader::default();
    for (line, row) in rows {
        let (model, feature, method) =
            (text(row.get("model")), text(row.get("feature")), text(row.get("method")));
        let at = terms.time(text(row.get("time")).as_deref());
        let score = Score { raw: number(row.get("score")), threshold: number(row.get("threshold")), at };
        let (model, feature) = (model.as_deref(), feature.as_deref());
        let method = method.as_deref().unwrap_or_default();
        reader.take(line, &Said { model, feature, method, score }, terms);
    }
    reader.told(terms)
}

/// What a table says; `None` when its head has no feature or score.
pub fn table(table: &Table, terms: &Terms) -> Option<Told> {
    let (feature, raw) = (table.column("feature")?, table.column("score")?);
    let [model, method, limit, time] =
        ["model", "method", "threshold", "time"].map(|name| table.column(name));
    let mut reader = Reader::default();
    for row in &table.rows {
        let word =
            |column: Option<usize>| column.and_then(|column| row.get(column)).filter(|word| !word.is_empty());
        let (raw, threshold) = (table.number(row, Some(raw)), table.number(row, limit));
        let score = Score { raw, threshold, at: terms.time(word(time)) };
        let method = word(method).unwrap_or_default();
        let said = Said { model: word(model), feature: word(Some(feature)), method, score };
        let line = row.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        reader.take(line, &said, terms);
    }
    Some(reader.told(terms))
}

#[derive(Default)]
struct Reader {
    told: Told,
    ours: bool,
    others: BTreeSet<String>,
    odd: Option<(usize, usize)>,
}

impl Reader {
    fn take(&mut self, line: usize, said: &Said<'_>, terms: &Terms) {
        if let Some(model) = said.model.filter(|model| *clean_name(model) != *terms.model.name) {
            if self.others.len() < 3 {
                self.others.insert(model.to_owned());
            }
            return;
        }
        self.ours = true;
        match (said.feature, said.score.raw) {
            (Some(feature), Some(_)) => {
                self.told.score(feature, said.method, method::evidently(said.method), said.score);
            }
            _ => self.odd = Some(self.odd.map_or((line, 1), |(first, count)| (first, count + 1))),
        }
    }

    fn told(mut self, terms: &Terms) -> Told {
        if let Some((first, count)) = self.odd {
            let text =
                format!("{}: {count} rows without feature or score, the first is {first}", terms.model);
            self.told.remarks.push(text);
        }
        if !self.ours && !self.others.is_empty() {
            let others: Vec<String> = self.others.into_iter().collect();
            self.told.remarks.push(format!(
                "no row is of {}; they are of {}",
                terms.model,
                others.join(", ")
            ));
        }
        self.told
    }
}
