//! How much faster than scipy, NumPy and Evidently, on the same data, one after the other, on one core each. By hand,
//! on a quiet machine, after `tests/live/install.sh`:
//! `WARDROOM_LONG=1 cargo test --release --test live -- --ignored --nocapture ratios`

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use wardroom::stats::Sorted;
use wardroom::stats::drift::psi::Deciles;
use wardroom::stats::drift::{ks, level, wasserstein};

/// Python of the Evidently environment: `WARDROOM_PYTHON`, or the newest that `install.sh` made.
fn python() -> PathBuf {
    if let Some(path) = std::env::var_os("WARDROOM_PYTHON") {
        return path.into();
    }
    let cache = std::env::var_os("WARDROOM_LIVE_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        std::env::var_os("XDG_CACHE_HOME").map_or(home.join(".cache"), PathBuf::from).join("wardroom-live")
    });
    let entries = std::fs::read_dir(cache).expect("run tests/live/install.sh");
    let complete = entries.map(|entry| entry.unwrap().path()).filter(|path| {
        let is_ours = path.file_name().unwrap().to_string_lossy().starts_with("evidently-");
        is_ours && path.join("complete").exists()
    });
    let newest = complete.max_by_key(|path| path.join("complete").metadata().unwrap().modified().unwrap());
    newest.expect("run tests/live/install.sh").join("bin/python")
}

fn features(path: &Path, rows: usize) -> Vec<Vec<f64>> {
    let bytes = std::fs::read(path).unwrap();
    let values: Vec<f64> =
        bytes.chunks_exact(8).map(|chunk| f64::from_le_bytes(chunk.try_into().unwrap())).collect();
    values.chunks(rows).map(<[f64]>::to_vec).collect()
}

/// Seconds of the best of three rounds, with the result.
fn timed<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut round = || {
        let begun = Instant::now();
        let result = black_box(work());
        (begun.elapsed().as_secs_f64(), result)
    };
    let mut best = round();
    for _ in 0..2 {
        let next = round();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

/// All that a drift report says of a feature: distance, its p-value and noise, index, Wasserstein distance.
fn whole(reference: &[f64], current: &[f64]) -> f64 {
    let (r, c) = (Sorted::new(reference.to_vec()), Sorted::new(current.to_vec()));
    let distance = ks::distance(&r, &c).ok().unwrap();
    let noise = level::noise(distance.n, distance.m, 10, 0.05);
    let psi = Deciles::of(&r).ok().unwrap().psi(&c).ok().unwrap();
    let moved = wasserstein::normed(&r, &c).ok().unwrap();
    distance.p() + noise.lower(distance.d) + psi.value + moved
}

#[test]
#[ignore = "bench, by hand: see the head of this file"]
fn ratios() {
    assert!(std::env::var_os("WARDROOM_LONG").is_some(), "set WARDROOM_LONG=1: this takes minutes");
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/programs/ratios.py");
    let output = Command::new(python()).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let theirs: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let number = |key: &str| theirs[key].as_f64().unwrap();
    let rows = number("rows") as usize;
    let [reference, current] =
        ["reference.f64", "current.f64"].map(|name| features(&folder.path().join(name), rows));
    let pairs = || reference.iter().zip(&current);

    let (ks_s, (ks_sum, _)) = timed(|| {
        let sums = pairs().map(|(r, c)| {
            let found = ks::distance(&Sorted::new(r.clone()), &Sorted::new(c.clone())).ok().unwrap();
            (found.d, found.p())
        });
        sums.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    let cached: Vec<Deciles> =
        reference.iter().map(|r| Deciles::of(&Sorted::new(r.clone())).ok().unwrap()).collect();
    let (psi_s, psi_sum) = timed(|| {
        let values = cached.iter().zip(&current).map(|(kept, c)| kept.psi_unsorted(c).ok().unwrap().value);
        values.sum::<f64>()
    });
    assert!((ks_sum - number("ks_sum")).abs() < 1e-9 * ks_sum, "not the same distances");
    assert!((psi_sum - number("psi_sum")).abs() < 1e-9 * psi_sum, "not the same indices");
    let (whole_s, _) = timed(|| pairs().map(|(r, c)| whole(r, c)).sum::<f64>());

    let features = number("features");
    let evidently_s = number("evidently_s") * features / number("whole");
    println!("{features} features × {rows} × {rows} rows, one core:");
    for (name, ours, others) in [
        ("KS with p against scipy", ks_s, number("ks_s")),
        ("PSI with a cached reference against NumPy", psi_s, number("psi_s")),
        ("whole report against Evidently (scaled up from fewer features)", whole_s, evidently_s),
    ] {
        println!("{name}: {ours:.3} s against {others:.3} s, {:.1} times as fast", others / ours);
    }
    assert!(number("ks_s") / ks_s >= 3.0);
    assert!(number("psi_s") / psi_s >= 2.0);
    assert!(evidently_s / whole_s >= 100.0);
}
