//! Percentiles, tests for one look, quality metrics, moving averages, counters, many tests at once.

use serde_json::{Map, Value, json};
use wardroom::stats::concept::{Adwin, Ddm, PageHinkley, ddm};
use wardroom::stats::fixed::{power as sizes, proportions, ranks, welch as welch_test};
use wardroom::stats::native::Native;
use wardroom::stats::quality::{
    auc as area, binomial as intervals, confusion as table, regression as errors,
};
use wardroom::stats::sketch::{DdSketch, Hdr};
use wardroom::stats::{Outcome, Sorted, buckets, counters as counter, moving as mean, multiple};

use crate::case::{json as number_json, list, number, numbers};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn pairs(values: &[(&str, f64)]) -> Map<String, Value> {
    values.iter().map(|(name, value)| ((*name).to_owned(), number_json(*value))).collect()
}

fn whole(input: &Value, name: &str) -> u64 {
    input[name].as_u64().unwrap_or_else(|| panic!("{name} of {input}"))
}

pub fn binomial(input: &Value) -> Map<String, Value> {
    let (k, n) = (whole(input, "x"), whole(input, "n"));
    let (wilson, exact) = (intervals::wilson(k, n), intervals::clopper_pearson(k, n));
    object(json!({ "wilson95": list([wilson.0, wilson.1]), "clopper_pearson95": list([exact.0, exact.1]) }))
}

pub fn confusion(input: &Value) -> Map<String, Value> {
    let of = |name| whole(input, name);
    let counts = table::Confusion { tp: of("tp"), fp: of("fp"), fn_: of("fn"), tn: of("tn") };
    let mut out = pairs(&[("f1", counts.f1()), ("mcc", counts.mcc())]);
    for (name, share) in [
        ("accuracy", counts.accuracy()),
        ("sensitivity", counts.sensitivity()),
        ("specificity", counts.specificity()),
        ("ppv", counts.ppv()),
        ("npv", counts.npv()),
    ] {
        out.insert(name.into(), number_json(share.value));
        out.insert(format!("{name}_ci"), list([share.ci95.0, share.ci95.1]));
    }
    out
}

pub fn auc(input: &Value) -> Map<String, Value> {
    let labels: Vec<bool> = numbers(&input["label"]).into_iter().map(|label| label > 0.5).collect();
    let found = area::auc(&labels, &numbers(&input["score"]));
    let mut out = object(json!({ "status": found.status() }));
    if let Outcome::Ok(found) = found {
        out.extend(pairs(&[("auc", found.auc), ("delong_var", found.variance)]));
        for (name, ends) in [("ci95_wald", found.wald95()), ("ci95_logit", found.logit95())] {
            out.extend(ends.map(|(low, high)| (name.to_owned(), list([low, high]))));
        }
    }
    out
}

pub fn regression(input: &Value) -> Map<String, Value> {
    let found = errors::errors(&numbers(&input["y"]), &numbers(&input["pred"]));
    let mut out = object(json!({ "status": found.status() }));
    if let Outcome::Ok(found) = found {
        out.extend(pairs(&[("mae", found.mae), ("mse", found.mse), ("rmse", found.rmse), ("r2", found.r2)]));
    }
    out
}

pub fn concept(input: &Value) -> Map<String, Value> {
    let errors: Vec<bool> = input["errors"].as_str().unwrap().chars().map(|c| c == '1').collect();
    let (mut detector, mut hinkley, mut adwin) = (Ddm::default(), PageHinkley::new(10.0), Adwin::new(0.002));
    let (mut warning, mut drifts, mut rises, mut cuts) = (None, Vec::new(), Vec::new(), Vec::new());
    for (place, &wrong) in errors.iter().enumerate() {
        match detector.update(wrong) {
            ddm::Signal::Warning => warning = warning.or(Some(place)),
            ddm::Signal::Drift => drifts.push(place),
            ddm::Signal::Quiet => {}
        }
        let value = f64::from(u8::from(wrong));
        if hinkley.update(value) {
            rises.push(place);
        }
        if adwin.update(value) {
            cuts.push(place);
        }
    }
    object(json!({
        "ddm_drift": drifts, "ph_drift": rises, "adwin_drift": cuts,
        "ddm_warning_first": warning.map_or(-1, |place| place as i64),
    }))
}

pub fn counters(input: &Value) -> Map<String, Value> {
    let (increase, resets) = counter::increase(&numbers(&input["samples"]));
    object(json!({ "increase": increase, "resets": resets }))
}

pub fn moving(input: &Value) -> Map<String, Value> {
    let points = mean::averages(&numbers(&input["values"]), whole(input, "window") as usize);
    object(json!({
        "simple": list(points.iter().map(|point| point.simple)),
        "count": points.iter().map(|point| point.count).collect::<Vec<_>>(),
        "ewm": list(points.iter().map(|point| point.weighted)),
    }))
}

pub fn e_bh(input: &Value) -> Map<String, Value> {
    let (logs, alpha) = (numbers(&input["log_e"]), number(&input["alpha"]).unwrap());
    object(json!({
        "rejected": multiple::e_bh(&logs, alpha),
        "smallest_log_e_needed_for_one": number_json(multiple::alone(logs.len(), alpha)),
    }))
}

pub fn benjamini_hochberg(input: &Value) -> Map<String, Value> {
    let adjusted = multiple::benjamini_hochberg(&numbers(&input["p"]));
    let rejected: Vec<usize> = (0..adjusted.len()).filter(|&i| adjusted[i] <= 0.05).collect();
    object(json!({ "adjusted": list(adjusted), "rejected_005": rejected }))
}

pub fn sample_quantile(input: &Value) -> Map<String, Value> {
    let sample = Sorted::new(numbers(&input["data"]));
    if sample.is_empty() {
        return object(json!({ "status": "no_data" }));
    }
    let q = [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0];
    object(json!({
        "status": "ok",
        "q": [0, 0.5, 0.9, 0.95, 0.99, 0.999, 1],
        "linear": list(q.map(|q| sample.quantile(q).unwrap())),
        "nearest_rank": list(q.map(|q| sample.nearest_rank(q).unwrap())),
    }))
}

fn bucket_list(value: &Value) -> Vec<(f64, f64)> {
    let pair = |pair: &Value| (number(&pair[0]).unwrap(), number(&pair[1]).unwrap());
    value.as_array().unwrap().iter().map(pair).collect()
}

pub fn classic(input: &Value) -> Map<String, Value> {
    let buckets = bucket_list(&input["buckets"]);
    let value = |q| buckets::quantile(q, &buckets).map_or(f64::NAN, |found| found.value);
    object(json!({ "values": list(numbers(&input["q"]).into_iter().map(value)) }))
}

pub fn native(input: &Value) -> Map<String, Value> {
    let histogram = Native {
        schema: input["schema"].as_i64().unwrap() as i32,
        zero_threshold: number(&input["zero_threshold"]).unwrap(),
        zero_count: number(&input["zero_count"]).unwrap(),
        offset: input["positive_offset"].as_i64().unwrap() as i32,
        counts: numbers(&input["positive_counts"]),
    };
    let value = |q| histogram.quantile(q).unwrap_or(f64::NAN);
    object(json!({ "values": list(numbers(&input["q"]).into_iter().map(value)) }))
}

pub fn merged(input: &Value) -> Map<String, Value> {
    let instances: Vec<Vec<(f64, f64)>> =
        input["instances"].as_array().unwrap().iter().map(bucket_list).collect();
    let merged = buckets::merge(instances.iter().map(Vec::as_slice));
    let value = |q| buckets::quantile(q, &merged.buckets).map_or(f64::NAN, |found| found.value);
    object(json!({ "values": list(numbers(&input["q"]).into_iter().map(value)) }))
}

pub fn hdr(input: &Value) -> Map<String, Value> {
    let mut histogram =
        Hdr::new(whole(input, "lowest"), whole(input, "highest"), whole(input, "sigfigs") as u8).unwrap();
    numbers(&input["values"]).into_iter().for_each(|value| histogram.add(value as u64));
    let p = [0.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0];
    object(json!({
        "total": histogram.total(), "rejected": histogram.rejected,
        "p": [0, 50, 90, 95, 99, 99.9, 100],
        "values": p.map(|p| histogram.percentile(p)),
    }))
}

pub fn ddsketch(input: &Value) -> Map<String, Value> {
    let (accuracy, values) = (number(&input["relative_accuracy"]).unwrap(), numbers(&input["values"]));
    let mut sketch = DdSketch::new(accuracy);
    values.iter().for_each(|&value| sketch.add(value));
    let q = numbers(&input["q"]);
    let sample = Sorted::new(values);
    let lower = |q: f64| sample.values()[(q * (sample.len() - 1) as f64).floor() as usize];
    let exact: Vec<f64> = if sample.is_empty() { Vec::new() } else { q.iter().map(|&q| lower(q)).collect() };
    let found: Vec<Value> =
        q.iter().map(|&q| sketch.quantile(q).map_or_else(|| json!("no_data"), number_json)).collect();
    for (found, exact) in found.iter().zip(&exact) {
        let off = (number(found).unwrap() - exact).abs();
        assert!(off <= accuracy * exact.abs() + 1e-12, "{found} is further than {accuracy} from {exact}");
    }
    object(json!({ "count": sketch.count(), "values": found, "exact_lower": list(exact) }))
}

fn wanted(input: &Value, ratio: &str) -> sizes::Wanted {
    sizes::Wanted {
        alpha: number(&input["alpha"]).unwrap(),
        power: number(&input["power"]).unwrap(),
        baseline_per_canary: number(&input[ratio]).unwrap(),
        sides: whole(input, "sides") as u8,
    }
}

pub fn power(input: &Value) -> Map<String, Value> {
    let wanted = wanted(input, "baseline_per_canary");
    let (c, b) = (number(&input["p_canary"]).unwrap(), number(&input["p_baseline"]).unwrap());
    let fleiss = sizes::proportions(c, b, wanted);
    object(json!({
        "canary_n_fleiss": fleiss, "canary_n_fleiss_ceil": fleiss.ceil() as u64,
        "canary_n_arcsine": sizes::proportions_arcsine(c, b, wanted),
    }))
}

pub fn power_t(input: &Value) -> Map<String, Value> {
    let n = sizes::means(number(&input["cohen_d"]).unwrap(), wanted(input, "ratio_n2_n1"));
    object(json!({ "n1_normal_approx": n }))
}

pub fn welch(input: &Value) -> Map<String, Value> {
    let (a, b) = (numbers(&input["a"]), numbers(&input["b"]));
    let found = welch_test::test(&a, &b);
    let mut out = object(json!({ "status": found.status() }));
    match found {
        Outcome::Ok(found) => {
            out.extend(pairs(&[
                ("t", found.t),
                ("df", found.df),
                ("p_two_sided", found.p_two_sided),
                ("p_greater", found.p_greater),
                ("mean_diff", found.mean_diff),
                ("cohen_d", found.cohen_d),
                ("hedges_g", found.hedges_g),
            ]));
            out.insert("ci95".into(), list([found.ci95.0, found.ci95.1]));
        }
        Outcome::Degenerate => {
            let mean = |values: &[f64]| wardroom::stats::sample::Moments::of(values).mean;
            out.insert("mean_diff".into(), number_json(mean(&a) - mean(&b)));
        }
        _ => {}
    }
    out
}

pub fn two_proportions(input: &Value) -> Map<String, Value> {
    let canary = (whole(input, "canary_events"), whole(input, "canary_n"));
    let baseline = (whole(input, "baseline_events"), whole(input, "baseline_n"));
    let found = proportions::compare(canary, baseline);
    let mut out = object(json!({ "status": found.status() }));
    if let Outcome::Ok(found) = found {
        out.extend(pairs(&[
            ("p_canary", found.p_canary),
            ("p_baseline", found.p_baseline),
            ("diff", found.diff),
            ("z_pooled", found.z),
            ("p_two_sided", found.p_two_sided),
            ("p_worse", found.p_worse),
            ("chi2", found.chi2),
            ("fisher_p_worse", found.fisher_p_worse.unwrap_or(f64::NAN)),
            ("cohen_h", found.cohen_h),
            ("risk_ratio", found.risk_ratio),
            ("bayes_p_canary_worse", proportions::bayes_worse(canary, baseline)),
        ]));
        out.insert("newcombe95".into(), list([found.newcombe95.0, found.newcombe95.1]));
    }
    out
}

pub fn mann_whitney(input: &Value) -> Map<String, Value> {
    let found = ranks::test(&numbers(&input["a"]), &numbers(&input["b"]));
    let mut out = object(json!({ "status": found.status() }));
    if let Outcome::Ok(found) = found {
        out.extend(pairs(&[("U", found.u), ("cles", found.cles), ("p_two_sided", found.p_two_sided)]));
        let more = [
            ("p_greater", found.p_greater),
            ("p_two_sided_no_continuity", found.p_no_continuity),
            ("p_exact", found.p_exact),
        ];
        out.extend(more.into_iter().filter_map(|(name, p)| Some((name.to_owned(), number_json(p?)))));
    }
    out
}
