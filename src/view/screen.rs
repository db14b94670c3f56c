//! Divides the screen by its shape and draws each part in its place.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::fleet::{self, Fleet};
use super::frame::{put, titled};
use super::look::{Look, Role};
use super::panes::{self, Cx};
use super::{act, checklist, describe, footer, glyphs, header, help, incident, lines, text, verdict};
use crate::app::{App, Dialog, Focus, Geometry, Pane, Shape, fleet_rows};
use crate::domain::Level;
use crate::store::Store;

/// Lines that four panes need at least; with more, the verdict gets one.
const PANES: u16 = 22;

/// Draws the whole screen into `buf`; returns where the cursor stands when text is being written.
pub fn draw(buf: &mut Buffer, app: &App, store: &Store, look: &Look) -> Option<Position> {
    let area = buf.area;
    if area.is_empty() {
        return None;
    }
    let store = app.shown(store);
    let rows = fleet_rows(app, store);
    let model = app.selected.as_ref().and_then(|id| store.model(id));
    let focused = app.focus != Focus::Fleet;
    let cx = Cx { app, store, look, model, zoomed: app.zoomed && focused, focused, framed: true };
    let screen = Screen {
        area,
        geometry: Geometry::of(area.width, area.height).with_bar(app.has_incident_bar()),
        fleet: Fleet { app, store, look, rows: &rows },
        cx,
    };
    let cursor = screen.draw(buf);
    if look.glyphs().ascii {
        spell(buf);
    }
    cursor
}

/// Replaces what an ASCII terminal cannot show.
fn spell(buf: &mut Buffer) {
    for cell in buf.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        let c = glyphs::stand_in(cell.symbol());
        cell.set_char(c);
    }
}

struct Screen<'a> {
    area: Rect,
    geometry: Geometry,
    fleet: Fleet<'a>,
    cx: Cx<'a>,
}

impl Screen<'_> {
    fn draw(&self, buf: &mut Buffer) -> Option<Position> {
        let Geometry { shape, header, .. } = self.geometry;
        let (app, store, look) = (self.cx.app, self.cx.store, self.cx.look);
        let head = Rect { height: header.min(self.area.height), ..self.area };
        let foot = self.foot();
        let bar = self.bar(foot);
        let body = Rect {
            y: self.area.y + head.height,
            height: self.area.height.saturating_sub(head.height + foot.height + bar.height),
            ..self.area
        };
        match shape {
            Shape::Wide => header::draw_wide(buf, head, app, store, look),
            Shape::Narrow | Shape::Lines if !head.is_empty() => {
                header::draw_narrow(buf, head, app, store, look)
            }
            Shape::Narrow | Shape::Lines => {}
        }
        if app.has_incident_bar() && shape != Shape::Lines {
            let line = Rect { y: head.bottom().saturating_sub(1), height: 1, ..head };
            incident::bar(buf, line, app, look);
        }
        match (&app.dialog, shape) {
            (Dialog::Help(offset), _) => help::draw(buf, body, app, store, look, *offset),
            (Dialog::Describe(offset), _) => describe::draw(buf, body, app, store, look, *offset),
            _ if self.cx.zoomed => self.zoomed(buf, body),
            (_, Shape::Wide) => self.wide(buf, body),
            (_, Shape::Narrow) => self.narrow(buf, body),
            (_, Shape::Lines) if self.area.area() == 1 => lines::worst(buf, body, &self.fleet),
            (_, Shape::Lines) => lines::draw(buf, body, &self.fleet),
        }
        put(buf, bar, bar.x + 1, bar.y, &app.bar, look.style(Role::Strong));
        // The smallest screens give the dialog everything.
        let whole = Rect { height: self.area.height.saturating_sub(foot.height), ..self.area };
        let over = if shape == Shape::Lines { whole } else { body };
        let cursor = act::draw(buf, over, app, store, look).or(incident::draw(buf, over, app, store, look));
        let cursor = checklist::draw(buf, over, app, store, look).or(cursor);
        footer::draw(buf, foot, app, store, look, self.fleet.rows.len()).or(cursor)
    }

    /// The last line. The smallest screen has none, unless there is something to say or to write.
    fn foot(&self) -> Rect {
        let app = self.cx.app;
        let speaks = app.is_typing() || ((app.message.is_some() || app.is_past()) && self.area.height > 1);
        let height = u16::from(self.geometry.shape != Shape::Lines || speaks);
        Rect { y: self.area.bottom().saturating_sub(height), height, ..self.area }
    }

    /// The line of a drill, above the last one.
    fn bar(&self, foot: Rect) -> Rect {
        let height = u16::from(!self.cx.app.bar.is_empty() && self.area.height > 3);
        Rect { y: foot.y.saturating_sub(height), height, ..self.area }
    }

    fn zoomed(&self, buf: &mut Buffer, body: Rect) {
        let Focus::Pane(pane) = self.cx.app.focus else { return };
        self.framed(buf, body, pane);
    }

    /// A pane in its frame, with a blank column at each side.
    fn framed(&self, buf: &mut Buffer, area: Rect, pane: Pane) {
        let focused = self.cx.app.focus == Focus::Pane(pane) && !self.cx.app.has_box();
        let cx = Cx { focused, ..self.cx };
        let title = panes::title(pane, &cx);
        let inner = titled(buf, area, cx.look, Some(pane.digit()), pane.title(), &title, focused);
        let side = u16::from(inner.width > 10 && inner != area);
        let inner = Rect { x: inner.x + side, width: inner.width - 2 * side, ..inner };
        panes::draw(pane, buf, inner, &cx);
    }

    fn wide(&self, buf: &mut Buffer, body: Rect) {
        let Geometry { fleet, timeline, .. } = self.geometry;
        fleet::draw_wide(buf, Rect { height: fleet.min(body.height), ..body }, &self.fleet);
        let foot = Rect { y: body.bottom().saturating_sub(timeline), height: timeline, ..body };
        let app = self.cx.app;
        let at_foot = if app.focus == Focus::Pane(Pane::Log) { Pane::Log } else { Pane::Timeline };
        self.framed(buf, foot, at_foot);
        let mut between = foot.y.saturating_sub(body.y + fleet);
        if between > PANES {
            between -= 1;
            let line = Rect { y: foot.y - 1, height: 1, ..body };
            verdict::draw(buf, line, app, self.cx.store, self.cx.model, self.cx.look);
        }
        let top = body.y + fleet;
        let upper = (between * 11).div_ceil(20);
        let half = body.width / 2;
        let places = [
            (Pane::Latency, body.x, top, half, upper),
            (Pane::Drift, body.x + half, top, body.width - half, upper),
            (app.lower_left, body.x, top + upper, half, between - upper),
            (Pane::Canary, body.x + half, top + upper, body.width - half, between - upper),
        ];
        for (pane, x, y, width, height) in places {
            self.framed(buf, Rect { x, y, width, height }, pane);
        }
    }

    fn narrow(&self, buf: &mut Buffer, body: Rect) {
        let height = self.geometry.fleet.min(body.height);
        let (app, look) = (self.cx.app, self.cx.look);
        fleet::draw_narrow(buf, Rect { height, ..body }, &self.fleet);
        let tabs = Rect { y: body.y + height, height: 1, ..body };
        self.tabs(buf, tabs, usize::from(height.saturating_sub(1)));
        let pane = Rect {
            x: body.x + 1,
            y: tabs.y + 1,
            width: body.width.saturating_sub(2),
            height: body.height.saturating_sub(height + 1),
        };
        let focused = app.focus == Focus::Pane(app.tab);
        panes::draw(app.tab, buf, pane, &Cx { focused, framed: false, look, ..self.cx });
    }

    /// `─ 1 Latency  2 Quality [4 Canary] 5 Registry ──── 5 more, all ok ─`
    fn tabs(&self, buf: &mut Buffer, line: Rect, shown: usize) {
        let (app, look) = (self.cx.app, self.cx.look);
        let focused = app.focus != Focus::Fleet && !app.has_box();
        let rule = look.style(if focused { Role::Focused } else { Role::Faint });
        for x in line.left()..line.right() {
            put(buf, line, x, line.y, look.glyphs().hline, rule);
        }
        let mut x = line.x + 1;
        for pane in Pane::ALL.into_iter().filter(|&pane| pane != Pane::Log || app.tab == Pane::Log) {
            let open = pane == app.tab;
            let (left, right) = if open { ("[", "]") } else { (" ", " ") };
            let words = format!("{left}{} {}{right}", pane.digit(), pane.title());
            x = put(buf, line, x, line.y, &words, look.style(if open { Role::Strong } else { Role::Dim }));
        }
        if let Some((words, level)) = self.fleet.more(shown) {
            let words = format!(" {words} ");
            let room = usize::from(line.right().saturating_sub(x + 2));
            let start = words.split_once(" more").map_or("", |(start, _)| start);
            let glyph = if level >= Level::Unknown { look.level(level).0 } else { "" };
            let short = format!("{start} more {glyph} ").replace("  ", " ");
            let words = if text::width(&words) <= room { words } else { short };
            if text::width(&words) <= room {
                let start = line.right().saturating_sub(1 + u16::try_from(text::width(&words)).unwrap_or(0));
                let role = if level >= Level::Unknown { Role::of(level) } else { Role::Dim };
                put(buf, line, start, line.y, &words, look.style(role));
            }
        }
    }
}
