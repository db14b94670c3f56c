//! Parquet: flat columns through the readers of their types, a row group at a time.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use parquet::basic::Compression;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::cell::Cell;
use super::decode::{Decode, Meaning};
use super::format::Opened;
use super::sink::{Sink, nested};
use super::{MAX_COLUMNS, Options, SampleError};

/// How many values are decoded at once.
const BATCH: usize = 8192;

/// Which rows are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Span {
    /// So many from the begin on.
    First(u64),
    /// So many at the end.
    Last(u64),
}

/// A column that is read.
struct Flat {
    /// Among the file's leaves.
    leaf: usize,
    /// Of the sink.
    column: usize,
    name: String,
    meaning: Meaning,
    /// The definition level of a present value.
    present: i16,
}

/// Reads the flat columns of a file.
pub(super) fn read(
    opened: Opened<'_>,
    options: &Options,
    span: Span,
    sink: &mut impl Sink,
) -> Result<(), SampleError> {
    check_ends(&opened)?;
    let path = opened.path;
    // The crate checks what it reads, but not everywhere: a damaged file must not end the program.
    let before = CONTAINED.replace(true);
    let read = std::panic::catch_unwind(AssertUnwindSafe(|| read_checked(opened, options, span, sink)));
    CONTAINED.set(before);
    read.unwrap_or_else(|_| {
        let what = "its content contradicts itself".to_owned();
        Err(SampleError::Parquet { path: path.into(), place: "the whole file".into(), what })
    })
}

thread_local! {
    static CONTAINED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether a panic of this thread, now, would be caught here and told as a [`SampleError::Parquet`]: a
/// panic hook should leave it alone.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// A file that is still being written has no end mark yet.
fn check_ends(opened: &Opened<'_>) -> Result<(), SampleError> {
    let bytes = opened.len();
    let mut opened = Opened { path: opened.path, file: clone(opened)?, metadata: opened.metadata.clone() };
    let truncated = |what| Err(SampleError::Truncated { path: opened.path.into(), bytes, what });
    if bytes < 12 {
        return truncated("it is too short");
    }
    if opened.part(0, 4)? != b"PAR1" {
        return truncated("it does not begin with PAR1");
    }
    if opened.part(bytes - 4, 4)? != b"PAR1" {
        return truncated("it does not end with PAR1");
    }
    Ok(())
}

fn clone(opened: &Opened<'_>) -> Result<std::fs::File, SampleError> {
    opened.file.try_clone().map_err(|source| opened.unreadable(source))
}

fn read_checked(
    opened: Opened<'_>,
    options: &Options,
    span: Span,
    sink: &mut impl Sink,
) -> Result<(), SampleError> {
    let path = opened.path;
    let broken = |place: &str| {
        let place = place.to_owned();
        move |error: ParquetError| SampleError::Parquet {
            path: path.into(),
            place,
            what: crate::domain::text::clean(&error.to_string(), 200),
        }
    };
    let reader = SerializedFileReader::new(clone(&opened)?).map_err(broken("the metadata"))?;
    let metadata = reader.metadata();
    let columns = columns(path, metadata, options, sink)?;
    check_groups(&opened, metadata, &columns, options.max_bytes)?;

    let count = |rows: i64| usize::try_from(rows).unwrap_or(0);
    let total =
        metadata.row_groups().iter().fold(0_usize, |sum, group| sum.saturating_add(count(group.num_rows())));
    let within = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX).min(total);
    let (mut skip, mut left) = match span {
        Span::First(rows) => (0, within(rows)),
        Span::Last(rows) => (total - within(rows), within(rows)),
    };
    if let Span::First(rows) = span
        && left < total
    {
        sink.remark(format!("only the first {rows} rows are read"));
    }
    // The metadata's word alone must not reserve memory without bound.
    sink.expect(left.min(1 << 20));
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let skipped = skip.min(count(group.num_rows()));
        skip -= skipped;
        let taken = left.min(count(group.num_rows()) - skipped);
        left -= taken;
        if taken == 0 {
            continue;
        }
        let group = reader.get_row_group(number).map_err(broken(&format!("row group {number}")))?;
        for flat in &columns {
            let place =
                format!("row group {number}, column \"{}\"", crate::domain::text::clean_name(&flat.name));
            let column = group.get_column_reader(flat.leaf).map_err(broken(&place))?;
            let read = dispatch(column, flat, skipped, taken, sink).map_err(broken(&place))?;
            if read != taken {
                let what = format!("{read} values where {taken} are promised");
                return Err(SampleError::Parquet { path: path.into(), place, what });
            }
        }
        for _ in 0..taken {
            sink.row(false);
        }
    }
    Ok(())
}

/// The wanted columns without parts; each goes to the sink.
fn columns(
    path: &Path,
    metadata: &ParquetMetaData,
    options: &Options,
    sink: &mut impl Sink,
) -> Result<Vec<Flat>, SampleError> {
    let schema = metadata.file_metadata().schema_descr();
    let mut names = HashSet::new();
    let mut columns = Vec::new();
    for (leaf, column) in schema.columns().iter().enumerate() {
        let Some(name) = column.path().parts().first().filter(|name| options.wants(name)) else { continue };
        if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
            sink.remark(nested(name));
            continue;
        }
        if !names.insert(name.clone()) {
            let name = crate::domain::text::clean_name(name);
            return Err(SampleError::Duplicate { path: path.into(), name });
        }
        if columns.len() == MAX_COLUMNS {
            sink.remark(format!("only the first {MAX_COLUMNS} columns are read"));
            break;
        }
        columns.push(Flat {
            leaf,
            column: 0,
            name: name.clone(),
            meaning: Meaning::of(column),
            present: column.max_def_level(),
        });
    }
    for flat in &mut columns {
        flat.column = sink.column(flat.name.as_str().into());
    }
    Ok(columns)
}

/// Whether the wanted columns can be unpacked, and how much that makes.
fn check_groups(
    opened: &Opened<'_>,
    metadata: &ParquetMetaData,
    columns: &[Flat],
    limit: u64,
) -> Result<(), SampleError> {
    let mut bytes = 0_u64;
    for group in metadata.row_groups() {
        for flat in columns {
            let Some(chunk) = group.columns().get(flat.leaf) else { continue };
            let codec = match chunk.compression() {
                Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => None,
                Compression::LZO => Some("lzo"),
                Compression::BROTLI(_) => Some("brotli"),
                Compression::LZ4 | Compression::LZ4_RAW => Some("lz4"),
                Compression::ZSTD(_) => Some("zstd"),
            };
            if let Some(codec) = codec {
                let column = crate::domain::text::clean_name(&flat.name);
                return Err(SampleError::Codec { path: opened.path.into(), column, codec });
            }
            // The crate takes these for granted: it would panic, or reserve what the file cannot hold.
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = start.checked_add(chunk.compressed_size()).and_then(|end| u64::try_from(end).ok());
            if start < 0 || chunk.compressed_size() < 0 || end.is_none_or(|end| end > opened.len()) {
                let place = format!("column \"{}\"", crate::domain::text::clean_name(&flat.name));
                let what = "its data lie outside of the file".to_owned();
                return Err(SampleError::Parquet { path: opened.path.into(), place, what });
            }
            bytes = bytes.saturating_add(u64::try_from(chunk.uncompressed_size()).unwrap_or(0));
        }
    }
    if bytes > limit { Err(opened.too_large(0, bytes, limit)) } else { Ok(()) }
}

fn dispatch(
    reader: ColumnReader,
    flat: &Flat,
    skip: usize,
    take: usize,
    sink: &mut impl Sink,
) -> Result<usize, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::Int32ColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::Int64ColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::Int96ColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::FloatColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::DoubleColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::ByteArrayColumnReader(reader) => cells(reader, flat, skip, take, sink),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => cells(reader, flat, skip, take, sink),
    }
}

/// Reads `take` values behind the first `skip`; gives how many there were.
fn cells<T: DataType<T: Decode>>(
    mut reader: ColumnReaderImpl<T>,
    flat: &Flat,
    skip: usize,
    take: usize,
    sink: &mut impl Sink,
) -> Result<usize, ParquetError> {
    if skip > 0 && reader.skip_records(skip)? < skip {
        return Ok(0);
    }
    let mut values = Vec::with_capacity(BATCH.min(take));
    let mut levels = Vec::with_capacity(BATCH.min(take));
    let mut read = 0;
    while read < take {
        values.clear();
        levels.clear();
        let (records, _, _) =
            reader.read_records(BATCH.min(take - read), Some(&mut levels), None, &mut values)?;
        if records == 0 {
            break;
        }
        read += records;
        if flat.present == 0 {
            for value in &values {
                value.decode(flat.meaning, |cell| sink.push(flat.column, cell));
            }
            continue;
        }
        let mut values = values.iter();
        for &level in &levels {
            match if level == flat.present { values.next() } else { None } {
                Some(value) => value.decode(flat.meaning, |cell| sink.push(flat.column, cell)),
                None => sink.push(flat.column, Cell::Missing),
            }
        }
    }
    Ok(read)
}
