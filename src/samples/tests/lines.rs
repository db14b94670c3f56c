use super::*;

fn json(text: &str) -> Table {
    read_as("a.jsonl", text, &Options::default()).unwrap()
}

#[test]
fn objects_are_rows() {
    let table = json(
        "\u{feff}{\"a\":1,\"b\":\"x\"}\r\n\n{\"b\":null,\"c\":true,\"a\":-0.0}\n{\"a\":2,\"c\":false,\"d\":\"1\\n\"}",
    );
    assert_eq!(
        table.columns,
        [
            column("a", 0, numeric(&[1.0, 0.0, 2.0], 0)),
            column("b", 2, categorical(&[("x", 1)])),
            column("c", 1, categorical(&[("true", 1), ("false", 1)])),
            column("d", 2, categorical(&[("1\n", 1)])),
        ]
    );
    assert_eq!((table.rows, table.ragged), (3, 0));
}

#[test]
fn nested_values_cost_their_column() {
    let table = json("{\"a\":[1,[2]],\"b\":1}\n{\"a\":{\"x\":{}},\"b\":2}\n{\"a\":3,\"b\":3}\n");
    assert_eq!(table.columns, [column("b", 0, numeric(&[1.0, 2.0, 3.0], 0))]);
    assert_eq!(table.remarks, ["the column \"a\" is left out: it holds lists or objects"]);
}

#[test]
fn the_first_of_two_equal_keys_counts() {
    let table = json("{\"a\":1,\"a\":2}\n{\"a\":3,\"b\":4,\"a\":5,\"b\":6}\n");
    assert_eq!(table.columns, [column("a", 0, numeric(&[1.0, 3.0], 0)), column("b", 1, numeric(&[4.0], 0))]);
}

#[test]
fn broken_lines_are_named() {
    let text = error("a.jsonl", "{\"a\":1}\n\n{\"a\":}\n{\"a\":1}\n");
    assert!(text.contains("line 3 (byte 9)") && text.contains("write one JSON object a line"), "{text}");
    assert!(error("a.json", "[{\"a\":1}]").contains("jq -c '.[]'"));
    assert!(error("a.json", "{\n\"a\":1\n}\n").contains("jq -c ."));
    assert!(error("a.json", "{\"a\":NaN}\n").contains("write null"));
    assert!(error("a.json", "{\"a\":1} 2\n").contains("line 1"));
    assert!(error("a.json", "{\"a\":").contains("line 1"));
    assert!(error("a.json", "7\n").contains("an object"));
    let deep = format!("{{\"a\":{}\n", "[".repeat(100_000));
    assert!(error("a.json", deep).contains("line 1"));
}

#[test]
fn a_cut_last_line_is_left_out() {
    let table = json("{\"a\":1}\n{\"a\":2,\"b\":");
    assert_eq!(table.columns, [column("a", 0, numeric(&[1.0], 0))]);
    assert_eq!(table.remarks, ["the last line (2) is left out: it is cut"]);
    assert_eq!(json("{\"a\":1}\n{\"a\":2}").rows, 2);
}

#[test]
fn only_what_is_wanted() {
    let options = Options { columns: Some(vec!["b".into()]), max_rows: 2, ..Options::default() };
    for text in ["{\"a\":1,\"b\":2}\n{\"b\":3}\n{\"b\":4}\n", "{\"a\":1,\"b\":2}\n{\"b\":3}\n{\"b\":4}"] {
        let table = read_as("any", text, &options).unwrap();
        assert_eq!(table.columns, [column("b", 0, numeric(&[2.0, 3.0], 0))]);
        assert_eq!(table.remarks, ["only the first 2 rows are read"]);
    }
}
