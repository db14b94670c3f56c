//! The sequential tests and their intervals.

use serde_json::{Map, Value, json};
use wardroom::stats::sequential::margin::Side;
use wardroom::stats::sequential::rank::RankBlock;
use wardroom::stats::sequential::rate_ratio::RatioInterval;
use wardroom::stats::sequential::{
    Arm, Block, EProcess, Margin, Prior, Ranks, RateRatio, Split, Staged, TwoStream, interval, quantile,
    reference,
};
use wardroom::stats::special::log_mean_exp;

use crate::case::{json as number_json, list, number, numbers};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn f(input: &Value, name: &str) -> f64 {
    number(&input[name]).unwrap_or_else(|| panic!("{name} of {input}"))
}

fn blocks(input: &Value) -> Vec<Block> {
    let block = |block: &Value| {
        let of = |place: usize| block[place].as_u64().unwrap();
        Block { canary: Arm::new(of(0), of(1)), baseline: Arm::new(of(2), of(3)) }
    };
    input["blocks"].as_array().unwrap().iter().map(block).collect()
}

fn prior(input: &Value) -> Prior {
    Prior { events: f(input, "prior_events"), trials: f(input, "prior_n") }
}

fn course(mut test: impl EProcess, blocks: &[Block]) -> Value {
    list(blocks.iter().map(|block| {
        test.update(block);
        test.log_e()
    }))
}

pub fn e_process(input: &Value) -> Map<String, Value> {
    let blocks = blocks(input);
    let mut ratios = RatioInterval::default();
    blocks.iter().for_each(|block| ratios.update(block));
    let (low, high) = ratios.interval(0.05);
    object(json!({
        "log_e_two_stream": course(TwoStream::new(prior(input)), &blocks),
        "log_e_rate_ratio": course(RateRatio::new(1.0), &blocks),
        "log_e_rate_ratio_r0_1_5": course(RateRatio::new(1.5), &blocks),
        "rate_ratio_cs95": if blocks.is_empty() { json!([]) } else { list([low, high]) },
    }))
}

pub fn margin(input: &Value) -> Map<String, Value> {
    let (delta, alternatives) = (f(input, "delta"), numbers(&input["alternatives"]));
    let side = if alternatives.iter().all(|&a| a > delta) { Side::Abort } else { Side::Promote };
    object(json!({ "log_e": course(Margin::new(side, delta, &alternatives, prior(input)), &blocks(input)) }))
}

pub fn split(input: &Value) -> Map<String, Value> {
    let mut split = Split::new(&numbers(&input["weights"]));
    let counts = input["counts"].as_array().unwrap();
    let logs = counts.iter().map(|counts| {
        let counts: Vec<u64> =
            counts.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
        split.update(&counts);
        split.log_e()
    });
    object(json!({ "log_e": list(logs) }))
}

pub fn rate_cs(input: &Value) -> Map<String, Value> {
    let arm = Arm::new(input["events"].as_u64().unwrap(), input["n"].as_u64().unwrap());
    let (low, high) = interval::rate(arm, f(input, "alpha"));
    object(json!({ "cs": list([low, high]) }))
}

pub fn ranks_of_quantile(input: &Value) -> Map<String, Value> {
    let (low, high) = quantile::ranks(input["n"].as_u64().unwrap(), f(input, "p"), f(input, "alpha"));
    object(json!({ "k_low": low, "k_high": high }))
}

pub fn msprt(input: &Value) -> Map<String, Value> {
    let arm = |name: &str| Arm::new(input[name][0].as_u64().unwrap(), input[name][1].as_u64().unwrap());
    let found = reference::msprt(arm("canary"), arm("baseline"), f(input, "tau"), f(input, "alpha"));
    object(json!({
        "diff": found.diff, "log_lambda": found.log_lambda, "half_width": number_json(found.half_width),
    }))
}

pub fn mean_cs(input: &Value) -> Map<String, Value> {
    let mut mean = interval::MeanInterval::new(f(input, "alpha"));
    let ends: Vec<(f64, f64)> = numbers(&input["x"])
        .into_iter()
        .map(|x| {
            mean.update(x);
            mean.interval()
        })
        .collect();
    let at: Vec<(f64, f64)> = numbers(&input["at"]).into_iter().map(|at| ends[at as usize - 1]).collect();
    object(json!({ "lower": list(at.iter().map(|end| end.0)), "upper": list(at.iter().map(|end| end.1)) }))
}

pub fn normal_mixture(input: &Value) -> Map<String, Value> {
    use reference::normal_mixture::{log_two_sided, one_sided, two_sided};
    let (v, v_opt, alpha, best) =
        (f(input, "v"), f(input, "v_opt"), f(input, "alpha"), f(input, "alpha_opt"));
    object(json!({
        "two_sided": two_sided(v, v_opt, alpha, best),
        "one_sided": one_sided(v, v_opt, alpha, best),
        "log_mixture_two_sided_s10": log_two_sided(10.0, v, v_opt, best),
    }))
}

pub fn band(input: &Value) -> Map<String, Value> {
    let bound =
        reference::distribution_band(f(input, "t"), f(input, "alpha"), f(input, "t_min"), f(input, "A"));
    object(json!({ "bound": bound }))
}

pub fn rank(input: &Value) -> Map<String, Value> {
    let instances = input["baseline_instances"].as_u64().unwrap();
    let mut ranks = Ranks::default();
    let logs = input["blocks"].as_array().unwrap().iter().map(|block| {
        let (worse, ties) = (block[0].as_u64().unwrap(), block[1].as_u64().unwrap());
        ranks.update(instances, RankBlock { worse, ties, drawn: block[2].as_f64().unwrap() });
        ranks.log_e()
    });
    object(json!({ "log_e": list(logs) }))
}

pub fn stages(input: &Value) -> Map<String, Value> {
    let starts: Vec<usize> =
        numbers(&input["stage_starts"]).into_iter().map(|start| start as usize).collect();
    let mut mixture = Staged::new(RateRatio::new(1.0), starts.len());
    let logs = blocks(input).into_iter().enumerate().map(|(place, block)| {
        if starts.contains(&place) {
            mixture.begin_stage();
        }
        mixture.update(&block);
        mixture.log_e()
    });
    object(json!({ "log_e": list(logs) }))
}

pub fn mean(input: &Value) -> Map<String, Value> {
    object(json!({ "log_mean_e": log_mean_exp(&numbers(&input["log_e"])) }))
}

pub fn effective_margin(input: &Value) -> Map<String, Value> {
    let found = quantile::effective_margin(&numbers(&input["bounds"]), f(input, "tau"), f(input, "margin"));
    object(json!({
        "abort_bound": number_json(found.abort_bound), "abort_effective": number_json(found.abort),
        "promote_bound": number_json(found.promote_bound), "promote_effective": number_json(found.promote),
    }))
}
