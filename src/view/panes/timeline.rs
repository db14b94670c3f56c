//! What happened: alerts, rollouts, judgements, registries, sources and notes, the newest at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::brush::{Brush, Row, row};
use crate::domain::{AlertState, Event, Level, Time};
use crate::view::look::Role;
use crate::view::text;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let (columns, rows) = (brush.columns(), brush.rows());
    let at = Columns::of(columns, cx);
    if cx.zoomed {
        let mut lines = alerts(cx);
        lines.extend(silences(cx));
        // The alerts keep at most the upper half.
        let above = lines.len().min(rows / 2);
        brush.part(0, 0, columns, above).list(0, &lines, 0);
        let events = &cx.store.timeline;
        let top = above + usize::from(above > 0);
        brush.list_of(top, events.len(), cx.app.pane_offset.into(), |place| {
            events.get(events.len() - 1 - place).map(|event| line(cx, &at, event)).unwrap_or_default()
        });
        if events.is_empty() {
            brush.put(0, top, "nothing has happened since wardroom began to look", Role::Dim);
        }
        return;
    }
    let newest: Vec<&Event> = cx.store.timeline.iter().rev().take(rows).collect();
    for (y, event) in newest.iter().rev().enumerate() {
        brush.row(y, &line(cx, &at, event));
    }
    if newest.is_empty() {
        brush.put(0, 0, "nothing has happened since wardroom began to look", Role::Dim);
    }
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    let mut words = vec![if cx.zoomed { "newest first".to_owned() } else { "all models".to_owned() }];
    let firing = cx.store.alerts.values().flatten().filter(|alert| alert.state == AlertState::Firing).count();
    let silences: usize = cx.store.silences.values().map(Vec::len).sum();
    for (count, one, many) in [(firing, "alert fires", "alerts fire"), (silences, "silence", "silences")] {
        if count > 0 {
            words.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if let Some(last) = cx.store.timeline.back() {
        words.push(format!("last {} ago", text::age((cx.app.now - last.at).as_seconds_f64())));
    }
    words.join(" · ")
}

/// The clock of an event; its day when that is not within the last 24 hours.
pub fn when(at: Time, now: Time) -> String {
    if (now - at).num_hours().abs() < 24 { text::clock(at) } else { at.format("%b %d").to_string() }
}

/// Where the columns lie.
#[derive(Debug, Clone, Copy)]
struct Columns {
    /// The model's name, where there is more than one model.
    model: Option<usize>,
    what: usize,
    detail: usize,
}

impl Columns {
    fn of(columns: usize, cx: &Cx) -> Self {
        let name = (cx.store.models.len() > 1 && columns >= 50).then_some(11);
        let what = name.map_or(11, |x| x + if columns >= 100 { 19 } else { 13 });
        let rest = columns.saturating_sub(what);
        Self { model: name, what, detail: what + (rest / 2).clamp(16, 44) }
    }
}

fn line(cx: &Cx, at: &Columns, event: &Event) -> Row {
    let selected = cx.model.is_none_or(|model| event.model.as_ref().is_none_or(|id| *id == model.id));
    let dim = cx.look.style(Role::Dim);
    let plain = if selected { cx.look.style(Role::Text) } else { dim };
    let (mark, ink) = cx.look.level(event.level);
    let (mark, ink) = if event.level >= Level::Unknown { (mark, ink) } else { ("", plain) };
    let of_incident = cx.app.incidents.open.iter().any(|incident| incident.covers(event));
    let bar = if of_incident { cx.look.glyphs().vline } else { "" };
    let mut cells = row().close(0, when(event.at, cx.app.now), dim);
    cells = cells.close(8, bar, cx.look.style(Role::Mark)).at(9, mark, ink);
    if let Some(x) = at.model {
        cells = cells.at(x, event.model.as_ref().map(ToString::to_string).unwrap_or_default(), plain);
    }
    cells.at(at.what, event.what.clone(), ink).at(at.detail, event.detail.clone(), dim).row()
}

/// The alerts, firing and worst first, with what mutes them.
fn alerts(cx: &Cx) -> Vec<Row> {
    let (head, dim, plain) =
        (cx.look.style(Role::Heading), cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let alerts = cx.store.all_alerts();
    if alerts.is_empty() {
        let words =
            if cx.store.alerts.is_empty() { "no source of alerts has answered" } else { "no active alerts" };
        return vec![row().at(0, words, dim).row()];
    }
    let heading = row().at(0, "", head).at(2, "ALERT", head).at(32, "STATE", head).at(42, "FOR", head);
    let mut rows = vec![heading.at(50, "MODEL", head).at(68, "SUMMARY", head).row()];
    for alert in alerts {
        let firing = alert.state == AlertState::Firing;
        let (mark, ink) = cx.look.level(alert.severity);
        let (mark, ink) = if firing && alert.severity >= Level::Unknown { (mark, ink) } else { ("", dim) };
        let summary = match alert.silenced_by.is_empty() {
            true => alert.summary.clone(),
            false => format!("by silence {}  {}", alert.silenced_by.join(", "), alert.summary),
        };
        let model = alert.model.as_ref().map(ToString::to_string).unwrap_or_default();
        let cells = row()
            .at(0, mark, ink)
            .at(2, alert.name.clone(), if firing { ink } else { dim })
            .at(32, alert.state.word(), if firing { plain } else { dim })
            .at(42, text::age((cx.app.now - alert.since).as_seconds_f64()), dim);
        rows.push(cells.at(50, model, plain).at(68, summary, dim).row());
    }
    rows
}

/// The silences, with whose they are and when they end.
fn silences(cx: &Cx) -> Vec<Row> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let all = cx.store.silences.values().flatten();
    all.map(|silence| {
        let left = (silence.until - cx.app.now).as_seconds_f64();
        let end = if left > 0.0 { format!("{} left", text::age(left)) } else { "over".into() };
        let words = format!("{}  “{}”", silence.by, silence.comment);
        let cells = row().at(0, "", dim).at(2, format!("silence {}", silence.matchers), plain);
        cells.at(42, end, dim).at(56, words, dim).row()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_events_show_their_day() {
        let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(when(now, now), "08:00:00");
        assert_eq!(when(now - chrono::TimeDelta::days(2), now), "Jan 13");
    }
}
