//! The fleet table: a line a model, the worst first, and why.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells;
use super::columns::{Column, Kind, Natural, columns, gap};
use super::frame::{put, titled};
use super::look::{Look, Role};
use super::text;
use crate::app::{Action, App, Focus};
use crate::domain::Level;
use crate::store::{ModelState, Store};

/// What the table is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Fleet<'a> {
    /// What the operator is doing, and the time.
    pub app: &'a App,
    /// What is known.
    pub store: &'a Store,
    /// Colours and glyphs.
    pub look: &'a Look,
    /// Indexes of the models that pass the filter, in order.
    pub rows: &'a [usize],
}

impl<'a> Fleet<'a> {
    /// The models in view when there is room for `height` of them.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = &'a ModelState> + use<'a> {
        let offset = self.offset(height);
        let store = self.store;
        let end = (offset + height).min(self.rows.len());
        self.rows.get(offset..end).unwrap_or_default().iter().filter_map(|&row| store.models.get(row))
    }

    /// A model's name, marked when wardroom may act on it by itself.
    pub fn name(&self, model: &ModelState) -> String {
        match self.app.armed.contains_key(&model.id) {
            true => format!("{} {}", model.id.name, self.look.glyphs().armed),
            false => model.id.name.to_string(),
        }
    }

    fn offset(&self, height: usize) -> usize {
        self.app.fleet_offset.min(self.rows.len().saturating_sub(height))
    }

    /// What stands outside the view: `5 more, all ok`, `5 more, 1 warning below`; nothing when all is seen.
    pub fn more(&self, height: usize) -> Option<(String, Level)> {
        let offset = self.offset(height);
        let below = self.rows.get(offset + height..).unwrap_or_default();
        if below.is_empty() && offset == 0 {
            return None;
        }
        if below.is_empty() {
            return Some((format!("{} above", text::count(offset as u64)), Level::Ok));
        }
        let count = |level| below.iter().filter(|&&row| self.store.models[row].level == level).count();
        let mut words = Vec::new();
        let mut worst = Level::Ok;
        for level in [Level::Critical, Level::Warning, Level::Unknown] {
            let n = count(level);
            if n > 0 {
                words.push(format!("{n} {}", level.word()));
                worst = worst.max(level);
            }
        }
        let nothing = count(Level::NotMeasured) == below.len();
        let what = match words.as_slice() {
            [] if nothing => String::new(),
            [] => ", all ok".to_owned(),
            words => format!(", {} below", words.join(", ")),
        };
        let above =
            if offset > 0 { format!("{} above, ", text::count(offset as u64)) } else { String::new() };
        Some((format!("{above}{} more{what}", text::count(below.len() as u64)), worst))
    }

    /// The words after `Fleet`: how many, in which order, which filter.
    fn title(&self) -> String {
        let (shown, all) = (self.rows.len(), self.store.models.len());
        let order = self.app.sort.word();
        if self.app.filter.is_empty() {
            let key = self.app.keymap.key(Action::Filter);
            format!("{} · {order} · {key} filter", text::count(all as u64))
        } else {
            let (shown, all) = (text::count(shown as u64), text::count(all as u64));
            format!("{shown} of {all} · {order} · filter {}", self.app.filter.text())
        }
    }

    /// Why the table is empty, when it is.
    fn emptiness(&self) -> Option<String> {
        if !self.rows.is_empty() {
            return None;
        }
        Some(if self.store.models.is_empty() {
            "There are no models: the config names none.".into()
        } else {
            let key = self.app.keymap.key(Action::Back);
            format!("No model passes the filter {}. {key} drops it.", self.app.filter.text())
        })
    }
}

/// Draws the framed table of the wide screen.
pub fn draw_wide(buf: &mut Buffer, area: Rect, fleet: &Fleet) {
    let focused = fleet.app.focus == Focus::Fleet && !fleet.app.has_box();
    let inner = titled(buf, area, fleet.look, None, "Fleet", &fleet.title(), focused);
    let height = usize::from(inner.height.saturating_sub(2));
    table(buf, inner, fleet, height, true);
    if let Some((words, level)) = fleet.more(height) {
        let role = if level >= Level::Unknown { Role::of(level) } else { Role::Dim };
        put(buf, inner, inner.x + 4, inner.bottom().saturating_sub(1), &words, fleet.look.style(role));
    }
}

/// Draws the bare table of the narrow screen.
pub fn draw_narrow(buf: &mut Buffer, area: Rect, fleet: &Fleet) {
    table(buf, area, fleet, usize::from(area.height.saturating_sub(1)), false);
}

fn table(buf: &mut Buffer, area: Rect, fleet: &Fleet, height: usize, wide: bool) {
    let look = fleet.look;
    let gutter: u16 = if wide { 4 } else { 3 };
    let width = usize::from(area.width.saturating_sub(gutter + u16::from(wide)));
    let natural = fleet.visible(height).fold(Natural { model: 0, live: 0 }, |natural, model| Natural {
        model: natural.model.max(text::width(&fleet.name(model))),
        live: natural.live.max(model.live_version().map_or(0, |version| text::width(version.as_str()))),
    });
    let list = columns(width, wide, natural);
    let start = area.x + gutter;
    each(&list, start, wide, |column, x| {
        let head =
            if column.right { text::pad_left(column.head, column.width) } else { column.head.to_owned() };
        let cell = Rect { x, width: to_u16(column.width), ..area };
        put(buf, cell, x, area.y, &head, look.style(Role::Heading));
    });
    if let Some(words) = fleet.emptiness() {
        put(buf, area, start, area.y + 1, &words, look.style(Role::Text));
        return;
    }
    for (line, model) in fleet.visible(height).enumerate() {
        let y = area.y + 1 + to_u16(line);
        if y >= area.bottom() {
            break;
        }
        marks(buf, area, y, model, fleet, u16::from(wide));
        each(&list, start, wide, |column, x| {
            let (words, style) = cells::cell(column, model, fleet);
            let ends = to_u16(words.len() - words.trim_end_matches(' ').len());
            // Only the words are painted, so that a background or an underline does not fill the column.
            let words = text::cut(words.trim_end_matches(' '), column.width);
            let mark = to_u16(text::width(&words));
            let before = if column.right { to_u16(column.width).saturating_sub(mark + ends) } else { 0 };
            let cell = Rect { x: x + before, width: to_u16(column.width) - before, ..area };
            put(buf, cell, cell.x, y, &words, style);
        });
    }
}

/// The mark of the selected row, and the level's glyph when it is abnormal.
fn marks(buf: &mut Buffer, area: Rect, y: u16, model: &ModelState, fleet: &Fleet, space: u16) {
    let look = fleet.look;
    if Some(&model.id) == fleet.app.selected.as_ref() {
        put(buf, area, area.x, y, look.glyphs().selected, look.style(Role::Selected));
    }
    if model.level >= Level::Unknown {
        let (glyph, style) = look.level(model.level);
        put(buf, area, area.x + 1 + space, y, glyph, style);
    }
}

fn each(list: &[Column], start: u16, wide: bool, mut draw: impl FnMut(&Column, u16)) {
    let mut x = usize::from(start);
    for column in list.iter().filter(|column| column.width > 0 || column.kind == Kind::Why) {
        draw(column, to_u16(x));
        x += column.width + gap(wide);
    }
}

fn to_u16(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
