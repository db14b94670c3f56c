//! `wardroom report`: how the models did between two moments, from the history.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::args::Common;
use super::incident::{keep, place};
use super::{audit, out, stage};
use crate::domain::{Kpi, Time};
use crate::history::{self, Settings};
use crate::report::{Points, performance, performance_markdown};

/// What is said when nothing is kept of that time.
const NOTHING: u8 = 2;

/// Options of `report`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReportArgs {
    /// Since when: 24h ago, a day, or a moment such as 2026-05-04T12:00:00Z
    #[arg(long, value_name = "SPAN|TIME", value_parser = audit::moment, default_value = "24h")]
    pub from: Time,
    /// Until when; a day counts whole [default: now]
    #[arg(long, value_name = "SPAN|TIME", value_parser = until)]
    pub to: Option<Time>,
    /// Only these models (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub model: Vec<String>,
    /// The form
    #[arg(long, value_enum, default_value_t = Form::Markdown)]
    pub format: Form,
    /// Write it to this file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The folder of the history [default: history.folder, then control.folder of the config, then
    /// $XDG_STATE_HOME/wardroom]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Markdown,
    /// One JSON document.
    Json,
}

/// As [`audit::moment`]; a day is meant to its end.
fn until(text: &str) -> Result<Time, String> {
    let is_day = text.trim().parse::<chrono::NaiveDate>().is_ok();
    audit::moment(text).map(|at| if is_day { at + chrono::TimeDelta::days(1) } else { at })
}

/// Runs it: 0 written, 2 nothing is kept of that time, 3 it cannot be read.
///
/// # Errors
/// A config that is wrong, a history that cannot be read, a file that is there already.
pub fn run(common: &Common, options: &ReportArgs) -> Result<u8, String> {
    super::logging::headless(common.log_file.as_deref())?;
    let now = stage::now();
    let (from, to) = (options.from, options.to.unwrap_or(now).min(now));
    if from >= to {
        return Err("--from is not before --to; write for example --from 2026-05-04 --to 2026-05-04".into());
    }
    let settings = home(place(common, options.folder.as_deref())?.settings)?;
    let Some((_, mut models)) = history::models_at(&settings, to)? else {
        out::complain(&format!(
            "{}: nothing is kept of {} before {}; see `wardroom history`",
            crate::domain::text::clean(&settings.folder.display().to_string(), 200),
            settings.environment,
            to.format("%Y-%m-%d %H:%M:%S UTC")
        ));
        return Ok(NOTHING);
    };
    if let Some(wrong) =
        options.model.iter().find(|name| !models.iter().any(|model| *model.id.name == ***name))
    {
        let known: Vec<&str> = models.iter().take(20).map(|model| &*model.id.name).collect();
        return Err(format!("--model {wrong}: the history has no such model; it has {}", known.join(", ")));
    }
    models.retain(|model| {
        options.model.is_empty() || options.model.iter().any(|name| **name == *model.id.name)
    });
    let kpis: Vec<Kpi> = Kpi::all().collect();
    let mut series: BTreeMap<_, BTreeMap<Kpi, Points>> = BTreeMap::new();
    for kept in history::read_series(&settings, &kpis, from, to)? {
        series.entry(kept.model).or_default().insert(kept.kpi, kept.points);
    }
    let events = history::read_events(&settings, from, to)?;
    let none = BTreeMap::new();
    let found: Vec<_> = models
        .iter()
        .map(|model| performance(model, series.get(&model.id).unwrap_or(&none), &events))
        .collect();
    let text = match options.format {
        Form::Markdown => performance_markdown(&settings.environment, (from, to), now, &found),
        Form::Json => {
            let whole =
                json!({ "environment": settings.environment, "from": from, "to": to, "models": found });
            serde_json::to_string_pretty(&whole).map_err(|why| why.to_string())?
        }
    };
    match &options.out {
        None => out::say(&text),
        Some(path) => keep(path, &text)?,
    }
    Ok(0)
}

/// A history that has only one environment needs no config that names it.
fn home(settings: Settings) -> Result<Settings, String> {
    let known = history::environments(&settings.folder)?;
    match known.as_slice() {
        [only] if *only != settings.environment => Ok(Settings { environment: only.clone(), ..settings }),
        _ => Ok(settings),
    }
}
