//! The smallest screen: a line a model, down to a single glyph.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fleet::Fleet;
use super::frame::{put, put_right};
use super::look::Role;
use super::text;
use crate::domain::{Kpi, Level};
use crate::store::ModelState;

/// Columns below which there are only glyphs and the beginnings of names.
const TINY: u16 = 12;

/// Draws a line for each model in view: mark, glyph, name, p95 and the reason, as much as fits.
pub fn draw(buf: &mut Buffer, area: Rect, fleet: &Fleet) {
    if fleet.rows.is_empty() {
        put(buf, area, area.x, area.y, "no models", fleet.look.style(Role::Text));
        return;
    }
    let height = usize::from(area.height);
    for (y, model) in (area.top()..area.bottom()).zip(fleet.visible(height)) {
        line(buf, Rect { y, height: 1, ..area }, model, fleet);
    }
}

/// The worst glyph of all, for a screen of one cell.
pub fn worst(buf: &mut Buffer, area: Rect, fleet: &Fleet) {
    let worst = fleet.store.models.iter().map(|model| model.level).max().unwrap_or(Level::NotMeasured);
    let (glyph, style) = fleet.look.level(worst);
    put(buf, area, area.x, area.y, glyph, style);
}

fn line(buf: &mut Buffer, area: Rect, model: &ModelState, fleet: &Fleet) {
    let look = fleet.look;
    let (glyph, style) = look.level(model.level);
    let mut x = area.x;
    if area.width >= TINY {
        if Some(&model.id) == fleet.app.selected.as_ref() {
            put(buf, area, x, area.y, look.glyphs().selected, look.style(Role::Selected));
        }
        x += 1;
    }
    put(buf, area, x, area.y, glyph, style);
    let name_style = look.style(if model.level >= Level::Unknown { Role::Strong } else { Role::Dim });
    let rest = Rect { x: x + 2, width: area.right().saturating_sub(x + 2), ..area };
    if rest.width < 20 {
        put(buf, rest, rest.x, rest.y, &model.id.name, name_style);
        return;
    }
    let name = (usize::from(rest.width) / 2).clamp(9, 16);
    x = put(buf, rest, rest.x, rest.y, &text::pad(&model.id.name, name), name_style) + 1;
    if model.level >= Level::Unknown {
        put(buf, rest, x, rest.y, &model.why, style);
    } else if let Some(p95) = model.value(Kpi::LatencyP95) {
        put_right(
            buf,
            rest,
            rest.y,
            &format!("p95 {}", Kpi::LatencyP95.format_with_unit(p95)),
            look.style(Role::Dim),
        );
    }
}
