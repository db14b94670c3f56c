//! Scraping recorded pages of real servers.

use super::*;
use crate::domain::{DriftScale, Kpi, ModelId, Reading, Version};

const CATALOGUE: &str = r#"
[mlserver]
detect = ["model_infer_request_success_total", "rest_server_request_duration_seconds_bucket"]
model_label = ["model"]
version_label = ["version"]
latency = { metric = ["rest_server_request_duration_seconds"], unit = "s", select = 'path=~".*/infer"', scope = "server" }
mean = { sum = "model_infer_request_duration_sum", count = "model_infer_request_duration_count", unit = "s" }
requests = { metric = ["model_infer_request_success_total"], plus = "model_infer_request_failure_total" }
errors = { metric = ["model_infer_request_failure_total"] }
[kserve]
detect = ["request_predict_seconds_bucket"]
model_label = ["model_name"]
latency = { metric = ["request_predict_seconds"] }
[bentoml]
detect = ["bentoml_service_request_total"]
model_label = ["service_name"]
version_label = ["service_version"]
latency = { metric = ["bentoml_service_request_duration_seconds"], select = 'endpoint!~"/(livez|readyz|healthz|metrics|docs).*"' }
requests = { metric = ["bentoml_service_request_total"], select = 'endpoint="/predict"' }
errors = { metric = ["bentoml_service_request_total"], select = 'endpoint="/predict", http_response_code=~"5.."' }
[torchserve]
detect = ["ts_inference_requests_total"]
model_label = ["model_name"]
version_label = ["model_version"]
mean = { sum = "ts_inference_latency_microseconds", count = "ts_inference_requests_total", unit = "us" }
requests = { metric = ["ts_inference_requests_total"] }
[triton]
detect = ["nv_inference_request_success"]
model_label = ["model"]
version_label = ["version"]
latency = { metric = ["nv_inference_request_summary_us"], type = "summary", unit = "us" }
[evaluation]
detect = ["model_accuracy"]
model_label = ["model_name"]
version_label = ["model_version"]
gauges.accuracy = { metric = ["model_accuracy"] }
gauges.labelled_samples = { metric = ["model_labelled_samples"] }
gauges.label_lag = { metric = ["model_label_lag_seconds"], unit = "s" }
[evidently]
detect = ["evidently_column_drift_score"]
model_label = ["model_name"]
drift = { metric = ["evidently_column_drift_score"], threshold = 0.1 }
"#;

fn catalogue() -> BTreeMap<String, Preset> {
    toml::from_str(CATALOGUE).unwrap()
}

fn scraper(model: &str, preset: Option<&str>, version: Option<&str>) -> Scraper {
    let subject = Subject {
        model: ModelId::new("test", model),
        name: model.into(),
        version: version.map(Version::new),
    };
    Scraper::new(subject, "server-1", preset, &catalogue(), Duration::from_secs(300)).unwrap()
}

fn at(s: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

fn reading<'f>(facts: &'f [Fact], kpi: Kpi, version: Option<&str>) -> Option<&'f Reading> {
    facts.iter().find_map(|fact| match fact {
        Fact::Reading { kpi: found, version: of, reading, .. }
            if *found == kpi && of.as_ref().map(Version::as_str) == version =>
        {
            Some(reading)
        }
        _ => None,
    })
}

fn note(reading: &Reading) -> &str {
    reading.note.as_deref().unwrap_or_default()
}

fn close(reading: Option<&Reading>, want: f64) {
    let value = reading.and_then(|reading| reading.value).unwrap();
    assert!((value - want).abs() <= want.abs() * 1e-9 + 1e-9, "{value} instead of {want}");
}

const STABLE: &str = include_str!("../../../fixtures/mlserver/metrics-stable.txt");
const CANARY: &str = include_str!("../../../fixtures/mlserver/metrics-canary.txt");

#[test]
fn mlserver_is_recognised_and_its_literal_none_is_the_configured_version() {
    let facts = scraper("breast-cancer", None, Some("2")).read(CANARY, at(0)).unwrap();
    let total = reading(&facts, Kpi::ErrorRate, None);
    close(total, 53.0 / 1510.0 * 100.0);
    assert_eq!(total.unwrap().samples, Some(1510));
    assert_eq!(note(total.unwrap()), "since start");
    close(reading(&facts, Kpi::ErrorRate, Some("2")), 53.0 / 1510.0 * 100.0);
    assert!(reading(&facts, Kpi::ErrorRate, Some("None")).is_none());
    let p95 = reading(&facts, Kpi::LatencyP95, None).unwrap();
    assert_eq!(note(p95), "since start", "one model on this page");
    let bucket = p95.bucket.unwrap();
    assert!(bucket.0 <= p95.value.unwrap() && p95.value.unwrap() <= bucket.1, "{p95:?}");
    assert!(reading(&facts, Kpi::Throughput, None).is_none(), "a rate needs two pages");
}

#[test]
fn two_models_in_one_mlserver_have_their_own_errors_and_a_latency_of_the_whole_server() {
    let facts = scraper("diabetes-progression", Some("mlserver"), None).read(STABLE, at(0)).unwrap();
    assert_eq!(note(reading(&facts, Kpi::LatencyP95, None).unwrap()), "whole server, since start");
    let errors = reading(&facts, Kpi::ErrorRate, None).unwrap();
    assert_eq!((errors.value, errors.samples), (Some(0.0), Some(1345)));
    close(reading(&facts, Kpi::LatencyMean, None), 17.990_580_555_996_53 / 1345.0 * 1000.0);
    assert_eq!(note(reading(&facts, Kpi::LatencyMean, None).unwrap()), "since start");
}

fn histogram(counts: [u32; 3], errors: u32) -> String {
    let [a, b, all] = counts;
    format!(
        "request_predict_seconds_bucket{{le=\"0.1\",model_name=\"m\"}} {a}\n\
         request_predict_seconds_bucket{{le=\"0.5\",model_name=\"m\"}} {b}\n\
         request_predict_seconds_bucket{{le=\"+Inf\",model_name=\"m\"}} {all}\n\
         request_predict_seconds_count{{model_name=\"m\"}} {all}\nother {errors}\n"
    )
}

#[test]
fn two_pages_make_a_window() {
    let mut scraper = scraper("m", Some("kserve"), None);
    scraper.read(&histogram([1_000, 1_000, 1_000], 0), at(0)).unwrap();
    let facts = scraper.read(&histogram([1_090, 1_100, 1_100], 0), at(20)).unwrap();
    let p95 = reading(&facts, Kpi::LatencyP95, None).unwrap();
    close(Some(p95), 300.0);
    assert_eq!((p95.samples, p95.window_s, p95.bucket), (Some(100), 20, Some((100.0, 500.0))));
    assert_eq!(note(p95), "");
    close(reading(&facts, Kpi::Throughput, None), 5.0);
    let facts = scraper.read(&histogram([1_090, 1_100, 1_200], 0), at(40)).unwrap();
    let p99 = reading(&facts, Kpi::LatencyP99, None).unwrap();
    assert_eq!((p99.value, note(p99), p99.bucket), (Some(500.0), "≥", None));
    let facts = scraper.read(&histogram([10, 10, 10], 0), at(60)).unwrap();
    assert_eq!(reading(&facts, Kpi::LatencyP95, None).unwrap().samples, Some(210), "a restart counts from 0");
}

#[test]
fn no_traffic_is_no_value_and_not_zero() {
    let mut scraper = scraper("m", None, None);
    scraper.read(&histogram([5, 5, 5], 0), at(0)).unwrap();
    let facts = scraper.read(&histogram([5, 5, 5], 0), at(15)).unwrap();
    let p95 = reading(&facts, Kpi::LatencyP95, None).unwrap();
    assert_eq!((p95.value, p95.samples), (None, Some(0)));
    assert_eq!(reading(&facts, Kpi::Throughput, None).unwrap().value, Some(0.0));
}

#[test]
fn kserve_has_latency_but_no_error_rate() {
    let page = include_str!("../../../fixtures/kserve/metrics.txt");
    let facts = scraper("breast-cancer", None, Some("1")).read(page, at(0)).unwrap();
    assert!(reading(&facts, Kpi::LatencyP95, Some("1")).is_some());
    assert!(reading(&facts, Kpi::ErrorRate, None).is_none(), "never a zero that nothing counted");
}

#[test]
fn bentoml_leaves_probes_out_and_writes_its_name_with_underscores() {
    let page = include_str!("../../../fixtures/bentoml/metrics.txt");
    let facts = scraper("breast-cancer", None, None).read(page, at(0)).unwrap();
    let errors = reading(&facts, Kpi::ErrorRate, None).unwrap();
    assert_eq!((errors.samples, errors.value), (Some(7), Some(1.0 / 7.0 * 100.0)));
    assert_eq!(reading(&facts, Kpi::LatencyP95, None).unwrap().samples, Some(7));
    assert!(reading(&facts, Kpi::ErrorRate, Some("not available")).is_none());
}

#[test]
fn microseconds_and_counter_pairs_are_means_only() {
    let page = |n: u32, us: u32| {
        format!(
            "ts_inference_requests_total{{model_name=\"m\",model_version=\"1.0\",}} {n}\n\
             ts_inference_latency_microseconds{{model_name=\"m\",model_version=\"1.0\",}} {us}\n"
        )
    };
    let mut scraper = scraper("m", None, None);
    scraper.read(&page(10, 100), at(0)).unwrap();
    let facts = scraper.read(&page(20, 50_100), at(15)).unwrap();
    let mean = reading(&facts, Kpi::LatencyMean, Some("1.0")).unwrap();
    assert_eq!((mean.value, note(mean)), (Some(5.0), "mean only"));
    assert!(reading(&facts, Kpi::LatencyP95, None).is_none(), "never a mean under a percentile's name");
}

#[test]
fn summaries_show_the_worst_series() {
    let page = "nv_inference_request_success{model=\"m\",version=\"1\"} 4\n\
        nv_inference_request_summary_us{model=\"m\",version=\"1\",quantile=\"0.95\",gpu=\"a\"} 1500\n\
        nv_inference_request_summary_us{model=\"m\",version=\"1\",quantile=\"0.95\",gpu=\"b\"} 2500\n";
    let facts = scraper("m", None, None).read(page, at(0)).unwrap();
    let p95 = reading(&facts, Kpi::LatencyP95, Some("1")).unwrap();
    assert_eq!((p95.value, note(p95)), (Some(2.5), "worst of 2, the server's own window"));
}

#[test]
fn quality_gauges_carry_their_labelled_samples_per_version() {
    let page = include_str!("../../../fixtures/exporters/evaluation-metrics.txt");
    let facts = scraper("breast-cancer", None, None).read(page, at(0)).unwrap();
    let canary = reading(&facts, Kpi::Accuracy, Some("v2")).unwrap();
    assert_eq!((canary.value, canary.samples), (Some(0.98), Some(250)));
    let total = reading(&facts, Kpi::Accuracy, None).unwrap();
    assert_eq!((total.value, total.samples, note(total)), (Some(0.956), Some(500), "worst of 2"));
    let lag = reading(&facts, Kpi::LabelLag, None);
    assert!(lag.is_none_or(|lag| lag.value.unwrap() < 1e6), "seconds stay seconds: {lag:?}");
}

#[test]
fn drift_takes_its_scale_from_the_method_and_is_never_guessed() {
    let page = include_str!("../../../fixtures/exporters/evaluation-metrics.txt");
    let facts = scraper("breast-cancer", None, None).read(page, at(0)).unwrap();
    let features = facts
        .iter()
        .find_map(|fact| if let Fact::Drift { features, .. } = fact { Some(features) } else { None })
        .unwrap();
    assert_eq!(features.len(), 30);
    assert!(features.iter().all(|feature| feature.scale == DriftScale::Wasserstein));
    let shifted = include_str!("../../../fixtures/exporters/evaluation-metrics-drift.txt");
    let facts = scraper("breast-cancer", None, None).read(shifted, at(0)).unwrap();
    let high = facts
        .iter()
        .filter_map(|fact| if let Fact::Drift { features, .. } = fact { Some(features) } else { None })
        .flatten()
        .filter(|feature| feature.raw > 1.0);
    let names: Vec<&str> = high.map(|feature| feature.feature.as_ref()).collect();
    assert_eq!(names, ["mean_radius"], "shifted by three standard deviations");
    let mixed = "evidently_column_drift_score{feature=\"a\",method=\"K-S p_value\",model_name=\"m\"} 0.001\n\
        evidently_column_drift_score{feature=\"b\",method=\"psi\",model_name=\"m\"} 0.3\n\
        evidently_column_drift_score{feature=\"c\",method=\"ours\",model_name=\"m\"} 0.3\n\
        evidently_column_drift_score{feature=\"d\",model_name=\"m\"} 0.3\n";
    let facts = scraper("m", None, None).read(mixed, at(0)).unwrap();
    let scales: Vec<_> = facts
        .iter()
        .filter_map(|fact| if let Fact::Drift { features, .. } = fact { Some(features) } else { None })
        .flatten()
        .map(|feature| (feature.feature.to_string(), feature.scale))
        .collect();
    assert_eq!(scales, [("a".into(), DriftScale::PValue), ("b".into(), DriftScale::Psi)]);
    let refusals = facts.iter().filter(|f| matches!(f, Fact::Remark(text) if text.contains("not guessed")));
    assert_eq!(refusals.count(), 2);
}

#[test]
fn a_page_of_other_models_says_so() {
    let facts = scraper("als", Some("mlserver"), None).read(STABLE, at(0)).unwrap();
    assert!(reading(&facts, Kpi::ErrorRate, None).is_none());
    assert!(facts.iter().any(|fact| matches!(fact, Fact::Remark(text) if text.contains("breast-cancer"))));
}

#[test]
fn unknown_presets_and_pages_are_told() {
    let subject = Subject { model: ModelId::new("t", "m"), name: "m".into(), version: None };
    let fault =
        Scraper::new(subject, "server-1", Some("nope"), &catalogue(), Duration::from_secs(60)).unwrap_err();
    assert!(fault.to_string().contains("nope"), "{fault}");
    let facts = scraper("m", None, None).read("some_metric 1\n", at(0)).unwrap();
    assert!(matches!(&facts[..], [Fact::Remark(text)] if text.contains("no server kind")));
    assert!(scraper("m", None, None).read("<html>", at(0)).is_err());
}
