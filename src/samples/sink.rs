//! Where readers put what they read: a whole table, or the window over its last rows.

use std::sync::Arc;

use super::cell::Cell;

/// How many remarks are kept.
const MOST_REMARKS: usize = 100;

/// Takes cells. A reader of rows pushes a row's cells and calls [`Sink::row`]; a reader of columns pushes
/// whole columns first and calls [`Sink::row`] for each row at the end.
pub(super) trait Sink {
    /// Adds a column and gives its number. Cells of the rows so far are missing.
    fn column(&mut self, name: Arc<str>) -> usize;
    /// One more cell of a column.
    fn push(&mut self, column: usize, cell: Cell<'_>);
    /// Ends a row. Columns that got no cell miss one.
    fn row(&mut self, ragged: bool);
    /// About how many rows will come.
    fn expect(&mut self, rows: usize);
    /// What a reader of the table should know.
    fn remark(&mut self, text: String);
}

/// Keeps a remark unless it is known.
pub(super) fn note(remarks: &mut Vec<String>, text: String) {
    if remarks.len() < MOST_REMARKS && !remarks.contains(&text) {
        remarks.push(text);
    }
}

/// The remark about a column whose cells have parts.
pub(super) fn nested(name: &str) -> String {
    let name = crate::domain::text::clean_name(name);
    format!("the column \"{name}\" is left out: it holds lists or objects")
}
