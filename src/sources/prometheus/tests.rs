//! From results to facts, without a server.

use std::collections::BTreeMap;

use super::ask::{Ask, existing, queries};
use super::facts::{Moment, ages, first_ranked, readings};
use super::gauges::gauges;
use super::group::{Group, groups, watched};
use super::measure::{Haul, measures};
use super::wire::Line;
use super::{drift, facts};
use crate::config::Config;
use crate::domain::{DriftScale, Fact, Kpi, Reading, Version};

const NOW_MS: i64 = 1_795_205_372_000;

fn fleet(text: &str) -> Vec<Group> {
    let config: Config = toml::from_str(text).unwrap();
    let catalogue = crate::sources::presets::catalogue(&config.preset);
    groups(&watched(&config, "prometheus", true), &catalogue, |_| Vec::new())
}

fn one(preset: &str, more: &str) -> Group {
    let text = format!("[[model]]\nname = \"als\"\nprometheus = {{ preset = [\"{preset}\"] }}\n{more}");
    fleet(&text).remove(0)
}

fn line(labels: &[(&str, &str)], value: f64) -> Line {
    let labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Line { labels, points: vec![(NOW_MS, value)] }
}

fn read(group: &Group, haul: &Haul) -> BTreeMap<(Option<Version>, Kpi), Reading> {
    let mut all = measures(group, haul, 60);
    gauges(group, haul, &mut all);
    let ages = ages(group, haul, NOW_MS, 5.0);
    let moment = Moment { now_ms: NOW_MS, window_s: 60 };
    let found = readings(group, &all, &ages, moment).into_iter().filter_map(|(_, fact)| match fact {
        Fact::Reading { version, kpi, reading, .. } => Some(((version, kpi), reading)),
        _ => None,
    });
    found.collect()
}

fn v(name: &str) -> Option<Version> {
    Some(Version::new(name))
}

#[test]
fn every_model_of_a_kind_is_asked_in_one_query() {
    let group = fleet(
        "[[model]]\nname = \"a\"\nprometheus = { preset = [\"wardroom\"] }\n[[model]]\nname = \"b\"\nprometheus = { preset = [\"wardroom\"] }",
    )
    .remove(0);
    let all = queries(&group, &None, 60, 15);
    let text = |ask| all.iter().find(|query| query.ask == ask).map(|query| query.text.as_str());
    assert_eq!(
        text(Ask::Buckets),
        Some(
            "sum by (le, model, version) (rate(model_request_duration_seconds_bucket{model=~\"a|b\"}[60s]))"
        )
    );
    assert_eq!(
        text(Ask::Errors),
        Some("sum by (model, version) (rate(model_requests_total{code=~\"5..\",model=~\"a|b\"}[60s]))")
    );
    assert!(text(Ask::Newest).unwrap().starts_with("max by (job, instance, model, version)"));
}

#[test]
fn only_what_exists_is_asked() {
    let group = one("bentoml", "");
    let names = ["bentoml_api_server_request_total"].map(String::from).into();
    let metrics = &group.preset.requests.as_ref().unwrap().metric;
    assert_eq!(existing(metrics, "", &Some(names)), Some("bentoml_api_server_request_total"));
    assert!(queries(&group, &Some(Default::default()), 60, 15).is_empty());
}

#[test]
fn percentiles_come_with_their_bucket_and_count() {
    let group = one("wardroom", "");
    let bucket = |version, le, rate| line(&[("model", "als"), ("version", version), ("le", le)], rate);
    let haul = Haul::from([(
        Ask::Buckets,
        vec![
            bucket("1", "0.1", 9.0),
            bucket("1", "0.5", 10.0),
            bucket("1", "+Inf", 10.0),
            // Prometheus 3 writes 0.1 and 0.10 alike; older servers may mix them.
            bucket("2", "0.10", 0.0),
            bucket("2", "0.5", 1.0),
            bucket("2", "+Inf", 2.0),
        ],
    )]);
    let found = read(&group, &haul);
    let p95 = &found[&(v("1"), Kpi::LatencyP95)];
    assert!((p95.value.unwrap() - 300.0).abs() < 1e-9, "seconds became milliseconds");
    assert_eq!((p95.bucket, p95.samples, p95.window_s), (Some((100.0, 500.0)), Some(600), 60));
    let above = &found[&(v("2"), Kpi::LatencyP99)];
    assert_eq!((above.value, above.note.as_deref()), (Some(500.0), Some("≥")));
    assert_eq!(found[&(None, Kpi::LatencyP95)].samples, Some(720), "the total adds the versions up");
}

#[test]
fn no_traffic_is_no_value() {
    let group = one("wardroom", "");
    let labels = [("model", "als"), ("version", "1")];
    let bucket = |le| line(&[labels[0], labels[1], ("le", le)], 0.0);
    let haul = Haul::from([
        (Ask::Buckets, vec![bucket("0.1"), bucket("+Inf")]),
        (Ask::Requests, vec![line(&labels, 0.0)]),
    ]);
    let found = read(&group, &haul);
    assert_eq!(found[&(None, Kpi::LatencyP95)].value, None);
    assert_eq!(found[&(None, Kpi::ErrorRate)].value, None, "0 of 0 is no rate");
    assert_eq!(found[&(None, Kpi::Throughput)].value, Some(0.0), "zero requests is a fact");
    assert!(read(&group, &Haul::new()).is_empty(), "a missing series is not zero");
}

#[test]
fn failures_that_a_rate_misses_are_said() {
    let group = one("mlserver", "");
    let labels = [("model", "als"), ("model_version", "v2"), ("version", "None")];
    let haul = Haul::from([
        (Ask::Requests, vec![line(&labels, 9.0)]),
        (Ask::Plus, vec![line(&labels, 1.0)]),
        (Ask::Errors, vec![line(&labels, 1.0)]),
    ]);
    let found = read(&group, &haul);
    assert_eq!(found[&(v("v2"), Kpi::ErrorRate)].value, Some(10.0), "successes plus failures are all");
    assert!(!found.contains_key(&(v("None"), Kpi::ErrorRate)), "`None` is no version");
    let mut young = haul.clone();
    young.insert(Ask::Errors, vec![line(&labels, 0.0)]);
    young.insert(Ask::YoungErrors, vec![line(&labels, 3.0)]);
    let note = read(&group, &young)[&(None, Kpi::ErrorRate)].note.clone().unwrap();
    assert!(note.starts_with("3 failures"), "{note}");
}

#[test]
fn a_rate_of_a_dead_target_is_as_old_as_its_last_sample() {
    let group = one("wardroom", "");
    let request = line(&[("model", "als"), ("version", "1")], 5.0);
    let newest = |instance, age: f64| {
        let labels = [("model", "als"), ("version", "1"), ("job", "j"), ("instance", instance)];
        line(&labels, NOW_MS as f64 / 1_000.0 - age)
    };
    let with = |ages: Vec<Line>| Haul::from([(Ask::Requests, vec![request.clone()]), (Ask::Newest, ages)]);
    let dead = &read(&group, &with(vec![newest("a", 40.0)]))[&(v("1"), Kpi::Throughput)];
    assert_eq!(dead.at.timestamp_millis(), NOW_MS - 40_000);
    assert_eq!(dead.note.as_deref(), Some("no scrape answers"));
    let half = &read(&group, &with(vec![newest("a", 40.0), newest("b", 3.0)]))[&(v("1"), Kpi::Throughput)];
    assert_eq!(half.at.timestamp_millis(), NOW_MS);
    assert_eq!(half.note.as_deref(), Some("1 of 2 instances silent"));
    let two = line(
        &[("model", "als"), ("version", "2"), ("job", "j"), ("instance", "a")],
        NOW_MS as f64 / 1e3 - 50.0,
    );
    let both = &read(&group, &with(vec![newest("a", 40.0), two]))[&(None, Kpi::Throughput)];
    assert_eq!(both.note.as_deref(), Some("no scrape answers"), "two versions of one instance are one");
    let alive = &read(&group, &with(vec![newest("a", 4.0)]))[&(v("1"), Kpi::Throughput)];
    assert_eq!((alive.at.timestamp_millis(), alive.note.as_deref()), (NOW_MS, None));
}

#[test]
fn a_latency_of_the_whole_server_says_so() {
    let text = "[[model]]\nname = \"a\"\nprometheus = { preset = [\"mlserver\"] }\n[[model]]\nname = \"b\"\nprometheus = { preset = [\"mlserver\"] }";
    let group = fleet(text).remove(0);
    let query = queries(&group, &None, 60, 15).remove(0).text;
    assert!(query.contains("path=~\".*/infer\"") && !query.contains("model=~"), "{query}");
    let bucket = |le, rate| line(&[("model_version", "v1"), ("le", le)], rate);
    let haul = Haul::from([(Ask::Buckets, vec![bucket("0.1", 1.0), bucket("+Inf", 1.0)])]);
    assert_eq!(read(&group, &haul)[&(v("v1"), Kpi::LatencyP95)].note.as_deref(), Some("whole server"));
}

#[test]
fn a_summary_shows_the_worst_instance() {
    let group = one("triton", "");
    let labels = [("model", "als"), ("version", "1"), ("quantile", "0.95")];
    let haul = Haul::from([
        (Ask::Summary, vec![line(&labels, 12_000.0)]),
        (Ask::SummaryCount, vec![line(&labels, 3.0)]),
    ]);
    let p95 = &read(&group, &haul)[&(v("1"), Kpi::LatencyP95)];
    assert_eq!((p95.value, p95.note.as_deref()), (Some(12.0), Some("worst of 3")), "µs became ms");
}

#[test]
fn a_mean_is_never_a_percentile() {
    let group = one("torchserve", "");
    let labels = [("model_name", "als"), ("model_version", "1")];
    let haul = Haul::from([
        (Ask::MeanSum, vec![line(&labels, 50_000.0)]),
        (Ask::MeanCount, vec![line(&labels, 2.0)]),
    ]);
    let found = read(&group, &haul);
    let mean = &found[&(v("1"), Kpi::LatencyMean)];
    assert_eq!((mean.value, mean.note.as_deref()), (Some(25.0), Some("mean only")));
    assert!(found.keys().all(|(_, kpi)| *kpi != Kpi::LatencyP95));
}

#[test]
fn native_histograms_are_asked_without_le() {
    let more = "[preset.own]\nmodel_label = [\"model\"]\nversion_label = [\"version\"]\nlatency = { metric = [\"x_seconds\"], type = \"native_histogram\" }";
    let group = one("own", more);
    let all = queries(&group, &None, 60, 15);
    let by_version = &all[0];
    assert_eq!(
        by_version.text,
        "histogram_quantile(0.5, sum by (model, version) (rate(x_seconds{model=~\"als\"}[60s])))"
    );
    assert!(all.iter().all(|query| !query.text.contains("le,") && !query.text.contains("_bucket")));
    let labels = [("model", "als"), ("version", "1")];
    let haul = Haul::from([
        (Ask::Native(95, true), vec![line(&labels, 0.25)]),
        (Ask::Native(95, false), vec![line(&labels[..1], f64::NAN)]),
    ]);
    let found = read(&group, &haul);
    assert_eq!(found[&(v("1"), Kpi::LatencyP95)].value, Some(250.0));
    assert_eq!(found[&(None, Kpi::LatencyP95)].value, None, "NaN is no value");
}

#[test]
fn quality_of_the_whole_is_that_of_the_version_with_most_labels() {
    let group = one("evaluation", "");
    let gauge = |name, version, value| {
        line(&[("__name__", name), ("model_name", "als"), ("model_version", version)], value)
    };
    let haul = Haul::from([(
        Ask::Gauges(0),
        vec![
            gauge("model_accuracy", "v1", 0.9),
            gauge("model_accuracy", "v2", 0.5),
            gauge("model_r2", "v1", 0.1),
            gauge("model_labelled_samples", "v1", 2_000.0),
            gauge("model_labelled_samples", "v2", 20.0),
        ],
    )]);
    let found = read(&group, &haul);
    let total = &found[&(None, Kpi::Accuracy)];
    assert_eq!((total.value, total.samples, total.note.as_deref()), (Some(0.9), Some(2_000), Some("of v1")));
    assert_eq!(found[&(v("v2"), Kpi::Accuracy)].samples, Some(20));
    assert_eq!(found[&(None, Kpi::LabelledSamples)].value, Some(2_020.0));
    assert!(!found.contains_key(&(None, Kpi::R2)), "a classifier has no R²");
}

#[test]
fn resources_of_instances_are_shown_by_the_worst() {
    let group = one("wardroom", "");
    let gauge = |name, instance, value| {
        line(&[("__name__", name), ("model", "als"), ("version", "1"), ("instance", instance)], value)
    };
    let haul = Haul::from([(
        Ask::Gauges(0),
        vec![
            gauge("model_cpu_ratio", "a", 0.2),
            gauge("model_cpu_ratio", "b", 0.9),
            gauge("model_queue_depth", "a", 2.0),
            gauge("model_queue_depth", "b", 3.0),
        ],
    )]);
    let found = read(&group, &haul);
    let cpu = &found[&(v("1"), Kpi::Cpu)];
    assert_eq!((cpu.value, cpu.note.as_deref()), (Some(90.0), Some("worst of 2")));
    assert_eq!(found[&(None, Kpi::QueueDepth)].value, Some(5.0), "queues add up");
}

#[test]
fn the_direction_of_drift_is_never_guessed() {
    let group = one("evaluation", "");
    let score = |feature, method: &str, value| {
        let mut labels =
            vec![("__name__", "evidently_column_drift_score"), ("model_name", "als"), ("feature", feature)];
        if !method.is_empty() {
            labels.push(("method", method));
        }
        line(&labels, value)
    };
    let haul = Haul::from([(
        Ask::Drift,
        vec![
            score("a", "K-S p_value", 0.001),
            score("b", "wasserstein", 0.3),
            score("c", "", 0.4),
            score("d", "x", 0.4),
        ],
    )]);
    let facts = drift::now(&group, &haul);
    let Fact::Drift { features, .. } = &facts[0] else { panic!() };
    let scales: Vec<DriftScale> = features.iter().map(|feature| feature.scale).collect();
    assert_eq!(scales, [DriftScale::PValue, DriftScale::Wasserstein]);
    assert_eq!(facts.len(), 3, "two remarks: no method, unknown method");
    assert!(matches!(&facts[1], Fact::Remark(text) if text.contains("drift.scale")));
}

#[test]
fn the_first_kind_that_has_a_kpi_wins() {
    let groups = fleet("[[model]]\nname = \"als\"\nprometheus = { preset = [\"wardroom\", \"evaluation\"] }");
    let gauge = |labels: &[(&str, &str)], value| Haul::from([(Ask::Gauges(0), vec![line(labels, value)])]);
    let of = |group: &Group, haul: &Haul| {
        let mut all = measures(group, haul, 60);
        gauges(group, haul, &mut all);
        let moment = Moment { now_ms: NOW_MS, window_s: 60 };
        readings(group, &all, &ages(group, haul, NOW_MS, 5.0), moment)
    };
    let second = of(&groups[0], &gauge(&[("__name__", "model_accuracy"), ("model_name", "als")], 0.5));
    let first = of(&groups[1], &gauge(&[("__name__", "model_accuracy"), ("model", "als")], 0.9));
    let both = first_ranked([second.clone(), first].concat());
    let Fact::Reading { reading, .. } = &both[0] else { panic!() };
    assert_eq!((both.len(), reading.value), (1, Some(0.9)));
    assert_eq!(first_ranked(second).len(), 1, "alone the second is good enough");
}

#[test]
fn histories_keep_their_gaps() {
    let group = one("wardroom", "");
    let mut requests = line(&[("model", "als"), ("version", "1")], 1.0);
    requests.points = vec![(NOW_MS - 30_000, 1.0), (NOW_MS - 20_000, f64::NAN), (NOW_MS, 3.0)];
    let mut buckets = line(&[("model", "als"), ("version", "1"), ("le", "+Inf")], 0.0);
    buckets.points = vec![(NOW_MS, 0.0)];
    let haul = Haul::from([(Ask::Requests, vec![requests]), (Ask::Buckets, vec![buckets])]);
    let all = measures(&group, &haul, 60);
    let found = facts::histories(&group, &all, 10, |_| true);
    let points = |wanted: Kpi| {
        found.iter().find_map(|(_, fact)| match fact {
            Fact::History { kpi, points, version: None, .. } if *kpi == wanted => Some(points.len()),
            _ => None,
        })
    };
    assert_eq!(points(Kpi::LatencyP95), None, "no point, no line");
    assert_eq!(points(Kpi::Throughput), Some(2), "NaN is a gap, not a zero");
}

#[test]
fn running_totals_are_told_by_version_and_instance() {
    use super::totals::{Count, facts};
    use crate::domain::Total;

    let group = one("wardroom", "");
    let text = |count| {
        let all = queries(&group, &None, 60, 15);
        all.into_iter().find(|query| query.ask == Ask::Total(count)).map(|query| query.text)
    };
    assert_eq!(
        text(Count::Errors).as_deref(),
        Some("sum by (instance, model, version) (model_requests_total{code=~\"5..\",model=~\"als\"})")
    );
    let at = |version: &'static str, more: &[(&str, &str)], value: f64| {
        let labels = [&[("model", "als"), ("version", version), ("instance", "i1")], more].concat();
        line(&labels, value)
    };
    let mut haul = Haul::new();
    haul.insert(Ask::Total(Count::Requests), vec![at("1", &[], 100.0), at("2", &[], 10.0)]);
    // No failure yet is zero failures, not nothing.
    haul.insert(Ask::Total(Count::Errors), vec![at("2", &[], 3.0)]);
    haul.insert(
        Ask::Total(Count::Buckets),
        [("0.1", 4.0), ("+Inf", 10.0)].map(|(le, n)| at("2", &[("le", le)], n)).to_vec(),
    );
    haul.insert(Ask::Total(Count::Labelled), vec![at("2", &[("age_s", "60")], 5.0)]);
    haul.insert(Ask::Total(Count::Wrong), vec![at("2", &[("age_s", "60")], 1.0)]);
    let told: Vec<(String, Vec<crate::domain::Counter>)> = facts(&group, &haul)
        .into_iter()
        .map(|fact| match fact {
            Fact::Counters { metric, counters, .. } => (metric.to_string(), counters),
            other => panic!("{other:?}"),
        })
        .collect();
    let of = |metric: &str| &told.iter().find(|(name, _)| name == metric).unwrap().1;
    let totals: Vec<&Total> = of("errors").iter().map(|counter| &counter.total).collect();
    assert_eq!(
        totals,
        [&Total::Events { events: 0.0, trials: 100.0 }, &Total::Events { events: 3.0, trials: 10.0 }]
    );
    assert_eq!(of("latency")[0].total, Total::Buckets(vec![(0.1, 4.0), (f64::INFINITY, 10.0)]));
    assert_eq!((of("accuracy")[0].age_s, of("accuracy")[0].instance.as_deref()), (Some(60), Some("i1")));
}
