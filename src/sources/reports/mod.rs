//! Reads drift reports: files of several tools, and the service of Evidently.

mod evidently;
mod file;
mod find;
mod method;
mod moment;
mod nannyml;
mod neutral;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod told;
mod ui;
mod value;
mod whylogs;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Config, DriftReportsConfig, Preset};
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fact, Fault, FaultKind, Kpi, SourceGroup, SourceId, SourceInfo, Time};
use crate::sources::{Source, http, lenient, model_id};

use told::Terms;

/// Reports that are looked through for one that tells drift: quality is often reported apart from it.
const MOST_SOUGHT: usize = 5;
/// A newest report older than this is told: whoever writes reports has stopped.
const OLD: chrono::TimeDelta = chrono::TimeDelta::days(2);

/// One source for each configured place of reports.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    config.drift_reports.iter().map(|reports| source(config, reports)).collect()
}

fn source(config: &Config, reports: &DriftReportsConfig) -> Result<Box<dyn Source>, Fault> {
    let models: Vec<_> = config.model.iter().map(|model| model_id(config, model)).collect();
    let unfit = |what: &str| Fault::new(FaultKind::Absent, format!("{}: {what}", reports.name));
    // The config's validation sees to it that there is a model, and a path or an URL.
    let model =
        lenient::find(&models, &clean_name(&reports.model), None).ok_or_else(|| unfit("no such model"))?;
    let terms = Terms::new(model.clone(), reports);
    let most_bytes = config.max_bytes();
    let timeout: Duration = config.deadline(reports.timeout);
    let info = |kind: &'static str, place: String| SourceInfo {
        id: SourceId::new(&reports.name),
        group: SourceGroup::Mlops,
        kind: kind.into(),
        place,
        interval_s: config.interval_s(reports.interval),
        model: None,
        owes: vec![(model.clone(), Kpi::DataDrift)],
    };
    match (&reports.path, &reports.url) {
        (Some(path), _) => {
            let info = info("drift reports", clean(&path.display().to_string(), 200));
            Ok(Box::new(file::Files::new(info, path.clone(), terms, timeout, most_bytes)))
        }
        (None, Some(url)) => {
            let server = http::Http::new(url, &reports.access, timeout, most_bytes)?;
            let project = reports.project.clone().unwrap_or_default();
            Ok(Box::new(ui::Ui::new(info("evidently", http::place(url)), server, project, terms)))
        }
        (None, None) => Err(unfit("neither path nor url")),
    }
}

/// A remark when the newest report is old.
fn aged(at: Time, now: Time) -> Option<Fact> {
    let old = now.signed_duration_since(at) > OLD;
    old.then(|| Fact::Remark(format!("the newest report is of {} UTC", at.format("%Y-%m-%d %H:%M"))))
}
