//! Raw samples of features, read from CSV, JSON lines and Parquet files.
//!
//! [`read`] takes a whole file, [`Follower`] only what was appended to it. Both fill a [`Table`]: a
//! column for each feature, numeric or categorical by what its cells show. Files are read with plain
//! blocking calls: keep them off the threads that poll.

mod cell;
mod columnar;
mod decode;
mod delimited;
mod error;
mod follower;
mod format;
mod lines;
mod sink;
mod table;
#[cfg(test)]
mod tests;
mod window;

pub use columnar::is_contained;
pub use error::SampleError;
pub use follower::Follower;
pub use table::{Column, Table, Values};
pub use window::Window;

use std::path::Path;

use format::{Format, Opened};
use table::Builder;

/// How many distinct categories one column keeps; cells of further ones are only summed.
pub const MAX_CATEGORIES: usize = 100_000;
/// How many bytes the names of one column's categories may take together.
pub const MAX_CATEGORY_BYTES: usize = 50_000_000;
/// How many columns a table may have; further ones are left out with a remark.
pub const MAX_COLUMNS: usize = 100_000;

/// How much is read of a file, and which features of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Rows after which [`read`] stops, with a remark. A [`Follower`] is bounded by its window instead.
    pub max_rows: u64,
    /// Bytes a file may have (and a Parquet file unpacked). A [`Follower`] of a growing text file reads no
    /// more than this at a time and begins at the file's end if it is behind further.
    pub max_bytes: u64,
    /// Names of the columns to read; `None`: every column.
    pub columns: Option<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_rows: 10_000_000, max_bytes: 2_000_000_000, columns: None }
    }
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.columns.as_ref().is_none_or(|wanted| wanted.iter().any(|want| want == name))
    }
}

/// Reads a whole file: Parquet, JSON lines, or CSV separated by comma, semicolon or tab. The extension
/// says which (`.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.parquet`); without one, the first bytes do.
///
/// A last row that was written only half is left out with a remark.
///
/// # Errors
///
/// When the file cannot be read, is empty or larger than allowed, or is not what its format asks; see
/// [`SampleError`].
pub fn read(path: &Path, options: &Options) -> Result<Table, SampleError> {
    let mut opened = Opened::new(path)?;
    opened.check_size(options.max_bytes)?;
    let format = opened.format()?;
    let mut builder = Builder::default();
    match format {
        Format::Parquet => {
            columnar::read(opened, options, columnar::Span::First(options.max_rows), &mut builder)?;
        }
        Format::Delimited(separator) => {
            let bytes = opened.all(options.max_bytes)?;
            let (header, start) =
                delimited::Header::read(path, &bytes, separator, true, options, &mut builder)?
                    .ok_or_else(|| SampleError::Empty { path: path.into() })?;
            let rows = bytes.get(start..).unwrap_or_default();
            header.read_all(path, rows, options.max_rows, &mut builder)?;
        }
        Format::Lines => {
            let bytes = opened.all(options.max_bytes)?;
            let bytes = format::without_bom(&bytes);
            if bytes.trim_ascii().is_empty() {
                return Err(SampleError::Empty { path: path.into() });
            }
            lines::Lines::new(options).read_all(path, bytes, options, &mut builder)?;
        }
    }
    Ok(builder.finish(options))
}
