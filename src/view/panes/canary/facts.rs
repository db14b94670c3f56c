//! What the controller tells beside weights: who moves it, revisions, analyses, conditions; and what of it must be seen.

use ratatui::style::Style;

use super::super::Cx;
use super::super::brush::{Row, row, wrap};
use super::steps;
use crate::domain::{Analysis, Level, Revision, Rollout, registry};
use crate::store::ModelState;
use crate::view::look::Role;
use crate::view::text;

/// Where the words after a label begin.
const WORDS: usize = 12;

/// What must be seen even in a small pane: mark, words and style, the worst first.
pub fn notes(cx: &Cx, model: &ModelState) -> Vec<(&'static str, String, Style)> {
    let mut notes: Vec<(Level, String)> = Vec::new();
    if let Some(rollout) = &model.rollout {
        let abnormal = rollout.conditions.iter().filter(|condition| condition.level >= Level::Unknown);
        notes.extend(abnormal.map(|condition| (condition.level, condition.text.clone())));
        let bad =
            rollout.revisions.iter().find(|revision| revision.is_canary && !revision.known_bad.is_empty());
        notes.extend(
            bad.map(|bad| (Level::Warning, format!("{} is known to be bad: {}", bad.name(), bad.known_bad))),
        );
        notes.extend(disagreement(model).map(|words| (Level::Warning, words)));
        if is_stepped(rollout) && rollout.is_live() {
            let words = format!("driven by this session; frozen at {:.0} % when it stops", rollout.asked);
            notes.push((Level::Ok, words));
        }
    }
    if let Some(armed) = cx.app.armed.get(&model.id) {
        notes.push((Level::Ok, armed.clone()));
    }
    notes.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    let drawn = |(level, words): (Level, String)| match level {
        Level::Ok => ("", words, cx.look.style(Role::Text)),
        level => {
            let (mark, style) = cx.look.level(level);
            (mark, words, style)
        }
    };
    notes.into_iter().map(drawn).collect()
}

fn is_stepped(rollout: &Rollout) -> bool {
    rollout.target.as_ref().is_some_and(|target| target.kind.is_stepped_by_us())
}

/// Where a registry's production version is not the one that serves: `mlflow calls 1.1.0 production, the rollout
/// serves 1.2.0`.
pub fn disagreement(model: &ModelState) -> Option<String> {
    let rollout = model.rollout.as_ref()?;
    model
        .registry
        .iter()
        .find_map(|(id, entry)| registry::disagreement(rollout, entry).map(|words| format!("{id} {words}")))
}

/// Everything that the controller tells, for the zoomed pane.
pub fn rows(cx: &Cx, model: &ModelState, columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some(rollout) = &model.rollout else { return rows };
    identity(cx, model, rollout, columns, &mut rows);
    for (head, block) in [
        ("STEPS", ladder(cx, rollout)),
        ("REVISIONS", revisions(cx, rollout, columns)),
        ("ANALYSES", analyses(cx, rollout, columns)),
        ("CONDITIONS", conditions(cx, rollout, columns)),
    ] {
        if !block.is_empty() {
            rows.push(Vec::new());
            rows.push(row().at(0, head, cx.look.style(Role::Heading)).row());
            rows.extend(block);
        }
    }
    rows
}

fn identity(cx: &Cx, model: &ModelState, rollout: &Rollout, columns: usize, rows: &mut Vec<Row>) {
    let style = |role| cx.look.style(role);
    let mut fact = |label: &str, words: &str, role: Role| {
        for (line, words) in wrap(words, columns.saturating_sub(WORDS)).into_iter().enumerate() {
            let label = if line == 0 { label } else { "" };
            rows.push(row().at(0, label, style(Role::Dim)).at(WORDS, words, style(role)).row());
        }
    };
    match &rollout.target {
        Some(target) => fact("controller", &format!("{}  {target}", target.kind.word()), Role::Text),
        None => fact("controller", &format!("{}, only read", rollout.controller), Role::Text),
    }
    fact("stands", &steps::state_words(cx, rollout, rollout.situation.word()), Role::Text);
    fact("says", &rollout.message, Role::Text);
    fact("owner", &rollout.owner, Role::Text);
    fact("scaled by", &rollout.autoscaler, Role::Text);
    fact("automatic", cx.app.armed.get(&model.id).map_or("off", |armed| armed), Role::Text);
    if is_stepped(rollout) {
        let words = format!("driven by this session; frozen at {:.0} % when it stops", rollout.asked);
        fact("steps", &words, Role::Text);
    }
    let registries = model.registry.iter().filter_map(|(id, entry)| Some((id, entry.production.as_ref()?)));
    for (id, production) in registries {
        fact("registry", &format!("{id}: {production} in production"), Role::Text);
    }
    if let Some(words) = disagreement(model) {
        let (mark, warning) = cx.look.level(Level::Warning);
        for words in wrap(&format!("{mark} {words}"), columns.saturating_sub(WORDS)) {
            rows.push(row().at(WORDS, words, warning).row());
        }
    }
}

/// A line a step: weight, pause, what runs at it.
fn ladder(cx: &Cx, rollout: &Rollout) -> Vec<Row> {
    let glyphs = cx.look.glyphs();
    let line = |(place, step): (usize, &crate::domain::Step)| {
        let (mark, role) = match place.cmp(&rollout.step) {
            std::cmp::Ordering::Less => (glyphs.ok, Role::Dim),
            std::cmp::Ordering::Equal if rollout.is_live() => (glyphs.bar_head, Role::Text),
            _ => (glyphs.dot, Role::Dim),
        };
        let ink = cx.look.style(if mark == glyphs.bar_head { Role::Canary } else { Role::Dim });
        let pause = match step.pause_s {
            Some(seconds) if seconds > 0.0 => format!("pause {}", text::age(seconds)),
            Some(_) => String::new(),
            None => "waits for a person".into(),
        };
        row()
            .at(0, mark, ink)
            .at(2, format!("{:.0} %", step.weight), cx.look.style(role))
            .at(WORDS, pause, cx.look.style(Role::Dim))
            .at(WORDS + 20, step.runs.clone(), cx.look.style(role))
            .row()
    };
    rollout.steps.iter().enumerate().map(line).collect()
}

fn revisions(cx: &Cx, rollout: &Rollout, columns: usize) -> Vec<Row> {
    let style = |role| cx.look.style(role);
    let widest = rollout.revisions.iter().map(|revision| text::width(&revision.name())).max().unwrap_or(0);
    let age_at = widest.clamp(5, 24) + 2;
    let mut rows = Vec::new();
    for revision in &rollout.revisions {
        let tone = if revision.is_stable || revision.is_canary { Role::Text } else { Role::Dim };
        let age = revision.created.map_or_else(
            || cx.look.glyphs().none.to_owned(),
            |at| text::age((cx.app.now - at).as_seconds_f64()),
        );
        let role = if revision.is_canary { Role::Canary } else { Role::Dim };
        let pods = match revision.pods {
            (0, 0) => String::new(),
            (ready, wanted) => format!("pods {ready}/{wanted}"),
        };
        let pods_ink = if revision.pods.0 < revision.pods.1 { Role::Warning } else { Role::Dim };
        rows.push(
            row()
                .at(0, revision.name(), style(tone))
                .at(age_at, age, style(Role::Dim))
                .at(age_at + 8, place(revision), style(role))
                .at(age_at + 16, pods, style(pods_ink))
                .at(age_at + 27, revision.images.join(" "), style(Role::Dim))
                .row(),
        );
        if !revision.known_bad.is_empty() {
            let words = format!("{} known bad: {}", cx.look.glyphs().critical, revision.known_bad);
            for words in wrap(&words, columns.saturating_sub(2)) {
                rows.push(row().at(2, words, style(Role::Critical)).row());
            }
        }
    }
    rows
}

fn place(revision: &Revision) -> &'static str {
    match (revision.is_stable, revision.is_canary) {
        (true, _) => "stable",
        (false, true) => "canary",
        (false, false) => "",
    }
}

/// How a controller's word for an analysis is drawn.
fn phase(cx: &Cx, word: &str) -> (&'static str, Style) {
    let level = match word.to_ascii_lowercase().as_str() {
        "failed" | "error" => Level::Critical,
        "inconclusive" => Level::Warning,
        _ => return ("", cx.look.style(Role::Dim)),
    };
    cx.look.level(level)
}

fn analyses(cx: &Cx, rollout: &Rollout, columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for analysis in &rollout.analyses {
        rows.extend(one_analysis(cx, analysis, columns));
    }
    rows
}

fn one_analysis(cx: &Cx, analysis: &Analysis, columns: usize) -> Vec<Row> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let (mark, ink) = phase(cx, &analysis.phase);
    let state = format!("{mark} {}", analysis.phase.to_lowercase());
    let mut rows = vec![
        row()
            .at(0, analysis.name.clone(), plain)
            .at(26, analysis.kind.clone(), dim)
            .at(38, state.trim_start(), ink)
            .row(),
    ];
    for words in wrap(&analysis.message, columns.saturating_sub(2)) {
        rows.push(row().at(2, words, if mark.is_empty() { dim } else { ink }).row());
    }
    for metric in &analysis.metrics {
        let (seen, failed, may) = metric.counts;
        let limit = may.map_or_else(|| "any may fail".to_owned(), |may| format!("{may} may fail"));
        let (mark, ink) = phase(cx, &metric.phase);
        let state = format!("{mark} {}", metric.phase.to_lowercase());
        let counts = (format!("{failed} of {seen} failed, {limit}"), if failed > 0 { plain } else { dim });
        let cells = row().at(2, metric.name.clone(), dim).at(20, metric.value.clone(), plain);
        if columns >= 100 {
            let cells = cells.at(30, metric.limit.clone(), dim).at(54, counts.0, counts.1);
            rows.push(cells.at(82, state.trim_start(), ink).row());
        } else {
            rows.push(cells.at(30, metric.limit.clone(), dim).row());
            rows.push(row().at(20, counts.0, counts.1).at(48, state.trim_start(), ink).row());
        }
    }
    rows
}

fn conditions(cx: &Cx, rollout: &Rollout, columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for condition in &rollout.conditions {
        let (mark, style) = cx.look.level(condition.level);
        let style = if condition.level >= Level::Unknown { style } else { cx.look.style(Role::Dim) };
        for (line, words) in wrap(&condition.text, columns.saturating_sub(2)).into_iter().enumerate() {
            rows.push(row().at(0, if line == 0 { mark } else { "" }, style).at(2, words, style).row());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;
    use crate::domain::{RegisteredModel, RegisteredVersion, SourceId, Version};

    #[test]
    fn a_registry_disagrees_by_what_it_means() {
        let mut model = fixture::rich().model(&fixture::id()).unwrap().clone();
        let says = |model: &mut ModelState, production: &str, tag: &str| {
            let mut version = RegisteredVersion::named(Version::new(production));
            version.tags.insert("image".into(), tag.into());
            let production = Some(Version::new(production));
            let entry = RegisteredModel { production, versions: vec![version], ..RegisteredModel::default() };
            model.registry = [(SourceId::new("mlflow"), entry)].into();
            disagreement(model)
        };
        assert_eq!(says(&mut model, "1.2.0", ""), None);
        assert_eq!(says(&mut model, "v1.2.0", ""), None);
        assert_eq!(says(&mut model, "12", "1.2.0"), None, "a number with the name in a tag");
        assert_eq!(
            says(&mut model, "12", "1.1.0").unwrap(),
            "mlflow calls 12 production, the rollout serves 1.2.0"
        );
    }
}
