use std::fmt::Write;
use std::time::Instant;

use super::super::Follower;
use super::*;

/// 200 columns × 10,000 rows, about 36 MB: `cargo test --release --lib samples -- --ignored --nocapture speed`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..200).map(|at| format!("f{at}")).collect();
    let mut text = names.join(",") + "\n";
    let mut lines = String::new();
    let mut seed = 1_u64;
    for _ in 0..10_000 {
        lines.push('{');
        for (at, name) in names.iter().enumerate() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (seed >> 11) as f64 / (1_u64 << 53) as f64;
            let end = if at == 199 { "\n" } else { "," };
            write!(text, "{number:.15}{end}").unwrap();
            write!(lines, "\"{name}\":{number:.15}{}", if at == 199 { "}\n" } else { "," }).unwrap();
        }
    }
    for (name, bytes) in [("a.csv", text), ("a.jsonl", lines)] {
        let path = file(&folder, name, &bytes);
        for _ in 0..3 {
            let begin = Instant::now();
            let table = read(&path, &Options::default()).unwrap();
            let whole = begin.elapsed();
            assert_eq!((table.rows, table.columns.len()), (10_000, 200));
            let begin = Instant::now();
            Follower::new(&path, 10_000, Options::default()).read_new().unwrap();
            println!(
                "{name}: {} MB, read {whole:?}, followed {:?}",
                bytes.len() / 1_000_000,
                begin.elapsed()
            );
        }
    }
}
