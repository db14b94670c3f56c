//! Everything that is known of the selected model, with the limit, the rule and the age of each value.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::{Look, Role};
use super::page::{self, Row};
use super::text;
use crate::app::App;
use crate::domain::{Judgement, Level, Readiness, Rule, Time};
use crate::store::{ModelState, Store};

/// Draws the page, scrolled by `offset` lines.
pub fn draw(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look, offset: u16) {
    let model = app.selected.as_ref().and_then(|id| store.model(id));
    let rows = match model {
        Some(model) => Page { model, store, look, now: app.now }.rows(),
        None => vec![Row::of("No model is selected.", look.style(Role::Text))],
    };
    let title = model
        .map_or_else(|| "Describe".to_owned(), |model| format!("Describe {}", text::cut(&model.id.name, 40)));
    page::draw(buf, area, look, &title, &[rows], offset);
}

struct Page<'a> {
    model: &'a ModelState,
    store: &'a Store,
    look: &'a Look,
    now: Time,
}

impl Page<'_> {
    fn rows(&self) -> Vec<Row> {
        let mut rows = self.identity();
        for (head, block) in [
            ("KPIS", self.kpis()),
            ("SERVERS", self.instances()),
            ("REGISTRIES", self.registries()),
            ("ALERTS", self.alerts()),
            ("SOURCES", self.sources()),
        ] {
            if !block.is_empty() {
                rows.push(Row::default());
                rows.push(Row::of(head, self.look.style(Role::Heading)));
                rows.extend(block);
            }
        }
        rows
    }

    fn fact(&self, name: &str, value: impl Into<String>) -> Row {
        Row::of(text::pad(name, 14), self.look.style(Role::Dim)).with(value, self.look.style(Role::Text))
    }

    fn ago(&self, at: Time) -> String {
        text::age((self.now - at).as_seconds_f64())
    }

    fn identity(&self) -> Vec<Row> {
        let (model, look) = (self.model, self.look);
        let (glyph, style) = look.level(model.level);
        let since = model.level_since.map(|at| format!(" for {}", self.ago(at))).unwrap_or_default();
        let mut level = Row::of(text::pad("level", 14), look.style(Role::Dim))
            .with(format!("{glyph} {}{since}", model.level.word()), style);
        if !model.why.is_empty() {
            level = level.with(format!("   {}", model.why), look.style(Role::Strong));
        }
        let mut place = model.id.environment.to_string();
        for part in [&model.id.cluster, &model.id.namespace] {
            if !part.is_empty() {
                place.push_str(" / ");
                place.push_str(part);
            }
        }
        let mut rows = vec![
            self.fact("model", model.id.name.to_string()),
            self.fact("where", place),
            self.fact("kind", model.kind.word()),
            level,
            self.fact("live version", model.live_version().map_or("not known", |version| version.as_str())),
        ];
        if let Some(rollout) = &model.rollout {
            let canary = rollout.canary.as_ref().map_or(look.glyphs().none, |version| version.as_str());
            let measured =
                model.measured_share().map(|share| format!(", measured {share:.1} %")).unwrap_or_default();
            let words = format!(
                "{canary} asked {:.0} %{measured}, {}, step {} of {}, {}",
                rollout.asked,
                rollout.phase.word(),
                (rollout.step + 1).min(rollout.steps.len()),
                rollout.steps.len(),
                rollout.controller
            );
            rows.push(self.fact("canary", words));
            if let Some(verdict) = model.verdict() {
                rows.push(self.fact("judgement", verdict.line.as_str()));
            }
            for (name, words) in [("owner", &rollout.owner), ("says", &rollout.message)] {
                if !words.is_empty() {
                    rows.push(self.fact(name, words.as_str()));
                }
            }
        }
        rows
    }

    fn kpis(&self) -> Vec<Row> {
        let (dim, look) = (self.look.style(Role::Dim), self.look);
        let heads = ["  KPI", "LEVEL", "VALUE", "TARGET", "WARNING", "CRITICAL", "N", "AGE", "RULE"];
        let mut rows = vec![heads.iter().zip(WIDTHS).fold(Row::default(), |row, (head, width)| {
            row.with(place(head, width), look.style(Role::Heading))
        })];
        let mut absent = Vec::new();
        for judged in &self.model.judgements {
            if judged.level == Level::NotMeasured {
                absent.push(judged.kpi.label());
            } else {
                rows.push(self.kpi(judged));
            }
        }
        if !absent.is_empty() {
            rows.push(Row::of(format!("  not measured: {}", absent.join(", ")), dim));
        }
        rows
    }

    fn kpi(&self, judged: &Judgement) -> Row {
        let look = self.look;
        let none = || look.glyphs().none.to_owned();
        let (glyph, style) = look.level(judged.level);
        let tone = if judged.level >= Level::Unknown { style } else { look.style(Role::Text) };
        let rules = self.model.limits.rules(judged.kpi);
        let decided = rules.iter().find(|rule| Some(&rule.origin) == judged.rule.as_ref()).or(rules.first());
        let limit = |pick: fn(&Rule) -> Option<f64>| {
            decided.and_then(pick).map_or_else(none, |limit| judged.kpi.format(limit))
        };
        let note = self.model.reading(judged.kpi).and_then(|reading| reading.note);
        let mut row = Row::of(format!("{glyph} "), style)
            .with(text::pad(judged.kpi.label(), WIDTHS[0].0 - 2), look.style(Role::Text))
            .with(place(judged.level.word(), WIDTHS[1]), tone)
            .with(
                place(&judged.value.map_or_else(none, |v| judged.kpi.format_with_unit(v)), WIDTHS[2]),
                tone,
            );
        let rest = [
            limit(|rule| rule.target),
            limit(|rule| rule.warning),
            limit(|rule| rule.critical),
            judged.samples.map_or_else(none, text::count),
            judged.at.map_or_else(none, |at| self.ago(at)),
        ];
        for (words, width) in rest.iter().zip(&WIDTHS[3..]) {
            row = row.with(place(words, *width), look.style(Role::Dim));
        }
        let origin = judged.rule.as_ref().or(decided.map(|rule| &rule.origin));
        row = row.with(format!("  {}", origin.map_or_else(none, ToString::to_string)), look.style(Role::Dim));
        if let Some(note) = note {
            row = row.with(format!("  {note}"), look.style(Role::Text));
        }
        if judged.level == Level::Unknown {
            row = row.with(format!("  {}", judged.reason), look.style(Role::Unknown));
        }
        row
    }

    fn instances(&self) -> Vec<Row> {
        let look = self.look;
        let one = |(name, instance): (&std::sync::Arc<str>, &crate::store::Instance)| {
            let source = self.store.sources.get(instance.source)?;
            let row = Row::of(format!("  {}", text::pad(name, 16)), look.style(Role::Text));
            if let Some(fault) = &source.fault {
                let age = source.age_s(self.now).map(text::age).unwrap_or_default();
                return Some(row.with(
                    format!("{} {fault}, last good answer {age} ago", look.glyphs().stale),
                    look.style(Role::Unknown),
                ));
            }
            let Some(status) = &instance.status else {
                return Some(row.with("not asked yet", look.style(Role::Dim)));
            };
            let (word, role) = match status.readiness {
                Readiness::Ready => ("ready", Role::Text),
                Readiness::NotReady => ("not ready", Role::Warning),
                Readiness::Absent => ("does not serve it", Role::Warning),
            };
            let versions: Vec<&str> = status.versions.iter().map(|version| version.as_str()).collect();
            let mut words = format!("   probe {:.0} ms   versions {}", status.probe_ms, versions.join(" "));
            for more in [&status.server, &status.detail].into_iter().flatten() {
                words.push_str("   ");
                words.push_str(more);
            }
            Some(row.with(word, look.style(role)).with(words, look.style(Role::Dim)))
        };
        self.model.instances.iter().filter_map(one).collect()
    }

    fn registries(&self) -> Vec<Row> {
        let look = self.look;
        let mut rows = Vec::new();
        for (id, entry) in &self.model.registry {
            let production = entry.production.as_ref().map_or(look.glyphs().none, |version| version.as_str());
            let aliases: Vec<String> =
                entry.aliases.iter().map(|(alias, version)| format!("{alias} → {version}")).collect();
            let words = format!(
                "production {production}   {}   {} versions",
                aliases.join(", "),
                entry.versions.len()
            );
            let name = Row::of(format!("  {}", text::pad(&id.0, 16)), look.style(Role::Text));
            rows.push(name.with(words, look.style(Role::Dim)));
        }
        if let Some(said) = self.model.disagreement() {
            let said: Vec<String> = said.iter().map(|(id, version)| format!("{id} says {version}")).collect();
            rows.push(Row::of(format!("  they disagree: {}", said.join(", ")), look.style(Role::Warning)));
        }
        rows
    }

    fn alerts(&self) -> Vec<Row> {
        let mine = |alert: &&crate::domain::Alert| alert.model.as_ref() == Some(&self.model.id);
        let row = |alert: &crate::domain::Alert| {
            let (glyph, style) = self.look.level(alert.severity);
            let age = self.ago(alert.since);
            Row::of(format!("  {glyph} {} {} for {age}", alert.name, alert.state.word()), style)
                .with(format!("   {}", alert.summary), self.look.style(Role::Text))
        };
        self.store.all_alerts().into_iter().filter(mine).map(row).collect()
    }

    fn sources(&self) -> Vec<Row> {
        let look = self.look;
        let Some(index) = self.store.index_of(&self.model.id) else { return Vec::new() };
        let mut rows = Vec::new();
        for source in self.store.sources.iter().filter(|source| source.touches.contains(&index)) {
            let age = source
                .age_s(self.now)
                .map_or_else(|| "never".to_owned(), |age| format!("{} ago", text::age(age)));
            let words = format!(
                "{} every {:.0} s, answered {age} in {:.0} ms   {}",
                text::pad(&source.info.kind, 12),
                source.info.interval_s,
                source.took_ms,
                source.info.place
            );
            let row = Row::of(format!("  {}", text::pad(&source.info.id.0, 16)), look.style(Role::Text));
            rows.push(row.with(words, look.style(Role::Dim)));
            if let Some(fault) = &source.fault {
                rows.push(Row::of(
                    format!("      {} {fault}", look.glyphs().stale),
                    look.style(Role::Unknown),
                ));
            }
            for remark in &source.remarks {
                rows.push(Row::of(format!("      {remark}"), look.style(Role::Dim)));
            }
        }
        rows
    }
}

/// Columns of the table of KPIs: width, and whether it is aligned to the right.
const WIDTHS: [(usize, bool); 9] =
    [(18, false), (13, false), (11, true), (9, true), (9, true), (9, true), (8, true), (8, true), (6, true)];

fn place(words: &str, (width, right): (usize, bool)) -> String {
    if right { text::pad_left(words, width) } else { text::pad(words, width) }
}
