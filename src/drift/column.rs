//! Columns made ready for comparing: sorted numbers, counted categories.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::parallel;
use crate::samples::{Column, Table, Values};
use crate::stats::drift::psi::Deciles;
use crate::stats::sample::numpy_sd;
use crate::stats::{Outcome, Sorted};

/// The smallest spread that a distance is divided by; as Evidently does.
const LEAST_SD: f64 = 0.001;
/// The category of cells that are not there.
pub(super) const MISSING: &str = "(missing)";

/// One feature of one side.
#[derive(Debug)]
pub struct Prepared {
    /// Its name, as in the file.
    pub name: Arc<str>,
    /// Rows of the table.
    pub rows: u64,
    /// Rows without a cell.
    pub missing: u64,
    /// Cells that are NaN or infinite.
    pub non_finite: u64,
    /// Its cells.
    pub kind: Kind,
    deciles: OnceLock<Option<Deciles>>,
    spread: OnceLock<f64>,
}

/// The cells of one feature.
#[derive(Debug)]
pub enum Kind {
    /// Numbers, ascending, without those that are not finite.
    Numbers(Sorted),
    /// Cells by category, and cells of categories that are too many to be kept.
    Categories(HashMap<Box<str>, u64>, u64),
    /// No cell at all.
    Empty,
}

impl Prepared {
    /// Sorts a column of a table with so many rows.
    pub fn new(column: Column, rows: u64) -> Self {
        let Column { name, missing, values } = column;
        let (non_finite, kind) = match values {
            Values::Numeric { values, non_finite } => (non_finite, Kind::Numbers(Sorted::new(values))),
            Values::Categorical { counts, others } => (0, Kind::Categories(counts, others)),
            Values::Empty => (0, Kind::Empty),
        };
        Self { name, rows, missing, non_finite, kind, deciles: OnceLock::new(), spread: OnceLock::new() }
    }

    /// All columns of a table, in its order.
    pub fn all(table: Table) -> Vec<Self> {
        let rows = table.rows;
        parallel::map(table.columns, |column| Self::new(column, rows))
    }

    /// Rows that a score rests on: finite numbers, or cells by category. Missing cells of categories are a
    /// category of their own and count.
    pub fn counted(&self) -> u64 {
        match &self.kind {
            Kind::Numbers(sorted) => sorted.len() as u64,
            Kind::Categories(counts, others) => counts.values().sum::<u64>() + others + self.missing,
            Kind::Empty => 0,
        }
    }

    /// The reference's deciles, cut once; `None` of anything but numbers.
    pub(super) fn deciles(&self) -> Option<&Deciles> {
        let cut = || match &self.kind {
            Kind::Numbers(sorted) => match Deciles::of(sorted) {
                Outcome::Ok(deciles) => Some(deciles),
                _ => None,
            },
            _ => None,
        };
        self.deciles.get_or_init(cut).as_ref()
    }

    /// The standard deviation that distances are divided by, computed once.
    pub(super) fn spread(&self) -> f64 {
        *self.spread.get_or_init(|| match &self.kind {
            Kind::Numbers(sorted) if !sorted.is_empty() => numpy_sd(sorted.values()).max(LEAST_SD),
            _ => LEAST_SD,
        })
    }

    /// The word for its type.
    pub(super) fn type_word(&self) -> &'static str {
        match self.kind {
            Kind::Numbers(_) => "numeric",
            Kind::Categories(..) => "categorical",
            Kind::Empty => "empty",
        }
    }
}

/// A reference: what is costly is computed once, however many windows it is compared with.
#[derive(Debug)]
pub struct Reference {
    /// Its features, in the file's order.
    pub columns: Vec<Prepared>,
    by_name: HashMap<Arc<str>, usize>,
}

impl Reference {
    /// Sorts all columns, on all cores.
    pub fn new(table: Table) -> Self {
        let columns = Prepared::all(table);
        let by_name = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        Self { columns, by_name }
    }

    /// A feature by its name.
    pub fn get(&self, name: &str) -> Option<&Prepared> {
        self.by_name.get(name).and_then(|&at| self.columns.get(at))
    }
}
