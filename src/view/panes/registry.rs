//! What the registries say: versions, aliases, stages, metrics, and where they disagree.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::brush::{Brush, Row, row};
use super::{Cx, registry_compare, silence};
use crate::domain::{Kpi, Level, RegisteredModel, RegisteredVersion, SourceGroup};
use crate::store::ModelState;
use crate::view::look::Role;
use crate::view::text;

/// Metrics worth a column, the most telling first: names as trainers write them, and the heading.
const METRICS: [(&[&str], &str); 8] = [
    (&["auc", "auc_roc", "roc_auc", "auroc"], "AUC"),
    (&["accuracy", "acc"], "ACC"),
    (&["r2", "r2_score"], "R²"),
    (&["rmse", "root_mean_squared_error"], "RMSE"),
    (&["f1", "f1_score"], "F1"),
    (&["precision", "precision_score"], "PREC"),
    (&["sensitivity", "recall", "recall_score"], "SENS"),
    (&["mae", "mean_absolute_error"], "MAE"),
];

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.selected(&mut brush) else { return };
    if model.registry.is_empty() {
        let rows = brush.rows();
        brush.paragraph(0, rows, &absence(cx, model), Role::Dim);
        return;
    }
    let columns = brush.columns();
    let mut rows: Vec<Row> = disagreement(cx, model).into_iter().collect();
    for (id, entry) in &model.registry {
        if let Some(trouble) = cx.store.source(id).and_then(|source| silence::trouble(cx, source)) {
            let (mark, ink) = cx.look.level(Level::Unknown);
            rows.push(row().at(0, format!("{mark} {trouble}: this is what it said before"), ink).row());
        }
        if model.registry.len() > 1 {
            rows.push(row().at(0, format!("{id}  {}", entry.name), cx.look.style(Role::Strong)).row());
        }
        rows.extend(versions(cx, entry, columns));
        if cx.zoomed {
            rows.push(Vec::new());
            rows.extend(registry_compare::rows(cx, entry, columns));
            rows.push(Vec::new());
        }
    }
    brush.list(0, &rows, if cx.zoomed { cx.app.pane_offset.into() } else { 0 });
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    let Some(model) = cx.model else { return String::new() };
    let mut words = vec![model.id.to_string()];
    let ids: Vec<String> = model.registry.keys().map(ToString::to_string).collect();
    if !ids.is_empty() {
        words.push(ids.join(", "));
    }
    if let [entry] = model.registry.values().collect::<Vec<_>>().as_slice() {
        words.push(format!("{} versions", entry.versions.len()));
    }
    words.join(" · ")
}

/// `mlflow says 3, files say 1.2.0: they disagree`
fn disagreement(cx: &Cx, model: &ModelState) -> Option<Row> {
    let said = model.disagreement()?;
    let words: Vec<String> = said.iter().map(|(id, version)| format!("{id} says {version}")).collect();
    let (mark, ink) = cx.look.level(Level::Warning);
    Some(row().at(0, format!("{mark} {}: they disagree about production", words.join(", ")), ink).row())
}

/// The table of one registry.
fn versions(cx: &Cx, entry: &RegisteredModel, columns: usize) -> Vec<Row> {
    let (head, dim) = (cx.look.style(Role::Heading), cx.look.style(Role::Dim));
    if entry.versions.is_empty() {
        return vec![row().at(0, "it knows the model, but no versions of it", dim).row()];
    }
    let at = Columns::of(columns, entry);
    let mut heading =
        row().at(2, "VERSION", head).at(at.aliases, "ALIASES", head).at(at.stage, "STAGE", head);
    if let Some(x) = at.created {
        heading = heading.at(x, "CREATED", head);
    }
    for (place, (_, words)) in at.metrics.iter().enumerate() {
        heading = heading.before(at.first_metric + 7 * (place + 1), 6, words, head);
    }
    if let Some(x) = at.tags {
        heading = heading.at(x, "TAGS", head);
    }
    let mut rows = vec![heading.row()];
    rows.extend(in_order(entry, cx.zoomed).map(|version| one_version(cx, entry, version, &at)));
    rows
}

/// The newest first; where few lines have room, those that an alias or production names before all others.
fn in_order(entry: &RegisteredModel, zoomed: bool) -> impl Iterator<Item = &RegisteredVersion> {
    let named = |version: &RegisteredVersion| {
        let aliased = entry.aliases.values().any(|other| *other == version.version);
        aliased || entry.production.as_ref() == Some(&version.version)
    };
    let (first, rest): (Vec<_>, Vec<_>) =
        entry.versions.iter().partition(|version| !zoomed && named(version));
    first.into_iter().chain(rest)
}

/// Where the columns lie.
struct Columns {
    aliases: usize,
    stage: usize,
    created: Option<usize>,
    first_metric: usize,
    metrics: Vec<(&'static [&'static str], &'static str)>,
    tags: Option<usize>,
}

impl Columns {
    fn of(columns: usize, entry: &RegisteredModel) -> Self {
        let names = entry.versions.iter().map(|version| text::width(version.version.as_str())).max();
        let aliases = 2 + names.unwrap_or(0).clamp(7, 14) + 1;
        let widest = |version: &RegisteredVersion| text::width(&aliases_of(entry, version));
        let stage = aliases + entry.versions.iter().map(widest).max().unwrap_or(0).clamp(7, 20) + 1;
        let created = (columns >= stage + 24).then_some(stage + 12);
        let first_metric = created.map_or(stage + 12, |x| x + 11);
        let room = columns.saturating_sub(first_metric) / 7;
        let known = |names: &[&str]| entry.versions.iter().any(|version| metric(version, names).is_some());
        let metrics: Vec<_> =
            METRICS.into_iter().filter(|(names, _)| known(names)).take(room.min(3)).collect();
        let end = first_metric + 7 * metrics.len() + 2;
        let has_tags = entry.versions.iter().any(|version| !version.tags.is_empty());
        Self {
            aliases,
            stage,
            created,
            first_metric,
            metrics,
            tags: (has_tags && columns >= end + 10).then_some(end),
        }
    }
}

fn one_version(cx: &Cx, entry: &RegisteredModel, version: &RegisteredVersion, at: &Columns) -> Row {
    let is_production = entry.production.as_ref() == Some(&version.version);
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let (mark, name) =
        if is_production { (cx.look.glyphs().selected, cx.look.style(Role::Strong)) } else { ("", plain) };
    let stage = stage_of(version, is_production);
    let broken = version.status.to_ascii_lowercase().contains("fail");
    let stage_ink = match (broken, is_production) {
        (true, _) => cx.look.style(Role::Warning),
        (false, true) => plain,
        (false, false) => dim,
    };
    let mut cells = row()
        .at(0, mark, name)
        .at(2, version.version.to_string(), name)
        .at(at.aliases, aliases_of(entry, version), plain)
        .at(at.stage, stage, stage_ink);
    if let Some(x) = at.created {
        let date = version.created.map(|at| at.format("%Y-%m-%d").to_string());
        cells = cells.at(x, date.unwrap_or_else(|| "–".into()), dim);
    }
    for (place, (names, _)) in at.metrics.iter().enumerate() {
        let value = metric(version, names).map_or_else(|| "–".into(), |value| Kpi::Accuracy.format(value));
        cells = cells.before(at.first_metric + 7 * (place + 1), 6, &value, plain);
    }
    if let Some(x) = at.tags {
        cells = cells.at(x, pairs(version.tags.iter()), dim);
    }
    cells.row()
}

/// The stage, else the status; production when only the registry's alias says so.
fn stage_of(version: &RegisteredVersion, is_production: bool) -> String {
    let ready = version.status.is_empty() || version.status.eq_ignore_ascii_case("ready");
    match (version.stage.as_str(), ready) {
        ("" | "None", true) if is_production => "production".into(),
        ("" | "None", _) => version.status.to_lowercase(),
        (stage, true) => stage.to_lowercase(),
        (stage, false) => format!("{} {}", stage.to_lowercase(), version.status.to_lowercase()),
    }
}

/// `champion, blue`
fn aliases_of(entry: &RegisteredModel, version: &RegisteredVersion) -> String {
    let mine = entry.aliases.iter().filter(|(_, of)| **of == version.version);
    mine.map(|(alias, _)| alias.as_str()).collect::<Vec<_>>().join(", ")
}

/// A metric by any of its names, whatever their case.
fn metric(version: &RegisteredVersion, names: &[&str]) -> Option<f64> {
    let named = |name: &str| version.metrics.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    names.iter().find_map(|name| named(name)).map(|(_, value)| *value)
}

/// `team=imaging run=7f3a`
fn pairs<'a>(tags: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let one = |(key, value): (&String, &String)| match value.is_empty() {
        true => key.clone(),
        false => format!("{key}={value}"),
    };
    tags.map(one).collect::<Vec<_>>().join(" ")
}

/// Why there is nothing to show.
fn absence(cx: &Cx, model: &ModelState) -> String {
    let mut registries =
        cx.store.sources.iter().filter(|source| source.info.group == SourceGroup::Registry).peekable();
    if registries.peek().is_none() {
        return "No model registry is configured.".into();
    }
    let said = registries.map(|source| match (&source.fault, source.seen) {
        (Some(fault), _) => format!("{} {}", source.info.id, fault.kind.word()),
        (None, Some(_)) => format!("{} does not know {}", source.info.id, model.id),
        (None, None) => format!("{} has not answered so far", source.info.id),
    });
    format!("No versions: {}.", said.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Version;

    #[test]
    fn stages_and_metrics_are_found() {
        let mut version = RegisteredVersion::named(Version::new("3"));
        version.status = "READY".into();
        assert_eq!(stage_of(&version, true), "production");
        assert_eq!(stage_of(&version, false), "ready");
        version.stage = "Staging".into();
        assert_eq!(stage_of(&version, false), "staging");
        version.status = "FAILED_REGISTRATION".into();
        assert_eq!(stage_of(&version, false), "staging failed_registration");
        version.metrics.insert("ROC_AUC".into(), 0.912);
        assert_eq!(metric(&version, METRICS[0].0), Some(0.912));
    }
}
