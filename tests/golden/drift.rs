//! Drift of features, its levels and its noise.

use serde_json::{Map, Value, json};
use wardroom::domain::DriftLevel;
use wardroom::stats::drift::{
    categories, divergence as distances, equal_width, ks, level as levels, psi, wasserstein,
};
use wardroom::stats::{Outcome, Sorted};

use crate::case::{json as number_json, list, number, numbers};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub fn numeric(input: &Value) -> Map<String, Value> {
    let reference = Sorted::new(numbers(&input["reference"]));
    let current = Sorted::new(numbers(&input["current"]));
    let found = ks::distance(&reference, &current);
    let mut out = object(json!({
        "status": found.status(),
        "n_reference": reference.len(),
        "n_current": current.len(),
        "dropped_reference": reference.dropped,
        "dropped_current": current.dropped,
    }));
    let Outcome::Ok(ks) = found else { return out };
    let deciles = psi::Deciles::of(&reference).ok().unwrap();
    let index = deciles.psi(&current).ok().unwrap();
    let evidently = equal_width::evidently(&reference, &current).ok().unwrap();
    let nannyml = equal_width::nannyml(&reference, &current).ok().unwrap();
    let normed = wasserstein::normed(&reference, &current).ok().unwrap();
    for (name, value) in [
        ("ks_D", ks.d),
        ("ks_p_kolmogorov", ks.p_kolmogorov()),
        ("psi_quantile10", index.value),
        ("wasserstein", wasserstein::distance(&reference, &current).ok().unwrap()),
        ("wasserstein_norm", normed),
        ("evidently_psi", evidently.psi),
        ("evidently_kl", evidently.kl),
        ("evidently_js", evidently.js),
        ("evidently_wasserstein", normed),
        ("nannyml_js_base2", nannyml.js),
        ("nannyml_hellinger", nannyml.hellinger),
    ] {
        out.insert(name.into(), number_json(value));
    }
    if let Some(p) = ks.p_exact() {
        out.insert("ks_p_exact".into(), number_json(p));
    }
    out.insert("psi_edges".into(), list(deciles.edges.iter().copied()));
    out.insert("psi_counts_reference".into(), json!(deciles.counts));
    out.insert("psi_counts_current".into(), json!(index.counts));
    out.insert("unique_reference".into(), json!(reference.distinct()));
    out.insert("doane_bins".into(), json!(nannyml.bins));
    out
}

pub fn categorical(input: &Value) -> Map<String, Value> {
    let side = |name: &str| -> Map<String, Value> { input[name].as_object().unwrap().clone() };
    let (reference, current) = (side("reference"), side("current"));
    let mut keys: Vec<&String> = reference.keys().chain(current.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = |side: &Map<String, Value>, key: &str| side.get(key).and_then(Value::as_u64).unwrap_or(0);
    let sum = |side: &Map<String, Value>| side.values().filter_map(Value::as_u64).sum::<u64>();
    let found = categories::compare(keys.iter().map(|key| (rows(&reference, key), rows(&current, key))));
    let mut out = object(json!({
        "status": found.status(), "n_reference": sum(&reference), "n_current": sum(&current),
    }));
    let Outcome::Ok(found) = found else { return out };
    for (name, count) in [
        ("categories", found.categories),
        ("unseen_in_reference", found.unseen),
        ("missing_in_current", found.missing),
        ("chi2_dof", found.dof),
    ] {
        out.insert(name.into(), json!(count));
    }
    for (name, value) in [
        ("tv", found.tv),
        ("linf", found.linf),
        ("js_distance_base2", found.js),
        ("js_distance_nats", found.js_nats),
        ("psi", found.psi),
        ("chi2", found.chi2),
        ("chi2_p", found.chi2_p),
        ("evidently_js", found.evidently.js),
        ("evidently_psi", found.evidently.psi),
        ("evidently_kl", found.evidently.kl),
        ("onesample_chi2", found.onesample),
        ("onesample_chi2_p", found.onesample_p),
    ] {
        out.insert(name.into(), number_json(value));
    }
    if let Some(yates) = found.chi2_yates {
        out.insert("chi2_yates".into(), number_json(yates));
    }
    out.insert("prediction_shift_alert_10pct".into(), json!(found.shifted));
    out
}

pub fn divergence(input: &Value) -> Map<String, Value> {
    let (p, q) = (distances::normalised(&numbers(&input["p"])), distances::normalised(&numbers(&input["q"])));
    let nats = distances::jensen_shannon(&p, &q);
    let values = [
        ("js_divergence_nats", nats),
        ("js_distance_nats", distances::js_distance_nats(&p, &q)),
        ("js_distance_base2", distances::js_distance(&p, &q)),
        ("js_divergence_bits", nats / std::f64::consts::LN_2),
        ("kl_pq_nats", distances::kl(&p, &q)),
        ("kl_qp_nats", distances::kl(&q, &p)),
        ("tv", distances::total_variation(&p, &q)),
        ("linf", distances::largest_change(&p, &q)),
        ("hellinger", distances::hellinger(&p, &q)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), number_json(value))).collect()
}

pub fn level(input: &Value) -> Map<String, Value> {
    let level = DriftLevel::of(number(&input["score"]).unwrap());
    object(json!({ "level": level.map_or("no_data", DriftLevel::word) }))
}

pub fn gaussian(input: &Value) -> Map<String, Value> {
    let found = levels::gaussian(number(&input["shift_sd"]).unwrap());
    object(json!({
        "ks": found.ks, "psi": found.psi, "kl": found.kl, "js_distance_base2": found.js,
        "js_distance_nats": found.js_nats, "wasserstein_norm": found.wasserstein, "hellinger": found.hellinger,
    }))
}

pub fn noise(input: &Value) -> Map<String, Value> {
    let whole = |name: &str| input[name].as_u64().unwrap();
    let noise = levels::noise(whole("n"), whole("m"), whole("bins"), number(&input["alpha"]).unwrap());
    object(json!({
        "lower": noise.lower(number(&input["score"]).unwrap()),
        "psi_expected": noise.psi_expected,
        "ks_95": noise.ks_floor,
    }))
}
