//! `wardroom drift`: compares two files of samples, for scripts and for a first look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{Common, DriftArgs, Output};
use super::{UNKNOWN, logging, out};
use crate::domain::DriftLevel;
use crate::domain::drift::Certainty;
use crate::domain::text::clean_name;
use crate::drift::{Assessed, Groups, Method, Prepared, Reference, Report, compare};
use crate::samples::{Options, SampleError, Table, read};

/// The whole answer.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    level: Option<DriftLevel>,
    exit_code: u8,
    verdict: String,
    reference: FileAnswer,
    current: FileAnswer,
    remarks: Vec<String>,
    features: Vec<FeatureAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct FileAnswer {
    path: PathBuf,
    rows: u64,
    features: usize,
    ragged_rows: u64,
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct FeatureAnswer<'a> {
    #[serde(flatten)]
    said: &'a Assessed,
    act_within_days: Option<i64>,
    verdict: String,
}

/// Runs it.
///
/// # Errors
/// A file that cannot be read, a method or a file of groups that is wrong: exit code 3.
pub fn run(common: &Common, options: &DriftArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let methods = Method::list(&options.method).map_err(|what| format!("--method: {what}"))?;
    let groups = options.groups.as_deref().map_or_else(|| Ok(Groups::default()), read_groups)?;
    let (reference, current) = read_both(&options.reference, &options.current)?;
    let files = [about(&options.reference, &reference), about(&options.current, &current)];
    let remarks = ungrouped(&groups, &reference, &current);
    let (reference, current) = (Reference::new(reference), Prepared::all(current));
    let report = compare(&reference, &current, &methods, &groups);
    let level = report.level();
    let exit_code = exit_code(level);
    let [reference, current] = files;
    let features = worst_first(&report).into_iter().map(|said| FeatureAnswer {
        said,
        act_within_days: said.alerting().and_then(DriftLevel::days),
        verdict: said.verdict(),
    });
    let features = features.collect();
    let verdict = verdict(&report, exit_code);
    let answer = Answer { level, exit_code, verdict, reference, current, remarks, features };
    match options.output {
        Output::Json => out::say(&serde_json::to_string(&answer).map_err(|error| error.to_string())?),
        Output::Table => out::say(&table(&answer)),
    }
    Ok(exit_code)
}

fn exit_code(level: Option<DriftLevel>) -> u8 {
    match level {
        None => UNKNOWN,
        Some(DriftLevel::Minimal | DriftLevel::Low) => 0,
        Some(DriftLevel::Moderate) => 1,
        Some(DriftLevel::High | DriftLevel::Critical) => 2,
    }
}

/// Reads both files at the same time.
fn read_both(reference: &Path, current: &Path) -> Result<(Table, Table), String> {
    // What is caught in the Parquet reader becomes an error with a remedy; its panic is no news.
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !crate::samples::is_contained() {
            before(info);
        }
    }));
    let options = Options::default();
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| read(reference, &options));
        let second = read(current, &options);
        (first.join(), second)
    });
    let first = first.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let told = |which: &str, error: SampleError| format!("--{which} {error}");
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(error), Ok(_)) => Err(told("reference", error)),
        (Ok(_), Err(error)) => Err(told("current", error)),
        (Err(a), Err(b)) => Err(format!("{}\n{}", told("reference", a), told("current", b))),
    }
}

fn about(path: &Path, table: &Table) -> FileAnswer {
    let mut remarks = table.remarks.clone();
    if table.ragged > 0 {
        remarks.insert(
            0,
            format!(
                "{} of {} rows have more or fewer cells than the header: cells they lack are missing",
                table.ragged, table.rows
            ),
        );
    }
    if table.columns.is_empty() || table.rows == 0 {
        remarks.push("it holds no row of samples: write some below the header".into());
    }
    FileAnswer {
        path: path.into(),
        rows: table.rows,
        features: table.columns.len(),
        ragged_rows: table.ragged,
        remarks,
    }
}

/// `{"sensor": ["spo2", "pulse"]}` as JSON, or `sensor = ["spo2", "pulse"]` as TOML.
fn read_groups(path: &Path) -> Result<Groups, String> {
    let wrong = |what: String, remedy: &str| Err(format!("--groups {}: {what}; {remedy}", path.display()));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return wrong(format!("cannot be read: {error}"), "check the path and its rights"),
    };
    let remedy = "write each group with its features: sensor = [\"spo2\", \"pulse\"]";
    let lists: Result<BTreeMap<String, Vec<String>>, String> = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message().trim())
        })
    };
    match lists.and_then(|lists| Groups::new(&lists)) {
        Ok(groups) => Ok(groups),
        Err(what) => wrong(what, remedy),
    }
}

/// Features of groups that no file has: mostly a typing error.
fn ungrouped(groups: &Groups, reference: &Table, current: &Table) -> Vec<String> {
    let names: BTreeSet<&str> =
        reference.columns.iter().chain(&current.columns).map(|column| &*column.name).collect();
    let mut lost: Vec<&str> = groups.features().filter(|name| !names.contains(name)).collect();
    lost.sort_unstable();
    lost.iter().map(|name| format!("the groups name \"{}\", which no file has", clean_name(name))).collect()
}

/// By group, the group with the worst feature first, and in it the worst feature first.
fn worst_first(report: &Report) -> Vec<&Assessed> {
    // What has no score but changed its schema stands above what is minimal.
    let rank = |said: &Assessed| match said.score {
        Some(score) => score,
        None if said.status.is_schema_change() => 0.05,
        None => -1.0,
    };
    let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
    for said in &report.features {
        let place = worst.entry(&said.group).or_insert(f64::NEG_INFINITY);
        *place = place.max(rank(said));
    }
    let order = |a: f64, b: f64| b.total_cmp(&a);
    let mut all: Vec<&Assessed> = report.features.iter().collect();
    all.sort_by(|a, b| {
        let of = |said: &Assessed| worst.get(&*said.group).copied().unwrap_or_default();
        order(of(a), of(b)).then_with(|| a.group.cmp(&b.group)).then_with(|| order(rank(a), rank(b)))
    });
    all
}

fn verdict(report: &Report, exit_code: u8) -> String {
    let count =
        |wanted: &dyn Fn(&Assessed) -> bool| report.features.iter().filter(|said| wanted(said)).count();
    let odd = count(&|said| said.score.is_none());
    let without = if odd > 0 { format!("; {odd} without a score") } else { String::new() };
    if exit_code == UNKNOWN {
        return format!("nothing could be computed{without}: compare files with common features and rows");
    }
    let worst = report
        .features
        .iter()
        .filter(|said| said.alerting().is_some_and(|level| level >= DriftLevel::Low))
        .max_by(|a, b| {
            a.alerting().cmp(&b.alerting()).then(a.score.unwrap_or(0.0).total_cmp(&b.score.unwrap_or(0.0)))
        });
    let tentative = count(&|said| said.certainty == Some(Certainty::Tentative));
    let unsure = if tentative > 0 { format!("; {tentative} not certain yet") } else { String::new() };
    match worst {
        None => format!("no confirmed drift: keep watching{unsure}{without}"),
        Some(worst) => {
            let same = count(&|said| said.alerting() == worst.alerting());
            let name = clean_name(&worst.feature);
            format!(
                "{}; {same} of {} at this level, the worst is {name}{unsure}{without}",
                worst.verdict(),
                report.features.len()
            )
        }
    }
}

fn table(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    let mut group = None;
    let longest = answer.features.iter().map(|one| clean_name(&one.said.feature).chars().count()).max();
    let width = longest.unwrap_or(0).clamp(7, 40);
    if !answer.features.is_empty() {
        text.push_str(&format!(
            "{:<9} {:<width$} {:>6} {:<11} {:>9} {:>9}  {}\n",
            "LEVEL", "FEATURE", "SCORE", "METHOD", "REFERENCE", "CURRENT", "VERDICT"
        ));
    }
    for one in &answer.features {
        let said = one.said;
        if group != Some(&said.group) && !(group.is_none() && said.group.is_empty()) {
            let name = if said.group.is_empty() { "(no group)" } else { &said.group };
            text.push_str(&format!("{name}\n"));
        }
        group = Some(&said.group);
        let level = match (said.level, said.certainty) {
            (Some(_), Some(Certainty::Noise)) => "~minimal".to_owned(),
            (Some(level), Some(Certainty::Tentative)) => format!("{}?", level.word()),
            (Some(level), _) => level.word().to_owned(),
            (None, _) => "--".to_owned(),
        };
        let score = said.score.map_or("--".to_owned(), |score| format!("{:.1} %", 100.0 * score));
        let (name, method) = (clean_name(&said.feature), said.method.word());
        text.push_str(&format!(
            "{level:<9} {name:<width$} {score:>6} {method:<11} {:>9} {:>9}  {}\n",
            said.n_reference, said.n_current, one.verdict
        ));
        // The reason of a missing score stands in the verdict already.
        for remark in said.remarks.iter().skip(usize::from(said.score.is_none())) {
            text.push_str(&format!("{:<9} {:<width$} {remark}\n", "", ""));
        }
    }
    for file in [&answer.reference, &answer.current] {
        for remark in &file.remarks {
            text.push_str(&format!("{}: {remark}\n", file.path.display()));
        }
    }
    for remark in &answer.remarks {
        text.push_str(&format!("{remark}\n"));
    }
    text.push_str(&format!("{} (exit {})", answer.verdict, answer.exit_code));
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
