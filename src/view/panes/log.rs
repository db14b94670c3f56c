//! What wardroom itself does: the only part of the view that knows tui-logger.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_logger::{ExtLogRecord, LogFormatter, TuiLoggerWidget};

use super::Cx;
use crate::domain::{Time, text::clean};
use crate::view::look::Role;
use crate::view::text;

/// Lines that can be scrolled back.
const FARTHEST: u16 = 2_000;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    // The widget follows the newest line. Scrolling draws it higher than the pane and shows the upper part.
    let scrolled = if cx.zoomed { cx.app.pane_offset.min(FARTHEST) } else { 0 };
    let whole = Rect { x: 0, y: 0, width: area.width, height: area.height.saturating_add(scrolled) };
    let mut drawn = Buffer::empty(whole);
    let lines = Lines {
        error: cx.look.style(Role::Error),
        warn: cx.look.style(Role::Warning),
        plain: cx.look.style(Role::Text),
        dim: cx.look.style(Role::Dim),
    };
    TuiLoggerWidget::default().formatter(Box::new(lines)).render(whole, &mut drawn);
    for y in 0..area.height {
        for x in 0..area.width {
            if let (Some(from), Some(to)) = (drawn.cell((x, y)), buf.cell_mut((area.x + x, area.y + y))) {
                *to = from.clone();
            }
        }
    }
    if drawn.content().iter().all(|cell| cell.symbol() == " ") {
        let words = text::cut("nothing has been logged", area.width.into());
        buf.set_stringn(area.x, area.y, words, area.width.into(), cx.look.style(Role::Dim));
    }
}

/// The words after the pane's name.
pub fn title(_cx: &Cx) -> String {
    "wardroom itself · newest last".into()
}

/// One line a record: clock, level, target, message.
struct Lines {
    error: Style,
    warn: Style,
    plain: Style,
    dim: Style,
}

impl LogFormatter for Lines {
    fn min_width(&self) -> u16 {
        1
    }

    fn format(&self, width: usize, record: &ExtLogRecord) -> Vec<Line<'_>> {
        let level = record.level.as_str();
        let style = match level {
            "ERROR" => self.error,
            "WARN" => self.warn,
            "INFO" => self.plain,
            _ => self.dim,
        };
        let clock = Time::from_timestamp(record.timestamp.timestamp().as_second(), 0).map(text::clock);
        let head = format!("{} ", clock.unwrap_or_default());
        let words = format!("{level:<5} {:<10} {}", clean(record.target(), 60), clean(record.msg(), 400));
        let head = text::cut(&head, width);
        let room = width.saturating_sub(text::width(&head));
        let words = text::cut(&words, room);
        vec![Line::from(vec![Span::styled(head, self.dim), Span::styled(words, style)])]
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::app::{App, KeyMap};
    use crate::store::Store;
    use crate::view::look::Look;

    fn screen(offset: u16, rows: u16) -> String {
        let (store, look) = (Store::new("e", Vec::new()), Look::default());
        let mut app = App::new(Time::UNIX_EPOCH, (80, 24), KeyMap::new(&[].into()).unwrap());
        (app.pane_offset, app.zoomed) = (offset, true);
        let cx = Cx {
            app: &app,
            store: &store,
            look: &look,
            model: None,
            zoomed: true,
            focused: true,
            framed: true,
        };
        let area = Rect::new(0, 0, 60, rows);
        let mut buf = Buffer::empty(area);
        draw(&mut buf, area, &cx);
        let line = |y| (0..60).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..rows).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn records_are_one_clean_line_each() {
        assert!(screen(0, 3).contains("nothing has been logged"), "before anything is set up");
        tui_logger::init_logger(tui_logger::LevelFilter::Trace).unwrap();
        let subscriber = tracing_subscriber::registry().with(tui_logger::TuiTracingSubscriberLayer);
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..9 {
                tracing::warn!(target: "sources", "als-{n} hung\u{1b}[31m");
            }
        });
        tui_logger::move_events();
        let text = screen(0, 3);
        assert!(text.contains("WARN  sources") && text.contains("als-8 hung[31m"), "{text}");
        assert!(!text.contains("als-5"), "{text}");
        assert!(screen(3, 3).contains("als-5"), "{}", screen(3, 3));
    }
}
