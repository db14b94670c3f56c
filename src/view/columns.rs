//! The fleet's columns: which there are, how wide, and which go first when there is no room.

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The model's name.
    Model,
    /// The version that serves.
    Live,
    /// The canary with its bar.
    Canary,
    /// Median latency.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// Error rate.
    Errors,
    /// Requests a second.
    Requests,
    /// The headline quality score.
    Quality,
    /// Its course over 30 days.
    Days,
    /// Data drift.
    Drift,
    /// Age of the newest reading.
    Age,
    /// The reason.
    Why,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What it shows.
    pub kind: Kind,
    /// Its head.
    pub head: &'static str,
    /// Columns of the terminal that it takes.
    pub width: usize,
    /// Whether it is aligned to its right.
    pub right: bool,
}

/// Widths that follow from what is shown.
#[derive(Debug, Clone, Copy)]
pub struct Natural {
    /// The longest name in view.
    pub model: usize,
    /// The longest version in view.
    pub live: usize,
}

enum Squeeze {
    Drop(Kind),
    Shrink(Kind, usize),
}

use Squeeze::{Drop, Shrink};

/// What goes first.
const SQUEEZE: [Squeeze; 19] = [
    Shrink(Kind::Drift, 9),
    Drop(Kind::Requests),
    Drop(Kind::Days),
    Shrink(Kind::Model, 18),
    Shrink(Kind::Canary, 11),
    Shrink(Kind::Age, 5),
    Shrink(Kind::Errors, 5),
    Drop(Kind::P50),
    Shrink(Kind::Model, 15),
    Drop(Kind::P99),
    Drop(Kind::Quality),
    Shrink(Kind::Canary, 10),
    Shrink(Kind::Model, 13),
    Drop(Kind::Drift),
    Drop(Kind::Errors),
    Drop(Kind::Age),
    Drop(Kind::Canary),
    Drop(Kind::Live),
    Shrink(Kind::Model, 9),
];

/// The columns that fit into `width`, the reason taking the rest. `wide` is the fleet of the wide screen.
pub fn columns(width: usize, wide: bool, natural: Natural) -> Vec<Column> {
    let column = |kind, head, width, right| Column { kind, head, width, right };
    let mut list = vec![
        column(Kind::Model, "MODEL", natural.model.clamp(13, if wide { 24 } else { 14 }), false),
        column(Kind::Live, "LIVE", natural.live.clamp(5, 10), false),
        column(Kind::Canary, "CANARY", if wide { 20 } else { 11 }, false),
        column(Kind::P50, "P50", 5, true),
        column(Kind::P95, "P95", 6, true),
        column(Kind::P99, "P99", 6, true),
        column(Kind::Errors, "ERR %", if wide { 6 } else { 5 }, true),
        column(Kind::Requests, "REQ/S", 6, true),
        column(Kind::Quality, "QUALITY", 11, false),
        column(Kind::Days, "30 DAYS", 11, false),
        column(Kind::Drift, "DRIFT", if wide { 13 } else { 9 }, false),
        column(Kind::Age, "AGE", 6, true),
        column(Kind::Why, "WHY", 0, false),
    ];
    if !wide {
        let dense = [Kind::P50, Kind::P99, Kind::Requests, Kind::Quality, Kind::Days];
        list.retain(|column| !dense.contains(&column.kind));
    }
    let why = if wide { 23 } else { 17 };
    let taken = |list: &[Column]| list.iter().map(|column| column.width + gap(wide)).sum::<usize>();
    for step in &SQUEEZE {
        if taken(&list) - gap(wide) + why <= width {
            break;
        }
        match *step {
            Drop(kind) => list.retain(|column| column.kind != kind),
            Shrink(kind, to) => {
                for column in list.iter_mut().filter(|column| column.kind == kind) {
                    column.width = column.width.min(to);
                }
            }
        }
    }
    let rest = width.saturating_sub(taken(&list) - gap(wide));
    if let Some(last) = list.last_mut() {
        last.width = rest;
    }
    list
}

/// Blanks between two columns.
pub fn gap(wide: bool) -> usize {
    if wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_goes_first() {
        let kinds = |width, wide| -> Vec<&'static str> {
            columns(width, wide, Natural { model: 14, live: 5 }).iter().map(|column| column.head).collect()
        };
        assert_eq!(kinds(194, true).len(), 13);
        assert!(!kinds(116, true).contains(&"REQ/S") && !kinds(116, true).contains(&"30 DAYS"));
        assert!(kinds(116, true).contains(&"QUALITY"));
        assert_eq!(kinds(77, false), ["MODEL", "LIVE", "CANARY", "P95", "ERR %", "DRIFT", "AGE", "WHY"]);
        assert_eq!(kinds(30, false), ["MODEL", "P95", "WHY"]);
    }

    #[test]
    fn every_width_is_kept() {
        for width in 40..220 {
            for wide in [true, false] {
                let list = columns(width, wide, Natural { model: 300, live: 300 });
                let taken: usize = list.iter().map(|c| c.width + gap(wide)).sum();
                assert_eq!(taken - gap(wide), width, "{width} {wide}");
            }
        }
    }
}
