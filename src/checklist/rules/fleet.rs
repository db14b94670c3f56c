//! One judgement of the whole fleet from that of each model.

use crate::checklist::item::Found;
use crate::domain::{Judgement, Kpi, Level};
use crate::store::{ModelState, Store};

/// Models that are named in an evidence; more are counted.
const NAMED: usize = 4;

/// What can be said about one model.
pub enum Says {
    /// It holds; with a detail worth to be kept, usually none.
    Holds,
    /// It does not, because.
    Fails(String),
    /// It cannot be told, because.
    Silent(String),
}

/// All models must hold: one that fails decides, else one of which nothing can be told. `remedy`: what to configure
/// then.
pub fn all(store: &Store, remedy: &str, says: impl Fn(&ModelState) -> Says) -> Found {
    let total = store.models.len();
    if total == 0 {
        return Found::CannotTell("the config names no model: add [[model]]".into());
    }
    let (mut fails, mut silent) = (Vec::new(), Vec::<(String, Vec<&str>)>::new());
    for model in &store.models {
        match says(model) {
            Says::Holds => {}
            Says::Fails(why) => fails.push(format!("{} {why}", model.id.name)),
            Says::Silent(why) => match silent.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(&model.id.name),
                None => silent.push((why, vec![&model.id.name])),
            },
        }
    }
    let unknown: usize = silent.iter().map(|(_, names)| names.len()).sum();
    let count = format!("{} of {}", total - fails.len() - unknown, models(total));
    // What is lacking is mostly the same for many.
    let lacking: Vec<String> = silent.iter().map(|(why, names)| format!("{why}: {}", some(names))).collect();
    match (fails.is_empty(), unknown) {
        (true, 0) => Found::Verified(count),
        (true, _) => Found::CannotTell(format!("{count}; {}; {remedy}", named(&lacking))),
        (false, 0) => Found::NotMet(format!("{count}; {}", named(&fails))),
        (false, _) => {
            Found::NotMet(format!("{count}; {}; cannot tell of {}", named(&fails), models(unknown)))
        }
    }
}

/// `als, parkinsons, diagnosis and 7 more`
fn some(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED);
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// `1 model`, `12 models`
pub fn models(count: usize) -> String {
    if count == 1 { "1 model".into() } else { format!("{count} models") }
}

/// The first few, and how many more.
pub fn named(names: &[String]) -> String {
    let mut words = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if names.len() > NAMED {
        words.push_str(&format!("; and {} more", names.len() - NAMED));
    }
    words
}

/// These KPIs of a model by its limits: a warning fails. `any`: one that is measured is enough.
pub fn within(model: &ModelState, kpis: &[Kpi], any: bool) -> Says {
    let judged: Vec<&Judgement> = kpis.iter().filter_map(|&kpi| model.judgement(kpi)).collect();
    let bad: Vec<&str> = judged
        .iter()
        .filter(|judged| matches!(judged.level, Level::Warning | Level::Critical))
        .map(|judged| judged.reason.as_str())
        .collect();
    if !bad.is_empty() {
        return Says::Fails(bad.join(", "));
    }
    let is_measured = |kpi: Kpi| {
        let found = judged.iter().find(|judged| judged.kpi == kpi);
        found.is_some_and(|judged| !matches!(judged.level, Level::NotMeasured | Level::Unknown))
    };
    let missing: Vec<Kpi> = kpis.iter().copied().filter(|&kpi| !is_measured(kpi)).collect();
    if missing.is_empty() || (any && missing.len() < kpis.len()) {
        return Says::Holds;
    }
    let unknown = judged.iter().find(|judged| judged.level == Level::Unknown);
    Says::Silent(match unknown {
        Some(judged) => judged.reason.clone(),
        None => format!("no {}", list(&missing)),
    })
}

/// `latency p95, error rate`
pub fn list(kpis: &[Kpi]) -> String {
    kpis.iter().map(|kpi| kpi.label()).collect::<Vec<_>>().join(", ")
}
