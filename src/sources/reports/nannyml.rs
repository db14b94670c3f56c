//! Reads NannyML's tables as CSV: the flattened result (a row a chunk) and the rows of its database writer.

use csv::StringRecord;

use super::method;
use super::table::Table;
use super::told::{Score, Terms, Told};
use crate::domain::{Kpi, Time};

/// Chunks that end later come later; the flattened form names the moment in one of these.
const TIMES: [&str; 5] =
    ["chunk_end_date", "chunk_start_date", "end_timestamp", "start_timestamp", "timestamp"];

/// What a table says; `None` when its head is not NannyML's.
pub fn read(table: &Table, terms: &Terms) -> Option<Told> {
    let time = TIMES.iter().filter_map(|name| table.column(name)).collect::<Vec<_>>();
    let at = |row: &StringRecord| time.iter().find_map(|&index| terms.time(row.get(index)));
    match (table.column("metric_name"), table.column("value")) {
        (Some(metric), Some(value)) => Some(rows(table, metric, value, at)),
        _ => flattened(table, at),
    }
}

/// One row a metric and chunk.
fn rows(table: &Table, metric: usize, value: usize, at: impl Fn(&StringRecord) -> Option<Time>) -> Told {
    let (column, upper) = (table.column("column_name"), table.column("upper_threshold"));
    let mut told = Told::default();
    let mut quality = Vec::new();
    for row in &table.rows {
        let name = row.get(metric).unwrap_or_default();
        let (raw, at) = (table.number(row, Some(value)), at(row));
        match column.and_then(|column| row.get(column)).filter(|column| !column.is_empty()) {
            Some(column) => {
                let score = Score { raw, threshold: table.number(row, upper), at };
                told.score(column, name, method::nannyml(name), score);
            }
            None => quality.extend(performance(name).map(|kpi| (at, kpi, raw))),
        }
    }
    newest(quality, "by NannyML, maybe estimated", &mut told);
    told
}

/// One row a chunk, a handful of columns for each feature and method.
fn flattened(table: &Table, at: impl Fn(&StringRecord) -> Option<Time>) -> Option<Told> {
    let values: Vec<(usize, &str)> = table
        .head
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some((index, name.strip_suffix("_value")?)))
        .collect();
    let is_chunked = table.head.iter().any(|name| name.starts_with("chunk"));
    let alerts = values.iter().any(|(_, name)| table.column(&format!("{name}_alert")).is_some());
    if values.is_empty() || !(is_chunked || alerts) {
        return None;
    }
    let mut told = Told::default();
    let mut quality = Vec::new();
    for (index, name) in values {
        let upper = table.column(&format!("{name}_upper_threshold"));
        let measured = method::NANNYML.iter().find_map(|method| {
            let feature = name.strip_suffix(method)?.strip_suffix('_')?;
            Some((feature, *method))
        });
        for (number, row) in table.rows.iter().enumerate() {
            let (raw, at) = (table.number(row, Some(index)), at(row));
            // Chunks by size have no dates: then the last one is now.
            if at.is_none() && number + 1 < table.rows.len() {
                continue;
            }
            match measured {
                Some((feature, name)) => {
                    let score = Score { raw, threshold: table.number(row, upper), at };
                    told.score(feature, name, method::nannyml(name), score);
                }
                None => quality.extend(performance(name).map(|kpi| (at, kpi, raw))),
            }
        }
    }
    newest(quality, "by NannyML, maybe estimated", &mut told);
    Some(told)
}

/// The newest value of each KPI. The tables do not say whether labels or an estimate made it.
fn newest(mut quality: Vec<(Option<Time>, Kpi, Option<f64>)>, note: &'static str, told: &mut Told) {
    quality.reverse();
    quality.sort_by_key(|(at, _, _)| std::cmp::Reverse(*at));
    for (_, kpi, value) in quality {
        told.quality(kpi, value, note);
    }
}

fn performance(name: &str) -> Option<Kpi> {
    let name = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let plain = ["estimated_", "realized_"].iter().find_map(|word| name.strip_prefix(word)).unwrap_or(&name);
    Some(match plain {
        "roc_auc" => Kpi::AucRoc,
        "f1" => Kpi::F1,
        "precision" => Kpi::Precision,
        "recall" => Kpi::Sensitivity,
        "specificity" => Kpi::Specificity,
        "accuracy" => Kpi::Accuracy,
        "mae" => Kpi::Mae,
        "mse" => Kpi::Mse,
        "rmse" => Kpi::Rmse,
        _ => return None,
    })
}
