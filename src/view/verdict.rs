//! One line in words about the selected model: how it stands, why, and what has been done.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::put;
use super::look::{Look, Role};
use super::text;
use crate::app::App;
use crate::domain::{Judgement, Level};
use crate::store::{ModelState, Store};

/// Draws the line.
pub fn draw(buf: &mut Buffer, area: Rect, app: &App, store: &Store, model: Option<&ModelState>, look: &Look) {
    let Some(model) = model else { return };
    let name = text::cut(&model.id.name, 24);
    let x = area.x + 1;
    if model.level < Level::Unknown {
        let judged = model.judgements.iter().filter(|judged| judged.level != Level::NotMeasured).count();
        let words = match judged {
            0 => format!("{} {name}: nothing is known of it yet", look.glyphs().unknown),
            n => format!("{} {name}: {n} KPIs within their limits", look.glyphs().ok),
        };
        put(buf, area, x, area.y, &words, look.style(Role::Dim));
        return;
    }
    let (glyph, style) = look.level(model.level);
    let badge = format!(" {glyph} {} ", model.level.word().to_uppercase());
    let style = if model.level == Level::Critical { look.style(Role::Badge) } else { style };
    let x = put(buf, area, x, area.y, &badge, style);
    let since = model.level_since.map(|at| format!(" for {}", text::age((app.now - at).as_seconds_f64())));
    let words = format!("  {name}: {}{}", model.why, since.unwrap_or_default());
    let x = put(buf, area, x, area.y, &words, look.style(Role::Text));
    let mut others: Vec<&Judgement> = model
        .judgements
        .iter()
        .filter(|judged| judged.level >= Level::Unknown && judged.reason != model.why)
        .collect();
    others.sort_by_key(|judged| std::cmp::Reverse(judged.level));
    let more: Vec<&str> = others.iter().map(|judged| judged.reason.as_str()).collect();
    let more = if more.is_empty() { ". ".to_owned() } else { format!("; also {}. ", more.join("; ")) };
    let done = super::act::words::done(app, store, model);
    let room = usize::from(area.right().saturating_sub(x)).saturating_sub(text::width(&done) + 1);
    let x = put(buf, area, x, area.y, &text::cut(&more, room), look.style(Role::Dim));
    put(buf, area, x + u16::from(text::width(&more) > room), area.y, &done, look.style(Role::Strong));
}
