//! A box with labelled facts that scroll, and lines at its foot that are always seen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use tui_input::Input;

use super::Cx;
use crate::view::footer;
use crate::view::frame::{put, titled};
use crate::view::look::{Look, Role};
use crate::view::page::Row;
use crate::view::panes::wrap;
use crate::view::text;

/// Columns of the labels.
pub const LABEL: usize = 11;
/// The widest box.
const WIDEST: u16 = 116;
/// Below this size there is no frame.
const FRAME: (u16, u16) = (30, 7);

/// A line at the foot.
pub enum Foot {
    /// Words.
    Words(String),
    /// A labelled text field; `true`: it is being written.
    Field(&'static str, String, Box<Input>, bool),
    /// Two buttons, the focused one, why the second cannot be pressed, and a hint.
    Buttons {
        /// The word of the act.
        act: String,
        /// Whether the act is focused, else Cancel is; `None`: neither.
        focused: Option<bool>,
        /// Why it cannot be done.
        hindrance: Option<String>,
        /// Whether the act leads to what is known to work.
        is_safe: bool,
    },
}

/// What a box shows.
pub struct Sheet {
    title: String,
    rest: String,
    rows: Vec<Row>,
    /// The lines at its foot.
    pub foot: Vec<Foot>,
    /// Lines scrolled.
    pub scroll: usize,
    /// A row that must be in view.
    pub shown: Option<usize>,
}

/// Columns inside a box over `body`.
pub fn columns(body: Rect) -> usize {
    let area = across(body);
    let frame = if is_framed(body) { 4 } else { 0 };
    usize::from(area.saturating_sub(frame))
}

fn across(body: Rect) -> u16 {
    // On small screens the box takes everything; on large ones the panes stay in sight.
    if body.width <= 84 { body.width } else { (body.width - 12).min(WIDEST) }
}

fn is_framed(body: Rect) -> bool {
    body.width >= FRAME.0 && body.height >= FRAME.1
}

impl Sheet {
    /// An empty sheet.
    pub fn new(title: impl Into<String>, rest: impl Into<String>) -> Self {
        let (title, rest) = (title.into(), format!("· {}", rest.into()));
        Self { title, rest, rows: Vec::new(), foot: Vec::new(), scroll: 0, shown: None }
    }

    /// A row as it is.
    pub fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// An empty row, unless the last one is.
    pub fn gap(&mut self) {
        if self.rows.last().is_some_and(|row| *row != Row::default()) {
            self.rows.push(Row::default());
        }
    }

    /// Words over the whole width.
    pub fn say(&mut self, cx: &Cx, words: &str, role: Role) {
        for line in wrap(words, cx.columns) {
            self.rows.push(Row::of(line, cx.look.style(role)));
        }
    }

    /// `label      words`, over as many rows as needed; nothing when there are no words.
    pub fn fact(&mut self, cx: &Cx, label: &str, words: &str, role: Role) {
        self.marked(cx, label, "", words, cx.look.style(role));
    }

    /// The same with a mark before the words.
    pub fn marked(&mut self, cx: &Cx, label: &str, mark: &str, words: &str, style: Style) {
        let indent = if mark.is_empty() { 0 } else { text::width(mark) + 1 };
        let lines = wrap(words, cx.columns.saturating_sub(LABEL + indent).max(8));
        for (place, line) in lines.iter().enumerate() {
            let label = if place == 0 { label } else { "" };
            let mut row = Row::of(text::pad(label, LABEL), cx.look.style(Role::Dim));
            if indent > 0 {
                row = row.with(text::pad(if place == 0 { mark } else { "" }, indent), style);
            }
            self.rows.push(row.with(line.clone(), style));
        }
    }

    /// Draws it over `body`.
    pub fn draw(self, buf: &mut Buffer, body: Rect, look: &Look) -> Option<Position> {
        if body.is_empty() {
            return None;
        }
        let framed = is_framed(body);
        let frame = if framed { 2 } else { 0 };
        let foot =
            u16::try_from(self.foot.len()).unwrap_or(u16::MAX).min(body.height.saturating_sub(frame).max(1));
        let gap = u16::from(framed && foot > 0 && !self.rows.is_empty() && body.height >= 16);
        let wanted = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).saturating_add(foot + gap + frame);
        let (width, height) = (across(body), wanted.clamp(1, body.height));
        let area = Rect {
            x: body.x + (body.width - width) / 2,
            y: body.y + (body.height - height) / 2,
            width,
            height,
        };
        for y in area.top()..area.bottom() {
            put(buf, area, area.x, y, &" ".repeat(area.width.into()), Style::new());
        }
        let room = area.height.saturating_sub(foot + gap + frame);
        let last = self.rows.len().saturating_sub(room.into());
        // A chosen row stays in view, its heading too where both fit.
        let scroll = match self.shown {
            Some(shown) => self.scroll.max((shown + 1).saturating_sub(room.into())).min(shown),
            None => self.scroll,
        }
        .min(last);
        let rest = match last {
            0 => self.rest.clone(),
            _ => {
                let end = (scroll + usize::from(room)).min(self.rows.len());
                format!("{} · lines {}–{end} of {}", self.rest, scroll + 1, self.rows.len())
            }
        };
        let inner = if framed {
            let inner = titled(buf, area, look, None, &self.title, &rest, true);
            Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
        } else {
            area
        };
        let facts = Rect { height: room, ..inner };
        for (y, row) in (facts.top()..facts.bottom()).zip(self.rows.iter().skip(scroll)) {
            row.draw(buf, facts, y);
        }
        // What confirms stands last and is the last to go.
        let skipped = self.foot.len() - usize::from(foot);
        let mut cursor = None;
        for (y, line) in
            (inner.bottom().saturating_sub(foot)..inner.bottom()).zip(self.foot.iter().skip(skipped))
        {
            cursor = line.draw(buf, Rect { y, height: 1, ..inner }, look).or(cursor);
        }
        cursor
    }
}

impl Foot {
    fn draw(&self, buf: &mut Buffer, line: Rect, look: &Look) -> Option<Position> {
        match self {
            Self::Words(words) => {
                put(buf, line, line.x, line.y, words, look.style(Role::Dim));
                None
            }
            Self::Field(label, hint, input, focused) => {
                let mark = if *focused { look.glyphs().selected } else { " " };
                let x = put(buf, line, line.x, line.y, &text::pad(label, LABEL - 3), look.style(Role::Dim));
                let x = put(buf, line, x, line.y, &format!("{mark} "), look.style(Role::Selected));
                // The field needs no blank before it, which its writer leaves on wide lines.
                let room = Rect { x, width: line.right().saturating_sub(x), ..line };
                let hint = if input.value().is_empty() { hint.as_str() } else { "" };
                if *focused {
                    return Some(footer::write(buf, room, "", input, hint, look));
                }
                let shift = u16::from(room.width > 20);
                let (words, role) =
                    if input.value().is_empty() { (hint, Role::Dim) } else { (input.value(), Role::Text) };
                put(buf, room, x + shift, line.y, words, look.style(role));
                None
            }
            Self::Buttons { act, focused, hindrance, is_safe } => {
                buttons(buf, line, look, act, *focused, hindrance.as_deref(), *is_safe);
                None
            }
        }
    }
}

/// `[ Cancel ]   Abort alzheimer     Esc nothing done`
fn buttons(
    buf: &mut Buffer,
    line: Rect,
    look: &Look,
    act: &str,
    focused: Option<bool>,
    hindrance: Option<&str>,
    is_safe: bool,
) {
    let face = |words: &str, on: bool, able: bool| {
        let words = if on { format!("[ {words} ]") } else { format!("  {words}  ") };
        let style = match (on, able) {
            (true, true) => look.style(Role::Strong).add_modifier(Modifier::REVERSED),
            (true, false) => look.style(Role::Dim).add_modifier(Modifier::REVERSED),
            (false, true) => look.style(Role::Text),
            (false, false) => look.style(Role::Faint),
        };
        (words, style)
    };
    let cancel = face("Cancel", focused == Some(false), true);
    let act = face(act, focused == Some(true), hindrance.is_none());
    // What is in reach first stands first.
    let both = if is_safe { [act, cancel] } else { [cancel, act] };
    let mut x = line.x;
    for (words, style) in both {
        x = put(buf, line, x, line.y, &words, style).saturating_add(1);
    }
    let (words, role) = match hindrance {
        Some(why) => (why.to_owned(), Role::Dim),
        None => ("Tab moves   Esc nothing done".to_owned(), Role::Dim),
    };
    put(buf, line, x.saturating_add(1), line.y, &words, look.style(role));
}
