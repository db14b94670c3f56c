//! How much a history takes, and what goes when it takes too much.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::params;
use tempfile::TempDir;

use super::bound::{keep_within, used};
use super::file::File;
use super::series::window;
use super::{Settings, Tier, pack};
use crate::domain::{Kpi, Time};

const START: i64 = 1_800_000_000;
/// What a model is measured by here.
const TWELVE: [Kpi; 12] = [
    Kpi::LatencyP50,
    Kpi::LatencyP95,
    Kpi::LatencyP99,
    Kpi::LatencyMean,
    Kpi::ErrorRate,
    Kpi::Throughput,
    Kpi::LabelLag,
    Kpi::Accuracy,
    Kpi::Precision,
    Kpi::Sensitivity,
    Kpi::F1,
    Kpi::AucRoc,
];
const SERIES: i64 = TWELVE.len() as i64;

fn settings(folder: &Path) -> Settings {
    let tier = |step_s, keep_s| Tier { step_s, keep_s };
    Settings {
        folder: folder.to_owned(),
        max_bytes: 2 << 30,
        tiers: vec![tier(15, 86_400), tier(60, 14 * 86_400), tier(600, 90 * 86_400)],
        frame_s: 60.0,
        environment: "large".into(),
    }
}

/// Noise that no compressor foresees.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 24) as f32) - 0.5
    }
}

/// Every tier full of `models` models, as a room fills it; gives the number of points.
fn fill(file: &File, settings: &Settings, models: i64, now: i64) -> i64 {
    let transaction = file.begin().unwrap();
    transaction.execute("INSERT INTO environments (name) VALUES ('large')", []).unwrap();
    for model in 1..=models {
        let name = format!("model-{:04}", model - 1);
        let put = "INSERT INTO models (environment, home, cluster, namespace, name) VALUES (1, 'large', '', '', ?1)";
        transaction.execute(put, [name]).unwrap();
        for kpi in TWELVE {
            let put = "INSERT INTO series (model, what, version) VALUES (?1, ?2, '')";
            transaction.execute(put, params![model, kpi.id()]).unwrap();
        }
    }
    transaction.commit().unwrap();
    let mut noise = Noise(7);
    let mut points = 0;
    for (place, tier) in settings.tiers.iter().enumerate() {
        let (step, length) = (i64::from(tier.step_s), window(&settings.tiers, place));
        let begin = (now - i64::from(tier.keep_s)).div_euclid(length) * length;
        let whole = now.div_euclid(length) * length;
        for start in (begin..whole).step_by(usize::try_from(length).unwrap()) {
            let count = usize::try_from(length / step).unwrap();
            let mut columns = HashMap::new();
            for series in 0..models * SERIES {
                // Latencies, rates and scores: a level of its own, a slow wave and a few percent of noise.
                let level = [120.0, 0.4, 250.0, 0.87][usize::try_from(series % 4).unwrap()];
                let value = |i: usize| {
                    let wave = ((start / step + i as i64) as f32 / 90.0).sin();
                    level * (1.0 + 0.1 * wave + 0.06 * noise.next())
                };
                columns.insert(series + 1, (0..count).map(value).collect::<Vec<f32>>());
            }
            points += models * SERIES * count as i64;
            let transaction = file.begin().unwrap();
            pack::insert(&transaction, step, start, columns).unwrap();
            if place > 0 {
                let put = "INSERT OR REPLACE INTO rolled (step, until) VALUES (?1, ?2)";
                transaction.execute(put, [step, start + length]).unwrap();
            }
            transaction.commit().unwrap();
        }
    }
    points
}

#[test]
fn ninety_days_of_a_thousand_models_fit_the_default_bound() {
    let own = TempDir::new().unwrap();
    // The whole of it, up to an hour ago, for whoever wants to work with it.
    let large = std::env::var_os("WARDROOM_LARGE").map(PathBuf::from);
    let (models, now) = match large {
        Some(_) => (1_000, chrono::Utc::now().timestamp().div_euclid(3_600) * 3_600 - 3_600),
        None => (6, START),
    };
    let folder = large.as_deref().unwrap_or(own.path());
    let settings = settings(folder);
    let file = File::writable(folder).unwrap();
    let points = fill(&file, &settings, models, now);
    let bytes = used(&file).unwrap();
    let a_point = bytes as f64 / points as f64;
    println!("{models} models: {points} points in {bytes} bytes, {a_point:.3} bytes a point");
    // Frames may take an eighth; the rest is for points.
    let all: f64 = [86_400.0 / 15.0, 14.0 * 1_440.0, 90.0 * 144.0].iter().sum::<f64>() * 12_000.0;
    let room = (settings.max_bytes - settings.max_bytes / 8) as f64;
    assert!(a_point < 4.6 && all * a_point < room, "{a_point} bytes a point");
    let words = keep_within(&file, &settings, Time::from_timestamp(now, 0).unwrap()).unwrap();
    assert_eq!(words, Vec::<String>::new(), "nothing inside the retention was dropped");
}

#[test]
fn a_smaller_bound_drops_the_oldest_of_the_coarsest_first_and_says_so() {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(folder.path());
    let file = File::writable(folder.path()).unwrap();
    fill(&file, &settings, 2, START);
    let now = Time::from_timestamp(START, 0).unwrap();
    keep_within(&file, &settings, now).unwrap();
    let span = |step: i64| -> (i64, i64, i64) {
        let sql =
            "SELECT count(*), coalesce(min(start), 0), coalesce(max(start), 0) FROM chunks WHERE step = ?1";
        file.connection.query_row(sql, [step], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    let before = [15, 60, 600].map(span);
    let full = used(&file).unwrap();
    settings.max_bytes = full * 9 / 10;
    let words = keep_within(&file, &settings, now).unwrap();
    assert!(words.len() == 1 && words[0].contains("points of every 600 s"), "{words:?}");
    let after = [15, 60, 600].map(span);
    assert_eq!((after[0], after[1]), (before[0], before[1]), "the finer are whole");
    assert!(after[2].0 < before[2].0 && after[2].1 > before[2].1 && after[2].2 == before[2].2, "{after:?}");
    assert!(used(&file).unwrap() <= settings.max_bytes);
    let size = std::fs::metadata(&file.path).unwrap().len();
    assert!(size <= full * 19 / 20, "the file shrinks: {size} of {full}");
    settings.max_bytes = full / 4;
    let words = keep_within(&file, &settings, now).unwrap();
    let last = [15, 60, 600].map(span);
    assert!(last[2].0 == 0 && last[1].0 < before[1].0, "{last:?} {words:?}");
    assert_eq!(keep_within(&file, &settings, now).unwrap(), Vec::<String>::new(), "said once");
}

/// Frames of some days, one a minute, every sixtieth a key; a block takes 1,000 bytes, a key ten times as much.
fn take_frames(file: &File, days: i64) {
    let transaction = file.begin().unwrap();
    let put =
        "INSERT INTO frames (environment, at, key, news, size, block) VALUES (1, ?1, ?2, 0, 0, zeroblob(?3))";
    let mut key = None;
    for minute in 0..days * 1_440 {
        let at = (START - days * 86_400 + minute * 60) * 1_000;
        let is_key = minute % 60 == 0;
        let bytes = if is_key { 10_000 } else { 1_000 };
        transaction.execute(put, params![at, key.filter(|_| !is_key), bytes]).unwrap();
        if is_key {
            key = Some(transaction.last_insert_rowid());
        }
    }
    transaction.commit().unwrap();
}

#[test]
fn frames_grow_sparse_before_the_oldest_go() {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(folder.path());
    let file = File::writable(folder.path()).unwrap();
    let now = Time::from_timestamp(START, 0).unwrap();
    take_frames(&file, 20);
    let one = |sql: &str| -> i64 { file.connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let oldest = one("SELECT min(at) FROM frames");
    // Eight times what the frames may take: their keys alone take 4.8 MB.
    settings.max_bytes = 8 * 3_000_000;
    assert_eq!(keep_within(&file, &settings, now).unwrap(), Vec::<String>::new(), "none had to go for good");
    assert!(one("SELECT sum(length(block)) FROM frames") <= 3_000_000);
    assert_eq!(one("SELECT min(at) FROM frames"), oldest, "the past reaches as far as before");
    let last_hour = format!("SELECT count(*) FROM frames WHERE at >= {}", (START - 3_600) * 1_000);
    assert_eq!(one(&last_hour), 60, "the last hour is whole");
    let lost = "SELECT count(*) FROM frames f WHERE key NOT NULL AND NOT EXISTS (SELECT 1 FROM frames k WHERE k.id = f.key)";
    assert_eq!(one(lost), 0, "none leans on what is gone");
    let widest = "SELECT max(gap) FROM (SELECT at - lag(at) OVER (ORDER BY at) AS gap FROM frames)";
    assert!(one(widest) <= 6 * 3_600_000, "{}", one(widest));
    settings.max_bytes = 8 * 300_000;
    let words = keep_within(&file, &settings, now).unwrap();
    assert!(words.len() == 1 && words[0].contains("frames of the room before"), "{words:?}");
    assert!(one("SELECT sum(length(block)) FROM frames") <= 300_000);
    assert_eq!((one(lost), one(&last_hour)), (0, 60));
}
