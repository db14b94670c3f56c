//! Every statistic against values of published libraries, read at run time from `fixtures/golden`, or from
//! the folder that `WARDROOM_GOLDEN` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it saw and fails where it must"
)]

mod case;
mod drift;
mod fixed;
mod sequential;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use case::{Case, Judged};

/// Computes what one case expects.
type Compute = fn(&Value) -> Map<String, Value>;

/// Every statistic by family: the name in the files and how it is computed here.
const STATS: &[(&str, &[(&str, Compute)])] = &[
    (
        "classification",
        &[("binomial_ci", fixed::binomial), ("confusion", fixed::confusion), ("auc", fixed::auc)],
    ),
    ("concept", &[("concept_drift", fixed::concept)]),
    ("counters", &[("counter_increase", fixed::counters)]),
    ("drift_categorical", &[("divergence", drift::divergence), ("categorical_drift", drift::categorical)]),
    ("drift_numeric", &[("numeric_drift", drift::numeric)]),
    (
        "levels",
        &[
            ("drift_level", drift::level),
            ("gaussian_equivalent", drift::gaussian),
            ("noise_floor", drift::noise),
        ],
    ),
    ("moving", &[("moving_average", fixed::moving)]),
    ("multiplicity", &[("e_bh", fixed::e_bh), ("benjamini_hochberg", fixed::benjamini_hochberg)]),
    (
        "percentiles",
        &[
            ("sample_quantile", fixed::sample_quantile),
            ("prometheus_classic", fixed::classic),
            ("prometheus_native", fixed::native),
            ("merged_instances", fixed::merged),
            ("hdr", fixed::hdr),
            ("ddsketch", fixed::ddsketch),
        ],
    ),
    ("power", &[("sample_size_proportions", fixed::power), ("sample_size_t", fixed::power_t)]),
    ("regression", &[("regression", fixed::regression)]),
    (
        "sequential",
        &[
            ("e_process", sequential::e_process),
            ("margin_e_process", sequential::margin),
            ("srm_multinomial", sequential::split),
            ("rate_cs", sequential::rate_cs),
            ("quantile_cs_ranks", sequential::ranks_of_quantile),
            ("msprt_difference", sequential::msprt),
            ("emp_bernstein_cs", sequential::mean_cs),
            ("normal_mixture_bound", sequential::normal_mixture),
            ("empirical_process_lil", sequential::band),
            ("rank_e_process", sequential::rank),
            ("stage_mixture", sequential::stages),
            ("exceedance_mean", sequential::mean),
            ("effective_margin", sequential::effective_margin),
        ],
    ),
    (
        "tests",
        &[
            ("welch_t", fixed::welch),
            ("two_proportions", fixed::two_proportions),
            ("mann_whitney", fixed::mann_whitney),
        ],
    ),
];

fn folder() -> PathBuf {
    std::env::var_os("WARDROOM_GOLDEN")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden"), PathBuf::from)
}

/// All cases of the folder by family.
fn cases() -> BTreeMap<String, Vec<Case>> {
    let folder = folder();
    let mut families: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut file: Value =
            serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(file["schema"], 1, "{}", path.display());
        let family =
            file["family"].as_str().unwrap_or_else(|| panic!("{}: no family", path.display())).to_owned();
        let list: Vec<Case> = serde_json::from_value(file["cases"].take()).unwrap();
        assert!(!list.is_empty(), "{}: no cases", path.display());
        families.entry(family).or_default().extend(list);
    }
    families
}

/// Runs one family; gives the failed cases.
fn run(family: &str, cases: &[Case]) -> Vec<String> {
    let known =
        STATS.iter().find(|(name, _)| *name == family).unwrap_or_else(|| panic!("unknown family {family}"));
    let (mut passed, mut optional, mut failures) = (0, 0, Vec::new());
    for case in cases {
        let (_, compute) = known
            .1
            .iter()
            .find(|(stat, _)| *stat == case.stat)
            .unwrap_or_else(|| panic!("{}: unknown stat {}", case.id, case.stat));
        let judged = case.judge(&compute(&case.input));
        judged.iter().for_each(|finding| println!("{finding}"));
        if judged.iter().any(Judged::is_fatal) {
            failures.push(case.id.clone());
        } else {
            passed += 1;
            optional += usize::from(!judged.is_empty());
        }
    }
    println!("golden {family}: {passed} passed, {optional} optional");
    failures
}

#[test]
fn golden_every_case_of_every_family() {
    let families = cases();
    assert!(!families.is_empty(), "{}: no golden files", folder().display());
    for (family, stats) in STATS {
        let cases = families.get(*family).unwrap_or_else(|| panic!("family {family} has no cases"));
        for (stat, _) in *stats {
            // A folder of one's own may leave a statistic out, ours may not.
            let is_ours = std::env::var_os("WARDROOM_GOLDEN").is_none();
            assert!(!is_ours || cases.iter().any(|case| case.stat == *stat), "{family}/{stat} has no cases");
        }
    }
    let failures: Vec<String> = families.iter().flat_map(|(family, cases)| run(family, cases)).collect();
    assert!(failures.is_empty(), "{} cases differ: {}", failures.len(), failures.join(", "));
}

#[test]
fn golden_a_wrong_value_is_found() {
    let families = cases();
    let case = families["levels"].iter().find(|case| case.stat == "noise_floor").unwrap();
    let mut got = drift::noise(&case.input);
    assert!(case.judge(&got).is_empty());
    let lower = got["lower"].as_f64().unwrap();
    got.insert("lower".into(), (lower + 1e-3).into());
    assert!(case.judge(&got).iter().any(Judged::is_fatal));
    got.remove("lower");
    assert!(case.judge(&got).iter().any(Judged::is_fatal), "a missing value is no match");
}
