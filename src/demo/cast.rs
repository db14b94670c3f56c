//! Who plays: the models of the demo, their versions, servers, load and features. Data only.

use crate::domain::ModelKind;

/// One model as it is when nothing is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it predicts.
    pub kind: ModelKind,
    /// Its versions, the oldest first; the last may be the canary.
    pub versions: Vec<String>,
    /// Index of the version that serves.
    pub stable: usize,
    /// How many servers it has.
    pub instances: usize,
    /// Median latency, ms.
    pub median_ms: f64,
    /// Spread of the latency: σ of its logarithm.
    pub sigma: f64,
    /// Failed requests, share.
    pub errors: f64,
    /// Requests a second.
    pub rate: f64,
    /// The quality KPIs in the order of [`ModelKind::quality`].
    pub quality: Vec<f64>,
    /// Labelled predictions in the evaluation window.
    pub labelled: u64,
    /// Features: group, name, quiet drift score.
    pub features: Vec<(&'static str, String, f64)>,
}

type Named =
    (&'static str, ModelKind, &'static [&'static str], usize, usize, f64, f64, f64, f64, &'static [f64]);

use ModelKind::{Classification, Regression};

/// Name, kind, versions, index of the serving one, servers, median, σ, errors, rate, quality.
const NAMED: [Named; 12] = [
    (
        "alzheimer",
        Classification,
        &["1.0.0", "1.1.0", "1.2.0", "1.3.0"],
        2,
        1,
        41.0,
        0.85,
        0.004,
        14.0,
        &[0.871, 0.883, 0.880, 0.912, 0.884, 0.873],
    ),
    (
        "als",
        Classification,
        &["1.0.2", "1.0.3", "1.0.4"],
        2,
        2,
        22.0,
        0.6,
        0.0002,
        6.0,
        &[0.902, 0.911, 0.893, 0.933, 0.901, 0.904],
    ),
    (
        "parkinsons",
        Regression,
        &["1.4.0", "2.0.0", "2.0.1"],
        2,
        1,
        38.0,
        0.75,
        0.001,
        12.0,
        &[0.792, 0.126, 0.166, 0.407],
    ),
    (
        "heart-disease",
        Classification,
        &["4.0.0", "4.1.0", "4.2.0"],
        1,
        1,
        12.0,
        0.7,
        0.0004,
        16.0,
        &[0.889, 0.903, 0.871, 0.918, 0.882, 0.892],
    ),
    (
        "omics-risk",
        Classification,
        &["7.2.0", "7.3.1", "7.3.2"],
        2,
        1,
        96.0,
        0.45,
        0.0008,
        5.0,
        &[0.862, 0.884, 0.851, 0.904, 0.866, 0.875],
    ),
    (
        "diagnosis",
        Classification,
        &["1.0.0", "1.1.0"],
        1,
        1,
        110.0,
        0.5,
        0.003,
        5.0,
        &[0.913, 0.961, 0.872, 0.941, 0.887, 0.922],
    ),
    (
        "triage-notes",
        Classification,
        &["0.9.0", "0.9.1"],
        1,
        1,
        130.0,
        0.42,
        0.0,
        5.0,
        &[0.868, 0.889, 0.853, 0.909, 0.871, 0.88],
    ),
    (
        "sepsis-early",
        Classification,
        &["3.1.0", "3.2.0"],
        1,
        1,
        31.0,
        0.55,
        0.001,
        5.0,
        &[0.884, 0.917, 0.849, 0.927, 0.869, 0.892],
    ),
    (
        "glucose-forecast",
        Regression,
        &["2.3.0", "2.4.0"],
        1,
        1,
        26.0,
        0.5,
        0.0005,
        5.0,
        &[0.851, 0.097, 0.121, 0.348],
    ),
    (
        "retina-grade",
        Classification,
        &["5.0.0", "5.0.1"],
        1,
        1,
        150.0,
        0.35,
        0.001,
        5.0,
        &[0.906, 0.918, 0.899, 0.951, 0.904, 0.911],
    ),
    (
        "readmission-30d",
        Classification,
        &["1.8.0", "1.9.0"],
        1,
        1,
        18.0,
        0.5,
        0.0005,
        5.0,
        &[0.861, 0.886, 0.846, 0.903, 0.864, 0.874],
    ),
    ("bone-age", Regression, &["1.2.0", "1.2.1"], 1, 1, 72.0, 0.4, 0.001, 5.0, &[0.884, 0.082, 0.104, 0.322]),
];

const FEATURES: [(&str, &str); 9] = [
    ("sensor", "gait_speed"),
    ("sensor", "voice_pitch"),
    ("sensor", "sleep_frag"),
    ("omics", "IL6"),
    ("omics", "apoe_e4"),
    ("omics", "abeta42"),
    ("clinical", "mmse"),
    ("clinical", "age"),
    ("clinical", "education"),
];

/// How many models have a name and a story of their own.
pub const NAMES: usize = NAMED.len();

/// The first `count` models: the named ones, then numbered ones.
pub fn cast(count: usize) -> Vec<Part> {
    (0..count).map(|index| NAMED.get(index).map_or_else(|| numbered(index), named)).collect()
}

fn named(
    &(name, kind, versions, stable, instances, median_ms, sigma, errors, rate, quality): &Named,
) -> Part {
    let quiet = |i: usize| 0.01 + 0.006 * ((i * 7 + name.len()) % 5) as f64;
    Part {
        name: name.into(),
        kind,
        versions: versions.iter().map(|&v| v.into()).collect(),
        stable,
        instances,
        median_ms,
        sigma,
        errors,
        rate,
        quality: quality.to_vec(),
        labelled: 400 + 67 * name.len() as u64,
        features: FEATURES.iter().enumerate().map(|(i, &(g, f))| (g, f.to_owned(), quiet(i))).collect(),
    }
}

fn numbered(index: usize) -> Part {
    let spread = |salt: usize| ((index * 2_654_435_761 + salt * 40_503) % 1_000) as f64 / 1_000.0;
    let kind = if index % 4 == 3 { Regression } else { Classification };
    Part {
        name: format!("model-{index:04}"),
        kind,
        versions: vec![format!("{}.{}.0", 1 + index % 5, index % 9)],
        stable: 0,
        instances: 1,
        median_ms: 12.0 + 90.0 * spread(1),
        sigma: 0.3 + 0.2 * spread(2),
        errors: 0.002 * spread(3),
        rate: 0.0,
        quality: match kind {
            Classification => [0.88, 0.90, 0.87, 0.92, 0.88, 0.89].map(|v| v + 0.03 * spread(4)).to_vec(),
            Regression => [0.84 + 0.05 * spread(4), 0.11, 0.14, 0.37].to_vec(),
        },
        labelled: 200 + (800.0 * spread(5)) as u64,
        features: FEATURES[..3].iter().map(|&(g, f)| (g, f.to_owned(), 0.01 + 0.02 * spread(6))).collect(),
    }
}
