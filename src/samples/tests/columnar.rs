use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::super::is_contained;
use super::*;

type Group<'a> = SerializedRowGroupWriter<'a, std::fs::File>;

pub(super) fn put<T: DataType>(group: &mut Group<'_>, values: &[T::T], levels: Option<&[i16]>) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

pub(super) fn write(path: &Path, schema: &str, codec: Compression, groups: &[&dyn Fn(&mut Group<'_>)]) {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}")).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(codec).build());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    for fill in groups {
        let mut group = writer.next_row_group().unwrap();
        fill(&mut group);
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn read_parquet(schema: &str, fill: &dyn Fn(&mut Group<'_>)) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, schema, Compression::SNAPPY, &[fill]);
    read(&path, &Options::default()).unwrap()
}

fn texts(texts: &[&str]) -> Vec<ByteArray> {
    texts.iter().map(|&text| ByteArray::from(text)).collect()
}

#[test]
fn types_of_columns() {
    let schema = "required boolean flag; required int32 day (DATE); required int32 unsigned (UINT_32);
        required int64 time (TIMESTAMP(MICROS,true)); required int64 cents (DECIMAL(9,2));
        required int96 old; required float f; required double d; required binary s (STRING);
        required fixed_len_byte_array(3) fixed (DECIMAL(5,1)); required binary raw;";
    let table = read_parquet(schema, &|group| {
        put::<BoolType>(group, &[true, false], None);
        put::<Int32Type>(group, &[1, -1], None);
        put::<Int32Type>(group, &[-1, 1], None);
        put::<Int64Type>(group, &[1_500_000, 0], None);
        put::<Int64Type>(group, &[-250, 199], None);
        let mut day = Int96::new();
        day.set_data(1_500_000_000, 0, 2_440_589);
        put::<Int96Type>(group, &[day, day], None);
        put::<FloatType>(group, &[0.5, f32::NAN], None);
        put::<DoubleType>(group, &[-0.0, f64::INFINITY], None);
        put::<ByteArrayType>(group, &texts(&["NA", ""]), None);
        put::<FixedLenByteArrayType>(group, &[vec![0xff, 0xff, 0xfb].into(), vec![0, 1, 0].into()], None);
        put::<ByteArrayType>(group, &[vec![0xff].into(), vec![b'a'].into()], None);
    });
    let want = [
        column("flag", 0, categorical(&[("true", 1), ("false", 1)])),
        column("day", 0, numeric(&[1.0, -1.0], 0)),
        column("unsigned", 0, numeric(&[4_294_967_295.0, 1.0], 0)),
        column("time", 0, numeric(&[1.5, 0.0], 0)),
        column("cents", 0, numeric(&[-2.5, 1.99], 0)),
        column("old", 0, numeric(&[86_401.5, 86_401.5], 0)),
        column("f", 0, numeric(&[0.5], 1)),
        column("d", 0, numeric(&[0.0], 1)),
        column("s", 0, categorical(&[("NA", 1), ("", 1)])),
        column("fixed", 0, numeric(&[-0.5, 25.6], 0)),
        column("raw", 0, categorical(&[("\u{fffd}", 1), ("a", 1)])),
    ];
    assert_eq!(table.columns, want);
    assert_eq!((table.rows, table.remarks.len()), (2, 0));
}

#[test]
fn gaps_groups_and_codecs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for codec in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::GZIP(Default::default())] {
        let levels: Vec<i16> = (0..20_000).map(|at| i16::from(at % 2 == 0)).collect();
        let values: Vec<f64> = (0..10_000).map(f64::from).collect();
        let fill = |group: &mut Group<'_>| put::<DoubleType>(group, &values, Some(&levels));
        write(&path, "optional double a;", codec, &[&fill, &fill]);
        let table = read(&path, &Options::default()).unwrap();
        assert_eq!((table.rows, table.columns[0].missing), (40_000, 20_000));
        assert_eq!(table.columns[0].values, numeric(&[values.clone(), values].concat(), 0));
        let options = Options { max_rows: 20_003, ..Options::default() };
        let table = read(&path, &options).unwrap();
        assert_eq!((table.rows, table.columns[0].missing, table.remarks.len()), (20_003, 10_001, 1));
    }
}

#[test]
fn nested_columns_are_left_out() {
    let table = read_parquet(
        "required group a { required int32 x; } required int32 b; repeated int32 c;",
        &|group| {
            put::<Int32Type>(group, &[1], None);
            put::<Int32Type>(group, &[2], None);
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int32Type>().write_batch(&[3, 4], Some(&[1, 1]), Some(&[0, 1])).unwrap();
            column.close().unwrap();
        },
    );
    assert_eq!(table.columns, [column("b", 0, numeric(&[2.0], 0))]);
    assert_eq!(table.remarks.len(), 2);
}

pub(super) fn sample() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(
        &path,
        "optional double a; required binary s (STRING);",
        Compression::SNAPPY,
        &[&|group| {
            put::<DoubleType>(group, &[1.0, 2.0], Some(&[1, 0, 1]));
            put::<ByteArrayType>(group, &texts(&["x", "y", "x"]), None);
        }],
    );
    std::fs::read(&path).unwrap()
}

#[test]
fn truncated_files_are_told() {
    let bytes = sample();
    assert_eq!(read_as("a", &bytes, &Options::default()).unwrap().rows, 3);
    for length in [1, 4, 11, 12, 40, bytes.len() - 1] {
        let text = error("a.parquet", &bytes[..length]);
        assert!(text.contains("no whole Parquet file"), "{length}: {text}");
    }
    assert!(error("a.parquet", "a,b,c\n1,2,3\n4,5,6\n").contains("begin with PAR1"));
    let mut holed = bytes[..20].to_vec();
    holed.extend_from_slice(&bytes[30..]);
    assert!(error("a.parquet", holed).contains("a.parquet: "));
}

#[test]
fn a_codec_that_is_not_read_is_named() {
    // The writer cannot write it either: the codec's number in the metadata is changed by hand.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let fill: &dyn Fn(&mut Group<'_>) = &|group| put::<Int32Type>(group, &[7], None);
    write(&path, "required int32 abc;", Compression::SNAPPY, &[fill]);
    let bytes = std::fs::read(&path).unwrap();
    // In the column's metadata the path `abc` is followed by field 4, an i32 zigzag: codec 1 (snappy) is 2.
    let at = bytes.windows(5).rposition(|part| part == b"abc\x15\x02").unwrap();
    let mut changed = bytes.clone();
    changed[at + 4] = 12;
    std::fs::write(&path, &changed).unwrap();
    let text = read(&path, &Options::default()).unwrap_err().to_string();
    assert!(text.contains("\"abc\" is packed with zstd") && text.contains("snappy"), "{text}");
}

#[test]
fn too_much_to_unpack_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let zeros = vec![ByteArray::from("0".repeat(100_000).as_str())];
    write(
        &path,
        "required binary a (STRING);",
        Compression::SNAPPY,
        &[&|group| {
            put::<ByteArrayType>(group, &zeros, None);
        }],
    );
    let options = Options { max_bytes: 50_000, ..Options::default() };
    let packed = std::fs::metadata(&path).unwrap().len();
    assert!(packed < 250_000, "{packed}");
    assert!(matches!(read(&path, &options), Err(SampleError::TooLarge { .. })));
}

#[test]
fn panics_are_contained_only_while_a_file_is_read() {
    assert!(!is_contained());
    let bytes = sample();
    read_as("a", &bytes, &Options::default()).unwrap();
    let _ = read_as("a", [&bytes[..8], &bytes[20..]].concat(), &Options::default());
    assert!(!is_contained());
}
