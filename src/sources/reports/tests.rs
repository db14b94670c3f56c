//! Reports as tools write them, and as they should not.

use super::shape;
use super::told::{Terms, Told};
use crate::config;
use crate::domain::{DriftScale, Fact, FaultKind, FeatureDrift, Kpi, ModelId, Time};

pub(super) const DEFAULT: &str = include_str!("../../../fixtures/evidently/drift-default.json");

fn terms() -> Terms {
    let table = r#"
        [[model]]
        name = "als"
        [[drift_reports]]
        model = "als"
        path = "/"
        prediction_column = "prediction"
        target_column = "target"
        groups.size = ["mean_radius", "mean_area"]
    "#;
    let config = config::parse("w.toml", table, &[]).unwrap().config;
    Terms::new(ModelId::new("local", "als"), &config.drift_reports[0])
}

pub(super) fn at() -> Time {
    Time::from_timestamp(1_795_197_600, 0).unwrap()
}

fn told(raw: &str) -> Told {
    shape::read(raw.as_bytes(), "r", &terms()).unwrap()
}

fn facts(raw: &str) -> Vec<Fact> {
    terms().now(&told(raw), at())
}

pub(super) fn features(facts: &[Fact]) -> Vec<&FeatureDrift> {
    let drift = facts.iter().filter_map(|fact| match fact {
        Fact::Drift { features, .. } => Some(features),
        _ => None,
    });
    drift.flatten().collect()
}

fn finding(facts: &[Fact], wanted: &str) -> Option<(String, bool)> {
    facts.iter().find_map(|fact| match fact {
        Fact::DriftFinding { kind, finding, abnormal, .. } if kind == wanted => {
            Some((finding.clone(), *abnormal))
        }
        _ => None,
    })
}

pub(super) fn value(facts: &[Fact], wanted: Kpi) -> Option<f64> {
    facts.iter().find_map(|fact| match fact {
        Fact::Reading { kpi, reading, version: None, .. } if *kpi == wanted => reading.value,
        _ => None,
    })
}

pub(super) fn remarks(facts: &[Fact]) -> Vec<&str> {
    facts
        .iter()
        .filter_map(|fact| if let Fact::Remark(text) = fact { Some(text.as_str()) } else { None })
        .collect()
}

#[test]
fn each_row_has_the_direction_of_its_own_method() {
    use DriftScale::{Hellinger, JensenShannon, Kl, PValue, Psi, Wasserstein};
    macro_rules! report {
        ($name:literal) => {
            include_str!(concat!("../../../fixtures/evidently/drift-", $name, ".json"))
        };
    }
    let table = [
        (report!("wasserstein"), Wasserstein),
        (report!("jensenshannon"), JensenShannon),
        (report!("psi"), Psi),
        (report!("kl_div"), Kl),
        (report!("hellinger"), Hellinger),
        (report!("anderson"), PValue),
    ];
    for (raw, scale) in table {
        let facts = facts(raw);
        let features = features(&facts);
        assert_eq!(features.len(), 3, "{scale:?}");
        for feature in features {
            assert_eq!(feature.scale, scale);
            let moved = &*feature.feature == "mean_radius";
            assert_eq!(feature.is_drifted(), moved, "{scale:?} {feature:?}");
            assert_eq!(&*feature.group == "size", moved);
        }
    }
}

#[test]
fn the_default_report_mixes_methods() {
    let facts = facts(DEFAULT);
    let drifted: Vec<&str> =
        features(&facts).into_iter().filter(|f| f.is_drifted()).map(|f| &*f.feature).collect();
    assert_eq!(drifted, ["mean_radius", "sex"]);
    assert_eq!(finding(&facts, "drifted columns"), Some(("2 of 5, 40 % (limit 50 %)".into(), false)));
    let unsized_drift = facts.iter().any(|fact| {
        matches!(fact, Fact::Reading { kpi: Kpi::DataDrift, reading, .. } if reading.value.is_none() && reading.note.is_some())
    });
    assert!(unsized_drift, "p-values have no size, and that is said");
    let labelled = self::facts(include_str!("../../../fixtures/evidently/drift-labelled.json"));
    assert_eq!(features(&labelled).len(), 5);
    assert_eq!(features(&labelled)[0].at, at(), "the report itself has no moment");
    let options = self::facts(include_str!("../../../fixtures/evidently/drift-options.json"));
    assert_eq!(features(&options)[0].threshold, Some(0.2));
    assert_eq!(finding(&options, "drifted columns"), Some(("1 of 1, 100 % (limit 30 %)".into(), true)));
    let tests = self::facts(include_str!("../../../fixtures/evidently/drift-tests.json"));
    assert!(!features(&tests).is_empty());
}

#[test]
fn quality_and_missing_values() {
    let facts = facts(include_str!("../../../fixtures/evidently/classification.json"));
    for (kpi, expected) in [
        (Kpi::Accuracy, 0.858),
        (Kpi::Precision, 0.804),
        (Kpi::Sensitivity, 0.854),
        (Kpi::Specificity, 0.861),
        (Kpi::F1, 0.828),
        (Kpi::AucRoc, 0.847),
    ] {
        assert!((value(&facts, kpi).unwrap() - expected).abs() < 0.001, "{kpi:?}");
    }
    let facts = self::facts(include_str!("../../../fixtures/evidently/regression.json"));
    assert!((value(&facts, Kpi::Mae).unwrap() - 23.68).abs() < 0.01);
    assert!((value(&facts, Kpi::Rmse).unwrap() - 28.97).abs() < 0.01);
    assert!((value(&facts, Kpi::R2).unwrap() - 0.853).abs() < 0.001);
    let single = include_str!("../../../fixtures/evidently/drift-single.json");
    assert_eq!(told(single).samples, Some(200));
    assert_eq!(finding(&self::facts(single), "missing values"), Some(("mean_area 3.0 %".into(), false)));
    let summary = self::facts(include_str!("../../../fixtures/evidently/data-summary.json"));
    assert_eq!(finding(&summary, "missing values").unwrap().0.split(',').next(), Some("3.0 % of all"));
}

#[test]
fn the_shape_before_0_7() {
    let facts = facts(include_str!("../../../fixtures/evidently/legacy-report.json"));
    let said: Vec<_> = features(&facts).into_iter().map(|f| (&*f.feature, f.scale, f.is_drifted())).collect();
    let expected = [
        ("mean_radius", DriftScale::PValue, true),
        // Two methods were used: the one that tells a size counts.
        ("mean_texture", DriftScale::Wasserstein, false),
        ("sex", DriftScale::PValue, false),
    ];
    assert_eq!(said, expected);
    assert_eq!(features(&facts)[0].at, at(), "it names its moment");
    assert_eq!(finding(&facts, "prediction"), Some(("none found: p-value 1.000, limit 0.100".into(), false)));
    assert!(finding(&facts, "concept").is_some());
    assert_eq!(finding(&facts, "drifted columns"), Some(("1 of 5, 20 % (limit 50 %)".into(), false)));
    assert_eq!(
        finding(&facts, "missing values"),
        Some(("0.6 % of all, most in mean_texture 3.0 %".into(), false))
    );
    assert_eq!(value(&facts, Kpi::Specificity).map(|v| (v * 100.0).round()), Some(85.0));
    assert_eq!(value(&facts, Kpi::AucRoc), None);
    assert_eq!(features(&facts)[0].samples, Some(300));
}

#[test]
fn odd_numbers_names_and_methods() {
    let row = |column: &str, method: &str, value: &str| {
        format!(
            r#"{{"config":{{"type":"evidently:metric_v2:ValueDrift","column":{column},"method":"{method}","threshold":"0.1"}},"value":{value}}}"#
        )
    };
    let all = [
        row(r#""a\u001b[31m\u202e""#, "psi", "\"0.3\""),
        row(r#""b""#, "psi", "NaN"),
        row(r#""c""#, "psi", "-Infinity"),
        row(r#""d""#, "magic", "0.3"),
        row(r#""\u0007""#, "psi", "0.3"),
        row("7", "psi", "0.01"),
        row("[]", "psi", "0.01"),
        row(r#""prediction""#, "wasserstein", "0.31"),
        r#"{"metric_name":"ValueDrift(x)"},3,null"#.to_owned(),
    ];
    let facts = facts(&format!(r#"{{"metrics":[{}]}}"#, all.join(",")));
    let names: Vec<&str> = features(&facts).iter().map(|f| &*f.feature).collect();
    assert_eq!(names, ["7", "a[31m"]);
    assert_eq!(
        remarks(&facts),
        ["als: `magic` is no known drift method, and which way its score points is not guessed"]
    );
    let expected = ("drifted: Wasserstein 0.310, limit 0.100".to_owned(), true);
    assert_eq!(finding(&facts, "prediction"), Some(expected));
}

#[test]
fn nannyml_flattened_and_rows() {
    let flat = "chunk_key,chunk_start_date,chunk_end_date,age_years_jensen_shannon_value,age_years_jensen_shannon_upper_threshold,age_years_jensen_shannon_alert,age_years_wasserstein_value,sex_l_infinity_value,roc_auc_value\n\
        [0:9],2026-11-19,2026-11-19 23:59:59,0.02,0.1,False,4.2,0.1,0.9\n\
        [10:19],2026-11-20,2026-11-20 23:59:59,0.35,0.1,True,9.9,0.1,0.8\n";
    let facts = facts(flat);
    let found = features(&facts);
    assert_eq!(found.len(), 1);
    assert_eq!((&*found[0].feature, found[0].scale), ("age_years", DriftScale::JensenShannon));
    assert_eq!((found[0].raw, found[0].threshold, found[0].is_drifted()), (0.35, Some(0.1), true));
    assert_eq!(found[0].at.to_rfc3339(), "2026-11-20T23:59:59+00:00");
    assert_eq!(value(&facts, Kpi::AucRoc), Some(0.8), "the newest chunk");
    assert_eq!(remarks(&facts).len(), 2, "an unnormed distance compares with nothing");
    let past = terms().history(&facts, &[(at(), told(flat))]);
    assert!(matches!(&past[..], [Fact::DriftHistory { points, .. }] if points.len() == 2), "{past:?}");
    let undated = "chunk_key,chunk_end_date,age_hellinger_value\na,,0.5\nb,,0.1\n";
    assert_eq!(features(&self::facts(undated))[0].raw, 0.1, "without dates the last chunk is now");
    let rows = "model_id,run_id,start_timestamp,end_timestamp,timestamp,metric_name,value,alert,column_name\n\
        1,1,2026-11-19,2026-11-19,2026-11-19,kolmogorov_smirnov,0.4,true,age\n\
        1,1,2026-11-20,2026-11-20,2026-11-20,kolmogorov_smirnov,,false,age\n\
        1,1,2026-11-20,2026-11-20,2026-11-20,chi2,8,true,sex\n";
    let facts = self::facts(rows);
    assert_eq!(features(&facts).len(), 1);
    assert_eq!(features(&facts)[0].scale, DriftScale::Share, "a distance here, a p-value in Evidently");
}

#[test]
fn whylogs_columns() {
    let raw = r#"{"age":{"algorithm":"ks","pvalue":0.01,"statistic":0.4,"thresholds":{"NO_DRIFT":[0.15,1],"POSSIBLE_DRIFT":[0.05,0.15],"DRIFT":[0,0.05]},"drift_category":"DRIFT"},
        "sex":{"algorithm":"hellinger","pvalue":null,"statistic":0.1,"thresholds":{"DRIFT":[0.4,1]},"drift_category":"NO_DRIFT"},
        "id":null,"odd":{"algorithm":"x","statistic":1}}"#;
    let facts = facts(raw);
    let said: Vec<_> =
        features(&facts).into_iter().map(|f| (&*f.feature, f.raw, f.threshold, f.is_drifted())).collect();
    assert_eq!(said, [("age", 0.01, Some(0.05), true), ("sex", 0.1, Some(0.4), false)]);
    assert_eq!(remarks(&facts).len(), 1);
}

#[test]
fn neutral_rows_in_three_dresses() {
    let array = r#"[{"model":"als","version":"1","feature":"a","score":0.3,"method":"psi","threshold":0.1,"time":"2026-11-20T18:00:00Z"},
        {"model":"other","feature":"b","score":0.3,"method":"psi"},{"feature":"c","score":"high","method":"psi"}]"#;
    let lines = "{\"feature\":\"a\",\"score\":0.3,\"method\":\"psi\",\"time\":\"2026-11-20 18:00:00\"}\n\n{\"feature\":\"a\",\"score\":0.1,\"method\":\"psi\",\"time\":\"2026-11-19\"}\n{\"feature\":\"a\",\"sc";
    let csv = "model,version,feature,score,method,threshold,time\nals,1,a,0.3,psi,,2026-11-20T18:00:00\nals,1,b,,psi,,\nx,1,b,1,psi,,\n";
    for raw in [array, lines, csv] {
        let facts = facts(raw);
        let found = features(&facts);
        assert_eq!(found.len(), 1, "{raw}");
        assert_eq!((&*found[0].feature, found[0].raw, found[0].at), ("a", 0.3, at()), "{raw}");
    }
    let facts = facts("feature,score,method,model\na,1,psi,x\n");
    assert!(remarks(&facts)[0].contains("of x"), "{facts:?}");
    assert!(self::facts("[]").is_empty());
}

#[test]
fn what_is_wrong_names_file_and_line() {
    for (raw, kind, word) in [
        ("", FaultKind::Unreadable, "empty"),
        (&DEFAULT[..300], FaultKind::CutShort, "line 1"),
        ("{\"metrics\":\n[1,}", FaultKind::Unreadable, "line 2, column 4"),
        ("{\"metrics\":[{}]}", FaultKind::Unreadable, "known shape"),
        ("{}", FaultKind::Unreadable, "known shape"),
        ("[1]", FaultKind::Unreadable, "known shape"),
        ("<html>", FaultKind::Lying, "JSON"),
        ("a,b\n1,2\n", FaultKind::Unreadable, "known shape"),
        ("feature,score\na\n", FaultKind::Unreadable, "line 2: 1 fields"),
        ("{\"feature\":\"a\",\"score\":1}\n{]\n", FaultKind::Unreadable, "line 2"),
    ] {
        let fault = shape::read(raw.as_bytes(), "r.json", &terms()).unwrap_err();
        assert_eq!(fault.kind, kind, "{raw}: {fault}");
        let text = fault.to_string();
        assert!(text.contains(word) && text.contains("r.json"), "{raw}: {text}");
    }
    let deep = "[".repeat(100_000);
    assert!(shape::read(deep.as_bytes(), "r", &terms()).is_err());
    assert!(shape::read(b"feature,score\n\xff,1\n", "r", &terms()).unwrap_err().detail.contains("UTF-8"));
}

proptest::proptest! {
    #[test]
    fn no_input_panics(raw in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = shape::read(&raw, "r", &terms());
    }

    #[test]
    fn no_half_report_panics(which in 0usize..3, cut in 0usize..9_000, byte in proptest::num::u8::ANY) {
        let whole = [DEFAULT, include_str!("../../../fixtures/evidently/legacy-report.json"),
            "feature,score,method,time\n\"a\",0.3,psi,2026-11-20\n"][which];
        let mut raw = whole.as_bytes().to_vec();
        let cut = cut % raw.len();
        let _ = shape::read(&raw[..cut], "r", &terms());
        raw[cut] = byte;
        if let Ok(told) = shape::read(&raw, "r", &terms()) {
            let facts = terms().now(&told, at());
            terms().history(&facts, &[(at(), told)]);
        }
    }
}
