//! A table of features, and how it is built cell by cell.

use std::collections::HashMap;
use std::sync::Arc;

use super::cell::Cell;
use super::sink::{Sink, nested, note};
use super::{MAX_CATEGORIES, MAX_CATEGORY_BYTES, Options};

/// A table of features.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The features, in the file's order.
    pub columns: Vec<Column>,
    /// How many rows were read.
    pub rows: u64,
    /// Rows with another number of cells than the header, which were read as far as they go: the cells
    /// they lack are missing, those they have too many are dropped.
    pub ragged: u64,
    /// What was left out, in sentences for an operator.
    pub remarks: Vec<String>,
}

/// One feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the file; bytes that are no UTF-8 are replaced.
    pub name: Arc<str>,
    /// Rows without a cell.
    pub missing: u64,
    /// The cells that are there.
    pub values: Values,
}

/// The cells of one feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Every present cell is a number; non-finite ones are kept out and counted. Dates are days, timestamps
    /// seconds since 1970; -0 is 0.
    Numeric {
        /// The finite numbers, in the order of the rows.
        values: Vec<f64>,
        /// How many cells are NaN or infinite.
        non_finite: u64,
    },
    /// At least one present cell is no number. Numbers among them are categories by their shortest text:
    /// `1.50` is `1.5`.
    Categorical {
        /// Cells by category; at most [`MAX_CATEGORIES`], with [`MAX_CATEGORY_BYTES`] of names.
        counts: HashMap<Box<str>, u64>,
        /// Cells of the categories above that.
        others: u64,
    },
    /// No cell is present.
    Empty,
}

/// Counts by category, bounded.
#[derive(Debug, Default)]
pub(super) struct Categories {
    counts: HashMap<Box<str>, u64>,
    bytes: usize,
    others: u64,
}

impl Categories {
    /// Counts `cells` more of a category.
    pub(super) fn add(&mut self, text: &str, cells: u64) {
        if cells == 0 {
            return;
        }
        if let Some(count) = self.counts.get_mut(text) {
            *count += cells;
        } else if self.counts.len() < MAX_CATEGORIES && self.bytes + text.len() <= MAX_CATEGORY_BYTES {
            self.bytes += text.len();
            self.counts.insert(text.into(), cells);
        } else {
            self.others += cells;
        }
    }

    /// Counts a number by its text.
    pub(super) fn add_number(&mut self, number: f64, cells: u64) {
        self.add(&(number + 0.0).to_string(), cells);
    }

    /// Counts cells of categories that are not known by name.
    pub(super) fn add_others(&mut self, cells: u64) {
        self.others += cells;
    }

    pub(super) fn finish(self) -> Values {
        Values::Categorical { counts: self.counts, others: self.others }
    }
}

/// Numbers so far. The kinds of non-finite ones are kept apart for when the column becomes categorical.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    values: Vec<f64>,
    nan: u64,
    up: u64,
    down: u64,
}

impl Numbers {
    /// Takes a number; `expected` is how many will come in all.
    pub(super) fn add(&mut self, number: f64, expected: usize) {
        if number.is_finite() {
            if self.values.capacity() == 0 {
                self.values.reserve_exact(expected);
            }
            // 0 + -0 is 0.
            self.values.push(number + 0.0);
        } else if number.is_nan() {
            self.nan += 1;
        } else if number > 0.0 {
            self.up += 1;
        } else {
            self.down += 1;
        }
    }

    fn into_categories(self) -> Categories {
        let mut categories = Categories::default();
        for number in self.values {
            categories.add_number(number, 1);
        }
        for (number, cells) in [(f64::NAN, self.nan), (f64::INFINITY, self.up), (-f64::INFINITY, self.down)] {
            categories.add_number(number, cells);
        }
        categories
    }

    pub(super) fn finish(self) -> Values {
        let non_finite = self.nan + self.up + self.down;
        if self.values.is_empty() && non_finite == 0 {
            return Values::Empty;
        }
        Values::Numeric { values: self.values, non_finite }
    }
}

#[derive(Debug)]
enum State {
    Numbers(Numbers),
    Categories(Categories),
    Nested,
}

#[derive(Debug)]
struct Building {
    name: Arc<str>,
    present: u64,
    state: State,
}

impl Building {
    fn text(&mut self, text: &str) {
        if let State::Numbers(numbers) = &mut self.state {
            self.state = State::Categories(std::mem::take(numbers).into_categories());
        }
        if let State::Categories(categories) = &mut self.state {
            categories.add(text, 1);
        }
    }
}

/// Builds a [`Table`].
#[derive(Debug, Default)]
pub(super) struct Builder {
    columns: Vec<Building>,
    rows: u64,
    ragged: u64,
    expected: usize,
    remarks: Vec<String>,
}

impl Builder {
    pub(super) fn finish(mut self, options: &Options) -> Table {
        for wanted in options.columns.iter().flatten() {
            if !self.columns.iter().any(|column| *column.name == **wanted) {
                let name = crate::domain::text::clean_name(wanted);
                note(&mut self.remarks, format!("the file has no column \"{name}\""));
            }
        }
        let rows = self.rows;
        let columns = self.columns.into_iter().filter_map(|column| {
            let values = match column.state {
                State::Numbers(numbers) => numbers.finish(),
                State::Categories(categories) => categories.finish(),
                State::Nested => return None,
            };
            Some(Column { name: column.name, missing: rows.saturating_sub(column.present), values })
        });
        Table { columns: columns.collect(), rows, ragged: self.ragged, remarks: self.remarks }
    }
}

impl Sink for Builder {
    fn column(&mut self, name: Arc<str>) -> usize {
        self.columns.push(Building { name, present: 0, state: State::Numbers(Numbers::default()) });
        self.columns.len() - 1
    }

    fn push(&mut self, column: usize, cell: Cell<'_>) {
        let Some(column) = self.columns.get_mut(column) else { return };
        match cell {
            Cell::Missing => return,
            Cell::Number(number) => match &mut column.state {
                State::Numbers(numbers) => numbers.add(number, self.expected),
                State::Categories(categories) => categories.add_number(number, 1),
                State::Nested => {}
            },
            Cell::Text(text) => column.text(text),
            Cell::Nested if matches!(column.state, State::Nested) => {}
            Cell::Nested => {
                note(&mut self.remarks, nested(&column.name));
                column.state = State::Nested;
            }
        }
        column.present += 1;
    }

    fn row(&mut self, ragged: bool) {
        self.rows += 1;
        self.ragged += u64::from(ragged);
    }

    fn expect(&mut self, rows: usize) {
        self.expected = rows;
    }

    fn remark(&mut self, text: String) {
        note(&mut self.remarks, text);
    }
}
