use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Follower;
use super::*;

fn small() -> Options {
    Options { max_rows: 1000, max_bytes: 100_000, columns: None }
}

/// Numbers, texts and gaps, with what quotes are for.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<f64>().prop_map(|number| number.to_string()),
        1 => Just(String::new()),
        2 => "[a-c,;\"\r\n é]{0,4}",
    ]
}

fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..5).prop_flat_map(|width| vec(vec(cell(), width), 0..20))
}

fn written(rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let width = rows.first().map_or(1, Vec::len);
    writer.write_record((0..width).map(|at| format!("f{at}"))).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// What reading must give, found another way: cell by cell.
fn wanted(rows: &[Vec<String>], at: usize) -> Column {
    let cells: Vec<&str> =
        rows.iter().map(|row| row[at].trim_ascii()).filter(|cell| !cell.is_empty()).collect();
    let numbers: Vec<f64> = cells.iter().filter_map(|cell| cell.parse().ok()).collect();
    let values = if cells.is_empty() {
        Values::Empty
    } else if numbers.len() == cells.len() {
        let finite: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
        numeric(&finite, (numbers.len() - finite.len()) as u64)
    } else {
        let mut counts = std::collections::HashMap::<Box<str>, u64>::new();
        for cell in &cells {
            let name = cell.parse::<f64>().map_or((*cell).to_owned(), |number| (number + 0.0).to_string());
            *counts.entry(name.into()).or_default() += 1;
        }
        Values::Categorical { counts, others: 0 }
    };
    column(&format!("f{at}"), (rows.len() - cells.len()) as u64, values)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        for name in ["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a"] {
            let _ = read_as(name, &bytes, &small());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-b0-9,;\t\"\r\n{}:\\[\\]. ]{0,80}") {
        for name in ["a.csv", "a.tsv", "a.jsonl", "a"] {
            let _ = read_as(name, &text, &small());
        }
    }

    #[test]
    fn no_damage_makes_parquet_panic(hits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = super::columnar::sample();
        let inner = bytes.len() - 8;
        for (at, byte) in hits {
            bytes[4 + at.index(inner)] = byte;
        }
        let _ = read_as("a.parquet", &bytes, &small());
    }

    #[test]
    fn written_tables_read_back(rows in rows()) {
        let table = csv(written(&rows));
        let width = rows.first().map_or(1, Vec::len);
        let want: Vec<Column> = (0..width).map(|at| wanted(&rows, at)).collect();
        prop_assert_eq!(table.columns, want);
        prop_assert_eq!((table.rows, table.ragged), (rows.len() as u64, 0));
    }

    #[test]
    fn any_chunks_give_what_one_read_gives(
        rows in rows(),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
        limit in 1_usize..25,
        crlf in any::<bool>(),
    ) {
        let mut bytes = written(&rows);
        if crlf {
            bytes = String::from_utf8(bytes).unwrap().replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        }
        let whole = csv(&bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder, "a.csv", "");
        let mut all = Follower::new(&path, 1000, Options::default());
        let mut last = Follower::new(&path, limit, Options::default());
        let mut from = 0;
        for cut in cuts {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(&bytes[from..cut]).unwrap();
            from = cut;
            all.read_new().unwrap();
            last.read_new().unwrap();
        }
        prop_assert_eq!(all.window().to_table(), whole);
        if !crlf {
            let kept = &rows[rows.len().saturating_sub(limit)..];
            let width = rows.first().map_or(1, Vec::len);
            let want: Vec<Column> = (0..width).map(|at| wanted(kept, at)).collect();
            prop_assert_eq!(last.window().to_table().columns, want);
        }
    }

    #[test]
    fn any_chunks_of_lines_too(
        rows in vec(vec(("[a-d]", prop_oneof![any::<i32>().prop_map(|n| n.to_string()), Just("null".into()), Just("\"é\"".into()), Just("true".into())]), 0..4), 0..20),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut text = String::new();
        for row in &rows {
            let cells: Vec<String> = row.iter().map(|(key, value): &(String, String)| format!("\"{key}\":{value}")).collect();
            text.push_str(&format!("{{{}}}\n", cells.join(",")));
        }
        prop_assume!(!text.is_empty());
        let whole = read_as("a.jsonl", &text, &Options::default()).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let mut follower = Follower::new(&path, 1000, Options::default());
        for cut in cuts {
            // Written anew with more: the same bytes before are no other file.
            std::fs::write(&path, &text.as_bytes()[..cut]).unwrap();
            follower.read_new().unwrap();
        }
        prop_assert_eq!(follower.window().to_table(), whole);
    }
}
