//! Why a file of samples cannot be read, and what to do about it.

use std::path::PathBuf;

/// Why a file of samples cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The system does not give the file out.
    #[error("{}: cannot be read: {source}; check the path and its rights", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{}: is no regular file; name a file of samples", path.display())]
    NoFile {
        /// What is there.
        path: PathBuf,
    },
    /// Nothing is in the file, or only blanks.
    #[error("{}: is empty; wait until samples are written to it, or name another file", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file, or one row of it, is larger than allowed.
    #[error(
        "{}: {bytes} bytes at byte {offset} are more than the {limit} allowed; cut the file, name fewer \
         columns, or allow more",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Where the part begins that is too large, in bytes.
        offset: u64,
        /// Its bytes, unpacked.
        bytes: u64,
        /// How many may be read.
        limit: u64,
    },
    /// The first line of a CSV file holds numbers only.
    #[error(
        "{}: line 1 holds numbers where the names of the columns are wanted; write a header line",
        path.display()
    )]
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// Two columns go by one name.
    #[error("{}: the header names the column \"{name}\" twice; rename one of them", path.display())]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// One line cannot be understood.
    #[error("{}: line {line} (byte {offset}): {what}; {remedy}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1. A [`super::Follower`] counts from where it began.
        line: u64,
        /// Where the line begins, in bytes from the file's begin.
        offset: u64,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The whole file is packed.
    #[error("{}: is packed with {kind}; unpack it first", path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// By what.
        kind: &'static str,
    },
    /// A Parquet file without its end, or something else by that name.
    #[error(
        "{}: is no whole Parquet file: {what} ({bytes} bytes); wait until it is written, or write it anew",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// What is missing.
        what: &'static str,
    },
    /// A Parquet column is packed in a way this program does not unpack.
    #[error(
        "{}: the column \"{column}\" is packed with {codec}, which is not read here; write the file with snappy, \
         gzip or no compression (pandas: to_parquet(compression=\"snappy\"))",
        path.display()
    )]
    Codec {
        /// The file.
        path: PathBuf,
        /// The first such column.
        column: String,
        /// The codec.
        codec: &'static str,
    },
    /// A Parquet file whose content contradicts itself, or uses what is not read here.
    #[error("{}: {place}: {what}; write the file anew", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The metadata, or a row group and column.
        place: String,
        /// What is wrong.
        what: String,
    },
}
