//! `wardroom drift` as scripts use it: exit codes, one JSON document, and every kind of bad input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    fn feature(&self, name: &str) -> Value {
        let all = self.json();
        let found = all["features"].as_array().unwrap().iter().find(|one| one["feature"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {all}")).clone()
    }
}

fn drift(folder: &Path, words: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .arg("drift")
        .args(words)
        .current_dir(folder)
        .env_remove("WARDROOM_CONFIG")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Compares two files of these contents.
fn compared(reference: &[u8], current: &[u8], more: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.csv"), reference).unwrap();
    std::fs::write(folder.path().join("c.csv"), current).unwrap();
    drift(
        folder.path(),
        &[&["--reference", "r.csv", "--current", "c.csv", "--output", "json"], more].concat(),
    )
}

/// A column of evenly spread numbers, moved by a share of their range.
fn line(rows: u32, moved: f64) -> String {
    (0..rows).fold("f\n".to_owned(), |mut text, n| {
        writeln!(text, "{}", f64::from(n) / f64::from(rows) + moved).unwrap();
        text
    })
}

#[test]
fn exit_codes_are_those_of_confirmed_levels() {
    for (moved, code, level) in [
        (0.0, 0, "minimal"),
        (0.08, 0, "low"),
        (0.15, 1, "moderate"),
        (0.25, 2, "high"),
        (0.5, 2, "critical"),
    ] {
        let said = compared(line(20_000, 0.0).as_bytes(), line(20_000, moved).as_bytes(), &[]);
        let all = said.json();
        let one = &all["features"][0];
        assert_eq!((said.code, one["level"].as_str()), (Some(code), Some(level)), "{all}");
        assert_eq!((&one["feature"], &one["method"]), (&"f".into(), &"ks".into()));
        assert_eq!((&one["n_reference"], &one["n_current"]), (&20_000.into(), &20_000.into()));
        assert_eq!((&one["status"], all["exit_code"].as_i64()), (&"ok".into(), Some(code.into())));
        assert!((one["score"].as_f64().unwrap() - moved).abs() < 0.01, "{one}");
    }
    let said = compared(b"a\n1\n", b"b\n1\n", &[]);
    assert_eq!(said.code, Some(3), "no common feature: {}", said.out);
    assert_eq!((&said.json()["level"], said.json()["features"].as_array().unwrap().len()), (&Value::Null, 2));
}

#[test]
fn what_is_not_certain_does_not_alert() {
    let said = compared(line(60, 0.0).as_bytes(), line(60, 0.35).as_bytes(), &[]);
    let one = said.feature("f");
    assert_eq!((said.code, &one["level"], &one["confirmed"]), (Some(0), &"critical".into(), &false.into()));
    assert_eq!(one["certainty"], "tentative");
    let (floor, score) = (one["noise_floor"].as_f64().unwrap(), one["score"].as_f64().unwrap());
    assert!(floor > 0.2 && floor < score, "{one}");
    assert!(one["verdict"].as_str().unwrap().contains("not certain"), "{one}");
}

#[test]
fn non_finite_values_are_counted_and_shown() {
    let with = |word: &str| line(1_000, 0.0) + &format!("{word}\n").repeat(200);
    let said = compared(line(1_200, 0.0).as_bytes(), (with("NaN") + "inf\n-inf\n").as_bytes(), &[]);
    let one = said.feature("f");
    assert_eq!((said.code, &one["status"]), (Some(0), &"ok".into()), "{one}");
    assert_eq!((&one["n_current"], &one["dropped_current"]["non_finite"]), (&1_000.into(), &202.into()));
    assert_eq!(one["data_quality_alert"], true);
    assert!(one["remarks"][0].as_str().unwrap().contains("16.8 % non-finite"), "{one}");
    assert!(!said.out.contains("NaN") && !said.out.contains("inf,"), "{}", said.out);
    // All of them: a state, not a zero.
    let said = compared(line(10, 0.0).as_bytes(), b"f\nNaN\nNaN\n", &[]);
    assert_eq!((said.code, &said.feature("f")["status"]), (Some(3), &"no_data".into()));
    assert_eq!(said.feature("f")["score"], Value::Null);
}

#[test]
fn odd_features_have_a_state_and_the_others_are_computed() {
    let mut reference = "good,constant,empty,gone,typed,words\n".to_owned();
    let mut current = "good,constant,empty,new,typed,words\n".to_owned();
    for n in 0..2_000 {
        writeln!(reference, "{n},7,,{n},{n},{}", ["x", "y"][n % 2]).unwrap();
        writeln!(current, "{},7,,{n},text,{}", n + 1_500, ["x", "z"][n % 2]).unwrap();
    }
    for method in ["ks", "psi", "js", "kl", "wasserstein", "chi2"] {
        let said = compared(reference.as_bytes(), current.as_bytes(), &["--method", method]);
        assert_eq!(said.code, Some(2), "{method}: {}", said.out);
        for (name, status) in [
            ("good", "ok"),
            ("constant", "constant"),
            ("empty", "no_data"),
            ("gone", "missing_in_current"),
            ("new", "missing_in_reference"),
            ("typed", "type_changed"),
        ] {
            let one = said.feature(name);
            assert_eq!(one["status"], status, "{method} {one}");
            assert_eq!(one["score"].is_null(), !["ok", "constant"].contains(&status), "{method} {one}");
        }
        assert_eq!(said.feature("good")["level"], "critical", "{method}");
        assert_eq!(said.feature("constant")["score"], 0.0, "{method}");
        let words = said.feature("words");
        assert_eq!(words["unseen_in_reference"], 1, "{words}");
        assert_eq!(words["status"], if method == "wasserstein" { "not_applicable" } else { "ok" });
    }
}

#[test]
fn several_methods_and_groups_stand_worst_first() {
    let mut files = [String::from("calm,wild\n"), String::from("calm,wild\n")];
    for n in 0..3_000 {
        writeln!(files[0], "{n},{n}").unwrap();
        writeln!(files[1], "{n},{}", n + 2_000).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("r.csv", files[0].as_str()),
        ("c.csv", files[1].as_str()),
        ("g.toml", "clinical = [\"calm\"]\nsensor = [\"wild\", \"absent\"]\n"),
        ("g.json", "{\"clinical\": [\"calm\"], \"sensor\": [\"wild\"]}"),
        ("bad.toml", "clinical = [\"calm\"]\nsensor = 5\n"),
        ("twice.toml", "a = [\"calm\"]\nb = [\"calm\"]\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let with = |words: &[&str]| {
        drift(folder.path(), &[&["--reference", "r.csv", "--current", "c.csv"], words].concat())
    };
    let said = with(&["--method", "ks,psi", "--groups", "g.toml", "--output", "json"]).json();
    let order: Vec<String> = said["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["group", "feature", "method"].map(|key| one[key].as_str().unwrap()).join(" "))
        .collect();
    assert_eq!(
        order,
        ["sensor wild psi", "sensor wild ks", "clinical calm ks", "clinical calm psi"],
        "{said}"
    );
    assert!(said["remarks"][0].as_str().unwrap().contains("\"absent\""), "{said}");
    let table = with(&["--groups", "g.json"]);
    assert_eq!(table.code, Some(2));
    let place = |word: &str| table.out.find(word).unwrap_or_else(|| panic!("{word}: {}", table.out));
    assert!(place("sensor") < place("wild") && place("wild") < place("clinical"), "{}", table.out);
    assert!(table.out.contains("critical: consider deactivation within 3 days"), "{}", table.out);
    for (file, parts) in [
        ("bad.toml", ["bad.toml: line 2", "write each group"]),
        ("twice.toml", ["`calm` is in the groups `a` and `b`", "write each group"]),
        ("absent.toml", ["cannot be read", "check the path"]),
    ] {
        let said = with(&["--groups", file]);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""));
        assert!(parts.iter().all(|part| said.err.contains(part)), "{file}: {}", said.err);
    }
}

#[test]
fn a_wrong_call_is_3_and_never_reads_as_drift() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.csv"), "f\n1\n").unwrap();
    let both = ["--reference", "r.csv", "--current", "r.csv"];
    for (words, part) in [
        (&["--reference", "r.csv"][..], "--current"),
        (&["--reference", "r.csv", "--current", "absent.csv"], "absent.csv: cannot be read"),
        (&[&both[..], &["--method", "magic"]].concat(), "`magic` is no drift method"),
        (&[&both[..], &["--output", "xml"]].concat(), "json"),
        (&["--reference", "r.csv", "--current", "."], "no regular file"),
    ] {
        let said = drift(folder.path(), words);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{words:?}: {}", said.err);
        assert!(said.err.contains(part), "{words:?}: {}", said.err);
    }
}

#[test]
fn broken_files_are_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("r.csv", line(100, 0.0).as_bytes());
    put("cut.parquet", b"PAR1\x15\x00\x15\x10\x15\x14\x2c\x15\x02\x15\x00");
    put("short.parquet", b"PAR1");
    put("torn.parquet", b"PAR1\x15\x04\x19\x2c\x35\x00\x18\x06schema\x15\x02\x00\xff\xff\xff\x7fPAR1");
    put("empty.csv", b"");
    put("bad.jsonl", b"{\"f\":1}\n{\"f\":\n{\"f\":2}\n");
    put("twice.csv", b"f,f\n1,2\n");
    for (name, parts) in [
        ("cut.parquet", ["cut.parquet", "whole Parquet", "wait until it is written"]),
        ("short.parquet", ["short.parquet", "too short", "write it anew"]),
        ("torn.parquet", ["torn.parquet", "", "write the file anew"]),
        ("empty.csv", ["empty.csv", "is empty", "name another file"]),
        ("bad.jsonl", ["bad.jsonl", "line 2", ";"]),
        ("twice.csv", ["twice.csv", "\"f\" twice", "rename"]),
    ] {
        let said = drift(folder.path(), &["--reference", "r.csv", "--current", name, "--output", "json"]);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{name}");
        for part in parts {
            assert!(said.err.contains(part), "{name}: `{part}` is not in {}", said.err);
        }
        assert!(!said.err.contains("panicked"), "{}", said.err);
    }
}

/// A whole Parquet file of one feature, as bytes.
fn parquet(rows: u32, moved: f64) -> Vec<u8> {
    use parquet::data_type::DoubleType;
    use parquet::file::{properties::WriterProperties, writer::SerializedFileWriter};
    let schema = parquet::schema::parser::parse_message_type("message m { required double f; }").unwrap();
    let values: Vec<f64> = (0..rows).map(|n| f64::from(n) / f64::from(rows) + moved).collect();
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().build().into();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema.into(), properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_is_compared_and_told_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let whole = parquet(5_000, 0.5);
    std::fs::write(folder.path().join("r.parquet"), parquet(5_000, 0.0)).unwrap();
    let with = |bytes: &[u8]| {
        std::fs::write(folder.path().join("c.parquet"), bytes).unwrap();
        drift(folder.path(), &["--reference", "r.parquet", "--current", "c.parquet", "--output", "json"])
    };
    let said = with(&whole);
    assert_eq!((said.code, &said.feature("f")["level"]), (Some(2), &"critical".into()), "{}", said.err);
    for part in [0, 3, 11, whole.len() / 2, whole.len() - 1] {
        let said = with(&whole[..part]);
        assert_eq!((said.code, said.out.as_str()), (Some(3), ""), "{part} bytes");
        assert!(said.err.contains("c.parquet") && said.err.contains(';'), "{part} bytes: {}", said.err);
        assert!(!said.err.contains("panicked"), "{part} bytes: {}", said.err);
    }
}

#[test]
fn ragged_rows_are_read_as_far_as_they_go_and_told() {
    let mut current = "a,b\n".to_owned();
    for n in 0..100 {
        current += if n % 10 == 0 { "1\n" } else { "1,2,3\n" };
    }
    let reference = "a,b\n".to_owned() + &"1,2\n".repeat(100);
    let said = compared(reference.as_bytes(), current.as_bytes(), &[]);
    let all = said.json();
    assert_eq!((said.code, &all["current"]["ragged_rows"]), (Some(0), &100.into()), "{all}");
    assert!(all["current"]["remarks"][0].as_str().unwrap().contains("100 of 100 rows"), "{all}");
    assert_eq!(said.feature("b")["dropped_current"]["missing"], 10);
}

#[test]
fn ten_thousand_features() {
    let file = |moved: u32| {
        let row =
            |n: u32| (0..10_000).map(|f| ((f + n) % 97 + moved).to_string()).collect::<Vec<_>>().join(",");
        let header = (0..10_000).map(|f| format!("f{f}")).collect::<Vec<_>>().join(",");
        (0..97).fold(header, |text, n| text + "\n" + &row(n))
    };
    let said = compared(file(0).as_bytes(), file(60).as_bytes(), &[]);
    let all = said.json();
    assert_eq!((said.code, all["features"].as_array().unwrap().len()), (Some(2), 10_000));
    assert!(all["verdict"].as_str().unwrap().contains("10000 of 10000"), "{}", all["verdict"]);
}

#[test]
fn a_million_categories() {
    let file = |from: u32| {
        (from..from + 1_000_000).fold("id,good\n".to_owned(), |mut text, n| {
            writeln!(text, "u{n},{}", n % 5).unwrap();
            text
        })
    };
    let said = compared(file(0).as_bytes(), file(500_000).as_bytes(), &[]);
    assert_eq!((said.code, &said.feature("id")["status"]), (Some(0), &"too_many_categories".into()));
    assert_eq!(said.feature("good")["score"], 0.0);
}
