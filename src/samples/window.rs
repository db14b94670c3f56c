//! The last rows of a file that grows.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::cell::Cell;
use super::sink::{Sink, nested, note};
use super::table::{Categories, Column, Numbers, Table, Values};
use super::{MAX_CATEGORIES, MAX_CATEGORY_BYTES};

/// The last rows of a file, eight bytes a cell: rows × columns, and each category's name once a column.
#[derive(Debug)]
pub struct Window {
    columns: Vec<Ring>,
    limit: usize,
    /// For each row whether it was ragged.
    rows: VecDeque<bool>,
    taken: u64,
    remarks: Vec<String>,
}

impl Window {
    /// A window over so many rows, at least one.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            columns: Vec::new(),
            limit: limit.max(1),
            rows: VecDeque::new(),
            taken: 0,
            remarks: Vec::new(),
        }
    }

    /// How many rows are in it.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// How many rows it ever took: those that left it again too. A file begun again counts from 0.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How many rows it holds at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The rows in it as a table.
    pub fn to_table(&self) -> Table {
        Table {
            columns: self.columns.iter().filter_map(Ring::to_column).collect(),
            rows: self.rows.len() as u64,
            ragged: self.rows.iter().filter(|&&ragged| ragged).count() as u64,
            remarks: self.remarks.clone(),
        }
    }
}

impl Sink for Window {
    fn column(&mut self, name: Arc<str>) -> usize {
        let cells = std::iter::repeat_n(MISSING, self.rows.len()).collect();
        self.columns.push(Ring { name, nested: false, cells, names: Names::default() });
        self.columns.len() - 1
    }

    fn push(&mut self, column: usize, cell: Cell<'_>) {
        let Some(ring) = self.columns.get_mut(column).filter(|ring| !ring.nested) else { return };
        if cell == Cell::Nested {
            note(&mut self.remarks, nested(&ring.name));
            (ring.nested, ring.cells, ring.names) = (true, VecDeque::new(), Names::default());
            return;
        }
        let packed = ring.pack(cell);
        ring.cells.push_back(packed);
    }

    fn row(&mut self, ragged: bool) {
        self.rows.push_back(ragged);
        self.taken += 1;
        let full = self.rows.len() > self.limit;
        for ring in self.columns.iter_mut().filter(|ring| !ring.nested) {
            if ring.cells.len() < self.rows.len() {
                ring.cells.push_back(MISSING);
            }
            if full {
                ring.forget();
            }
        }
        if full {
            self.rows.pop_front();
        }
    }

    fn expect(&mut self, _: usize) {}

    fn remark(&mut self, text: String) {
        note(&mut self.remarks, text);
    }
}

/// A cell in eight bytes: a number's own bits, or a NaN that arithmetic does not make.
type Packed = u64;

const MISSING: Packed = 0xfffc_0000_0000_0000;
const OTHER: Packed = 0xfffd_0000_0000_0000;
/// With a category's number in the lower half.
const CATEGORY: Packed = 0xfffe_0000_0000_0000;
const TAG: Packed = 0xffff_0000_0000_0000;

#[derive(Debug)]
struct Ring {
    name: Arc<str>,
    nested: bool,
    cells: VecDeque<Packed>,
    names: Names,
}

impl Ring {
    fn pack(&mut self, cell: Cell<'_>) -> Packed {
        match cell {
            Cell::Missing | Cell::Nested => MISSING,
            Cell::Number(number) if number.is_nan() => f64::NAN.to_bits(),
            Cell::Number(number) => number.to_bits(),
            Cell::Text(text) => self.names.take(text).map_or(OTHER, |number| CATEGORY | Packed::from(number)),
        }
    }

    fn forget(&mut self) {
        if let Some(cell) = self.cells.pop_front()
            && cell & TAG == CATEGORY
        {
            self.names.drop(cell as u32);
        }
    }

    fn to_column(&self) -> Option<Column> {
        if self.nested {
            return None;
        }
        let is_text = |cell: &&Packed| matches!(**cell & TAG, CATEGORY | OTHER);
        let missing = self.cells.iter().filter(|&&cell| cell == MISSING).count() as u64;
        let values = if self.cells.iter().any(|cell| is_text(&cell)) {
            self.categories()
        } else {
            let present = self.cells.len() - missing as usize;
            let mut numbers = Numbers::default();
            for &cell in self.cells.iter().filter(|&&cell| cell != MISSING) {
                numbers.add(f64::from_bits(cell), present);
            }
            numbers.finish()
        };
        Some(Column { name: self.name.clone(), missing, values })
    }

    fn categories(&self) -> Values {
        let mut categories = Categories::default();
        for slot in self.names.slots.iter().filter(|slot| slot.cells > 0) {
            categories.add(&slot.name, slot.cells);
        }
        for &cell in &self.cells {
            match cell & TAG {
                _ if cell == MISSING => {}
                CATEGORY => {}
                OTHER => categories.add_others(1),
                _ => categories.add_number(f64::from_bits(cell), 1),
            }
        }
        categories.finish()
    }
}

/// The categories of one column, each with how many cells of the window show it.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<Arc<str>, u32>,
    slots: Vec<Slot>,
    /// Slots whose category has left the window.
    free: Vec<u32>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    name: Arc<str>,
    cells: u64,
}

impl Names {
    /// One more cell of a category; `None` when there are too many.
    fn take(&mut self, text: &str) -> Option<u32> {
        if let Some(&number) = self.numbers.get(text) {
            self.slots.get_mut(number as usize)?.cells += 1;
            return Some(number);
        }
        if self.numbers.len() >= MAX_CATEGORIES || self.bytes + text.len() > MAX_CATEGORY_BYTES {
            return None;
        }
        let name: Arc<str> = text.into();
        let slot = Slot { name: name.clone(), cells: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                *self.slots.get_mut(number as usize)? = slot;
                number
            }
            None => {
                let number = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(slot);
                number
            }
        };
        self.bytes += text.len();
        self.numbers.insert(name, number);
        Some(number)
    }

    /// One cell less.
    fn drop(&mut self, number: u32) {
        let Some(slot) = self.slots.get_mut(number as usize) else { return };
        slot.cells -= 1;
        if slot.cells == 0 {
            let name = std::mem::replace(&mut slot.name, Arc::from(""));
            self.bytes -= name.len();
            self.numbers.remove(&name);
            self.free.push(number);
        }
    }
}
