use super::super::MAX_CATEGORIES;
use super::*;

#[test]
fn numbers_categories_and_gaps() {
    let table = csv("a,b,c\n1,x,\n2.5,y,NA\n,x,null\nNaN,,None\n-inf,x,\n-0.0,z,\n");
    assert_eq!(
        table.columns,
        [
            column("a", 1, numeric(&[1.0, 2.5, 0.0], 2)),
            column("b", 1, categorical(&[("x", 3), ("y", 1), ("z", 1)])),
            column("c", 6, Values::Empty),
        ]
    );
    assert_eq!((table.rows, table.ragged, table.remarks.len()), (6, 0, 0));
    let Values::Numeric { values, .. } = &table.columns[0].values else { panic!() };
    assert!(values[2].is_sign_positive());
}

#[test]
fn numbers_become_categories_when_a_text_comes() {
    let table = csv("a\n1.50\n-0.0\nNaN\ninf\n-inf\nx\n1.5\nnan\n");
    let counts = [("1.5", 2), ("0", 1), ("NaN", 2), ("inf", 1), ("-inf", 1), ("x", 1)];
    assert_eq!(table.columns, [column("a", 0, categorical(&counts))]);
}

#[test]
fn ragged_rows_are_read_as_far_as_they_go() {
    let table = csv("a,b\n1\n2,3,4\n5,6\n");
    assert_eq!(
        table.columns,
        [column("a", 0, numeric(&[1.0, 2.0, 5.0], 0)), column("b", 1, numeric(&[3.0, 6.0], 0))]
    );
    assert_eq!((table.rows, table.ragged), (3, 2));
}

#[test]
fn separators_marks_and_line_ends() {
    let want = csv("a,b\n1,x\n2,y\n").columns;
    for text in [
        "\u{feff}a,b\r\n1,x\r\n2,y\r\n",
        "a;b\n1;x\n2;y",
        "a\tb\n1\tx\n2\ty\n",
        "\n\r\na,b\n\n1,x\n\n2,y",
        "a,b\r1,x\r2,y\r",
        "\"a\";\"b\"\n\"1\";\"x\"\n2;y\n",
        " a , b \n 1 , x \n 2 , y \n",
    ] {
        assert_eq!(csv(text).columns, want, "{text:?}");
        assert_eq!(read_as("noext", text, &Options::default()).unwrap().columns, want, "{text:?}");
    }
    let table = csv("\"a,;;b\",\"c\nd\"\n1,\"x\ny\"\n");
    assert_eq!(
        table.columns,
        [column("a,;;b", 0, numeric(&[1.0], 0)), column("c\nd", 0, categorical(&[("x\ny", 1)]))]
    );
    let table = read_as("a.tsv", "a,b,c\td\n1\t2\n", &Options::default()).unwrap();
    assert_eq!(table.columns.len(), 2);
    assert_eq!(&*table.columns[0].name, "a,b,c");
}

#[test]
fn a_row_cut_in_quotes_is_left_out() {
    let table = csv("a,b\n1,x\n2,\"y\nz");
    assert_eq!(table.columns, [column("a", 0, numeric(&[1.0], 0)), column("b", 0, categorical(&[("x", 1)]))]);
    assert_eq!(table.remarks, ["the last row (number 2) is left out: its quoted cell does not end"]);
    assert_eq!(csv("a,b\n1,x\n2,\"y\"").rows, 2);
    assert_eq!(csv("a,b\n1,x\n2,\"y\"\"\"").rows, 2);
}

#[test]
fn bytes_that_are_no_utf8_are_replaced() {
    let table = csv(b"a\xff,b\nx\xfe,1\n");
    assert_eq!(table.columns[0], column("a\u{fffd}", 0, categorical(&[("x\u{fffd}", 1)])));
}

#[test]
fn headers() {
    assert!(error("a.csv", "a,b,a\n").contains("\"a\" twice"));
    assert!(error("a.csv", "1.5,2,3\n4,5,6\n").contains("write a header line"));
    assert_eq!(csv("0,1,2\n4,5,6\n").columns.len(), 3);
    assert_eq!(csv(",b\n4,5\n").columns[0].name.as_ref(), "column 1");
    let table = csv("a,b");
    assert_eq!((table.rows, &table.columns[0].values), (0, &Values::Empty));
}

#[test]
fn files_that_cannot_be_read() {
    for name in ["a.csv", "a.jsonl", "a.parquet", "a"] {
        assert!(error(name, "").contains("is empty"), "{name}");
    }
    assert!(error("a.csv", "\n \n").contains("is empty"));
    assert!(error("a.jsonl", "\n \n").contains("is empty"));
    assert!(error("a", [0x1f, 0x8b, 8, 0]).contains("packed with gzip"));
    let options = Options { max_bytes: 5, ..Options::default() };
    let text = read_as("a.csv", "a\n1\n2\n", &options).unwrap_err().to_string();
    assert!(text.contains("6 bytes") && text.contains("5 allowed"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read(folder.path(), &options), Err(SampleError::NoFile { .. })));
    assert!(matches!(read(&folder.path().join("none"), &options), Err(SampleError::Unreadable { .. })));
}

#[test]
fn only_what_is_wanted() {
    let options = Options { columns: Some(vec!["b".into(), "z".into()]), ..Options::default() };
    let table = read_as("a.csv", "a,b\n1,2\n", &options).unwrap();
    assert_eq!(table.columns, [column("b", 0, numeric(&[2.0], 0))]);
    assert_eq!(table.remarks, ["the file has no column \"z\""]);
    let options = Options { max_rows: 1, ..Options::default() };
    let table = read_as("a.csv", "a\n1\n2\n", &options).unwrap();
    assert_eq!(
        (table.rows, table.remarks.as_slice()),
        (1, ["only the first 1 rows are read".to_owned()].as_slice())
    );
    assert!(read_as("a.csv", "a\n1\n", &options).unwrap().remarks.is_empty());
}

#[test]
fn categories_are_bounded() {
    let mut text = String::from("a\n");
    for at in 0..MAX_CATEGORIES + 10 {
        text.push_str(&format!("c{at}\nc0\n"));
    }
    let table = csv(text);
    let Values::Categorical { counts, others } = &table.columns[0].values else { panic!() };
    assert_eq!((counts.len(), *others), (MAX_CATEGORIES, 10));
    assert_eq!(counts["c0"], MAX_CATEGORIES as u64 + 11);
}

#[test]
fn long_names_of_categories_are_bounded() {
    let long = "x".repeat(30_000_000);
    let table = csv(format!("a\nx{long}\ny{long}\n"));
    let Values::Categorical { counts, others } = &table.columns[0].values else { panic!() };
    assert_eq!((counts.len(), *others), (1, 1));
}

#[test]
fn ten_thousand_columns() {
    let names: Vec<String> = (0..10_000).map(|at| format!("f{at}")).collect();
    let row = vec!["0.5"; 10_000].join(",");
    let table = csv(format!("{}\n{row}\n{row}\n", names.join(",")));
    assert_eq!(table.columns.len(), 10_000);
    assert_eq!(table.columns[9_999], column("f9999", 0, numeric(&[0.5, 0.5], 0)));
}
