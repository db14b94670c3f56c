//! A CSV table in memory.

use csv::StringRecord;

/// More rows than this are not read: the newest stand last, so the first are left out.
const MOST_ROWS: usize = 200_000;

/// A table with its head; names of columns are trimmed.
#[derive(Debug, Default)]
pub struct Table {
    /// The names of the columns.
    pub head: Vec<String>,
    /// The rows, each as long as the head.
    pub rows: Vec<StringRecord>,
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    /// A row that is shorter or longer than the head, or no text: with its line.
    pub fn read(raw: &[u8]) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(raw);
        let wrong = |error: csv::Error| match (error.position().map(csv::Position::line), error.kind()) {
            (Some(line), csv::ErrorKind::UnequalLengths { expected_len, len, .. }) => {
                format!("line {line}: {len} fields, the head has {expected_len}")
            }
            (Some(line), csv::ErrorKind::Utf8 { .. }) => format!("line {line}: is no UTF-8 text"),
            _ => error.to_string(),
        };
        let head = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
        let mut rows = std::collections::VecDeque::new();
        for row in reader.records() {
            if rows.len() == MOST_ROWS {
                rows.pop_front();
            }
            rows.push_back(row.map_err(wrong)?);
        }
        Ok(Self { head, rows: rows.into() })
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.head.iter().position(|column| column == name)
    }

    /// A finite number of a row.
    pub fn number(&self, row: &StringRecord, column: Option<usize>) -> Option<f64> {
        let number: f64 = row.get(column?)?.parse().ok()?;
        number.is_finite().then_some(number)
    }
}
