//! `wardroom judge`: the canary judgement over recorded blocks.

use std::fmt::Write;
use std::sync::Arc;

use super::args::{Common, JudgeArgs, Output};
use super::{out, settings};
use crate::judge::record::{self, Recording};
use crate::judge::{RolloutJudge, Rules, Verdict, words};

/// Runs it.
///
/// # Errors
/// A file that cannot be read, or a line in it that is no block: exit code 3.
pub fn run(common: &Common, options: &JudgeArgs) -> Result<u8, String> {
    let rules = rules(common, options)?;
    let name = options.file.display();
    let text = if options.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin().lock()).map_err(|why| format!("standard input: {why}"))?
    } else {
        std::fs::read_to_string(&options.file).map_err(|why| {
            format!("{name}: {why}; give a file of one JSON object a line, or - for standard input")
        })?
    };
    let Recording { metrics, looks } = record::parse(&text).map_err(|why| format!("{name}: {why}"))?;
    let mut judge = RolloutJudge::new(Arc::new(rules), &metrics, 0);
    let Some(last) = looks.last().map(|look| look.at) else {
        return Err(format!("{name}: no blocks; one JSON object a line, with t, metric, arm and counts"));
    };
    let mut looks = looks.into_iter().peekable();
    while let Some(mut look) = looks.next() {
        look.share = options.share;
        judge.update(&look);
        if options.every && looks.peek().is_some() {
            print(&judge.verdict(look.at), options.output, true)?;
        }
    }
    let verdict = judge.verdict(last);
    print(&verdict, options.output, options.every)?;
    Ok(verdict.verdict.exit_code())
}

/// The rules: those of the config when one is named, with the flags on top.
fn rules(common: &Common, options: &JudgeArgs) -> Result<Rules, String> {
    let mut rules = match &common.config {
        Some(_) => settings::load(common).map_err(|error| error.to_string())?.config.judge,
        None => Rules::default(),
    };
    let set = |rule: &mut f64, flag: Option<f64>| *rule = flag.unwrap_or(*rule);
    set(&mut rules.soak_s, options.soak.map(|span| span.as_secs_f64()));
    set(&mut rules.latency_margin, options.latency_margin);
    set(&mut rules.accuracy_margin, options.accuracy_margin);
    set(&mut rules.errors_abort_margin, options.errors_margin);
    match rules.mistake() {
        Some((name, remedy)) => Err(format!("judge.{name}: it must be {remedy}")),
        None => Ok(rules),
    }
}

fn print(verdict: &Verdict, output: Output, short: bool) -> Result<(), String> {
    match output {
        Output::Json => out::say(&serde_json::to_string(verdict).map_err(|why| why.to_string())?),
        Output::Table if short => {
            out::say(&format!("{}  {}", verdict.t.format("%Y-%m-%dT%H:%M:%SZ"), verdict.line));
        }
        Output::Table => out::say(&table(verdict)),
    }
    Ok(())
}

/// The last verdict for people.
fn table(verdict: &Verdict) -> String {
    let mut text = format!("{}\n{}\n\n", verdict.t.format("%Y-%m-%dT%H:%M:%SZ"), verdict.line);
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{:<12} {:>9} {:>9}  {:<24} {:>8} {:>8}  WHY",
        "METRIC", "CANARY", "BASELINE", "EFFECT (holds always)", "WORSE", "WITHIN"
    );
    for metric in &verdict.metrics {
        let value = |value: Option<f64>| match value {
            Some(value) if metric.kind == crate::judge::MetricKind::Latency => words::latency(value),
            Some(value) => words::percent(value),
            None => "--".into(),
        };
        let effect = metric.effect.as_ref().map_or_else(|| "--".into(), words::effect_words);
        let _ = writeln!(
            text,
            "{:<12} {:>9} {:>9}  {effect:<24} {:>8} {:>8}  {}",
            metric.metric,
            value(metric.canary),
            value(metric.baseline),
            words::odds(metric.log_evidence),
            metric.log_evidence_promote.map_or_else(|| "--".into(), words::odds),
            metric.reason
        );
    }
    for note in &verdict.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}
