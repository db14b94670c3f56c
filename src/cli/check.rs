//! `wardroom check`: judges the fleet once, for scripts and monitoring.

use serde::Serialize;

use super::args::{CheckArgs, Common, Output};
use super::{logging, out, settings, stage};
use crate::domain::{Judgement, Level, ModelId};
use crate::store::{ModelState, Store};

/// The whole answer.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    level: Level,
    exit_code: u8,
    time: String,
    environment: &'a str,
    window: String,
    models: Vec<ModelAnswer<'a>>,
    sources: Vec<SourceAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct ModelAnswer<'a> {
    model: &'a str,
    namespace: &'a str,
    kind: &'static str,
    level: Level,
    why: &'a str,
    version: Option<&'a str>,
    canary: Option<&'a str>,
    kpis: Vec<KpiAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct KpiAnswer<'a> {
    id: &'static str,
    level: Level,
    value: Option<f64>,
    unit: &'static str,
    samples: Option<u64>,
    limit: Option<f64>,
    rule: Option<String>,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct SourceAnswer<'a> {
    source: &'a str,
    kind: &'a str,
    place: &'a str,
    answered: bool,
    took_ms: f64,
    fault: Option<String>,
    remarks: Vec<&'a str>,
}

/// Runs it.
///
/// # Errors
/// A config that is wrong, a model that is not in it, a source that cannot be set up: exit code 3.
pub fn run(common: &Common, options: &CheckArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let window =
        options.since.iter().map(|since| ("window".into(), since.clone(), "flag --since".into())).collect();
    let loaded = settings::load_with(common, window).map_err(|error| error.to_string())?;
    let config = &loaded.config;
    for name in &options.model {
        if !config.model.iter().any(|model| &model.name == name) {
            let known: Vec<&str> = config.model.iter().take(20).map(|model| model.name.as_str()).collect();
            return Err(format!(
                "--model {name}: there is no such model in the config; it has {}",
                known.join(", ")
            ));
        }
    }
    let (store, _) = stage::one_round(config)?;
    let chosen =
        |id: &ModelId| options.model.is_empty() || options.model.iter().any(|name| **name == *id.name);
    let models: Vec<&ModelState> = store.models.iter().filter(|model| chosen(&model.id)).collect();
    let level = overall(&store, &models, options.model.is_empty());
    let answer = answer(&store, &models, level, config.window.to_string());
    match options.output {
        Output::Json => out::say(&serde_json::to_string_pretty(&answer).map_err(|error| error.to_string())?),
        Output::Table => out::say(&table(&answer)),
    }
    Ok(level.exit_code())
}

/// The worst counts: critical, warning, unknown, ok. A configured source that did not answer makes the
/// whole unknown unless something worse is known.
fn overall(store: &Store, models: &[&ModelState], all: bool) -> Level {
    let rank = |level: Level| match level {
        Level::Critical => 3,
        Level::Warning => 2,
        Level::Unknown => 1,
        Level::NotMeasured | Level::Ok | Level::BelowTarget => 0,
    };
    let silent = all && store.sources.iter().any(|source| source.seen.is_none());
    let sources = if silent || models.is_empty() { Level::Unknown } else { Level::Ok };
    models
        .iter()
        .map(|model| model.level)
        .chain([sources])
        .max_by_key(|&level| rank(level))
        .unwrap_or(Level::Unknown)
}

fn answer<'a>(store: &'a Store, models: &[&'a ModelState], level: Level, window: String) -> Answer<'a> {
    Answer {
        level,
        exit_code: level.exit_code(),
        time: stage::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        environment: &store.environment,
        window,
        models: models.iter().map(|model| model_answer(model)).collect(),
        sources: store
            .sources
            .iter()
            .map(|source| SourceAnswer {
                source: &source.info.id.0,
                kind: &source.info.kind,
                place: &source.info.place,
                answered: source.seen.is_some(),
                took_ms: (source.took_ms * 10.0).round() / 10.0,
                fault: source.fault.as_ref().map(ToString::to_string),
                remarks: source.remarks.iter().map(String::as_str).collect(),
            })
            .collect(),
    }
}

fn model_answer(model: &ModelState) -> ModelAnswer<'_> {
    ModelAnswer {
        model: &model.id.name,
        namespace: &model.id.namespace,
        kind: model.kind.word(),
        level: model.level,
        why: &model.why,
        version: model.live_version().map(crate::domain::Version::as_str),
        canary: model.canary().map(|(version, _)| version.as_str()),
        kpis: model.judgements.iter().map(kpi_answer).collect(),
    }
}

fn kpi_answer(judged: &Judgement) -> KpiAnswer<'_> {
    KpiAnswer {
        id: judged.kpi.id(),
        level: judged.level,
        value: judged.value,
        unit: judged.kpi.unit(),
        samples: judged.samples,
        limit: judged.limit,
        rule: judged.rule.as_ref().map(ToString::to_string),
        reason: &judged.reason,
    }
}

fn table(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    for model in &answer.models {
        let version = model.version.unwrap_or("–");
        text.push_str(&format!("{:<12} {}  {version}  {}\n", model.level.word(), model.model, model.why));
        for kpi in &model.kpis {
            let n = kpi.samples.map(|n| format!("n {n}")).unwrap_or_default();
            let rule = kpi.rule.as_deref().map(|rule| format!("({rule})")).unwrap_or_default();
            text.push_str(&format!(
                "  {:<13} {:<17} {:<44} {n:<9} {rule}\n",
                kpi.level.word(),
                kpi.id,
                kpi.reason
            ));
        }
    }
    for source in &answer.sources {
        if let Some(fault) = &source.fault {
            text.push_str(&format!("source {} {}  {fault}\n", source.source, source.place));
        }
    }
    text.push_str(&format!("{} (exit {})", answer.level.word(), answer.exit_code));
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
