use std::io::Write;
use std::path::Path;

use parquet::basic::Compression;
use parquet::data_type::DoubleType;

use super::super::Follower;
use super::columnar::{put, write};
use super::*;

fn append(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes.as_ref()).unwrap();
}

fn follow(path: &Path, rows: usize) -> Follower {
    Follower::new(path, rows, Options::default())
}

fn new(follower: &mut Follower) -> Option<Table> {
    follower.read_new().unwrap().map(super::super::Window::to_table)
}

#[test]
fn only_whole_rows_are_taken_and_the_last_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let mut follower = follow(&path, 2);
    assert!(matches!(follower.read_new(), Err(SampleError::Unreadable { .. })));
    append(&path, "");
    assert!(new(&mut follower).is_none());
    append(&path, "a,b");
    assert!(new(&mut follower).is_none());
    append(&path, "\n1,x\n2,\"y");
    assert_eq!(new(&mut follower).unwrap().columns[1], column("b", 0, categorical(&[("x", 1)])));
    assert!(new(&mut follower).is_none());
    append(&path, "\n\"\n3\n");
    let table = new(&mut follower).unwrap();
    assert_eq!(table.columns[0], column("a", 0, numeric(&[2.0, 3.0], 0)));
    assert_eq!(table.columns[1], column("b", 1, categorical(&[("y", 1)])));
    assert_eq!((table.rows, table.ragged), (2, 1));
    append(&path, "4,4\n5,NaN\n");
    assert_eq!(new(&mut follower).unwrap().columns[1], column("b", 0, numeric(&[4.0], 1)));
    assert_eq!(follower.window().rows(), 2);
}

#[test]
fn files_written_anew_are_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, replace) in [("truncated.csv", false), ("replaced.csv", true)] {
        let path = folder.path().join(name);
        append(&path, "a,b\n1,2\n3,4\n");
        let mut follower = follow(&path, 10);
        assert_eq!(new(&mut follower).unwrap().rows, 2);
        let text = "c\n9\n";
        if replace {
            let other = file(&folder, "other", text);
            std::fs::rename(other, &path).unwrap();
        } else {
            std::fs::write(&path, text).unwrap();
        }
        assert_eq!(new(&mut follower).unwrap().columns, [column("c", 0, numeric(&[9.0], 0))]);
        // Longer than before, in the same file: only the bytes before the old end tell.
        std::fs::write(&path, "d,e,f\n1,2,3\n4,5,6\n").unwrap();
        assert_eq!(new(&mut follower).unwrap().columns.len(), 3);
        std::fs::write(&path, "").unwrap();
        assert_eq!(new(&mut follower).unwrap().rows, 0);
    }
}

#[test]
fn keys_that_come_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.jsonl", "{\"a\":1}\n{\"b\":\"x\"}\n");
    let mut follower = follow(&path, 2);
    let table = new(&mut follower).unwrap();
    assert_eq!(table.columns[1], column("b", 1, categorical(&[("x", 1)])));
    append(&path, "{\"a\":[]}\n{\"c\":1}\n");
    let table = new(&mut follower).unwrap();
    assert_eq!(table.columns, [column("b", 2, Values::Empty), column("c", 1, numeric(&[1.0], 0))]);
    assert_eq!(table.remarks.len(), 1);
}

#[test]
fn a_broken_line_is_told_once_and_passed() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.jsonl", "{\"a\":1}\n{\"b\":\n{\"a\":2}\n");
    let mut follower = follow(&path, 9);
    let text = follower.read_new().unwrap_err().to_string();
    assert!(text.contains("line 2 (byte 8)"), "{text}");
    assert_eq!(new(&mut follower).unwrap().columns, [column("a", 0, numeric(&[1.0, 2.0], 0))]);
    assert!(new(&mut follower).is_none());
}

#[test]
fn a_broken_header_does_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.csv", "a,b,a\n1,2,3\n");
    let mut follower = follow(&path, 9);
    for _ in 0..2 {
        assert!(matches!(follower.read_new(), Err(SampleError::Duplicate { .. })));
    }
    std::fs::write(&path, "a,b,c\n1,2,3\n").unwrap();
    assert_eq!(new(&mut follower).unwrap().columns.len(), 3);
}

#[test]
fn far_behind_it_goes_on_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("a\n");
    for at in 0..1000 {
        text.push_str(&format!("{at}\n"));
    }
    let path = file(&folder, "a.csv", text);
    let options = Options { max_bytes: 41, ..Options::default() };
    let mut follower = Follower::new(&path, 1000, options);
    let table = new(&mut follower).unwrap();
    let last: Vec<f64> = (990..1000).map(f64::from).collect();
    assert_eq!(table.columns[0].values, numeric(&last, 0));
    assert_eq!(table.remarks.len(), 1);
    append(&path, "7\n");
    assert_eq!(new(&mut follower).unwrap().rows, 11);
    append(&path, "x".repeat(100));
    assert!(matches!(follower.read_new(), Err(SampleError::TooLarge { .. })));
}

#[test]
fn parquet_is_read_again_when_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    write(
        &path,
        "required double a;",
        Compression::SNAPPY,
        &[&|group| put::<DoubleType>(group, &values, None), &|group| {
            put::<DoubleType>(group, &values[..3], None)
        }],
    );
    let mut follower = follow(&path, 5);
    let table = new(&mut follower).unwrap();
    assert_eq!(table.columns, [column("a", 0, numeric(&[98.0, 99.0, 0.0, 1.0, 2.0], 0))]);
    assert!(new(&mut follower).is_none());
    std::fs::write(&path, "PAR1 half").unwrap();
    assert!(matches!(follower.read_new(), Err(SampleError::Truncated { .. })));
    assert_eq!(follower.window().rows(), 5);
    write(
        &path,
        "required double b;",
        Compression::SNAPPY,
        &[&|group| put::<DoubleType>(group, &[1.0], None)],
    );
    assert_eq!(new(&mut follower).unwrap().columns, [column("b", 0, numeric(&[1.0], 0))]);
}
