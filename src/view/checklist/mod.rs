//! The checklist dialog: three lists, each check with its mark, its evidence, who and when.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use super::act::Cx;
use super::act::sheet::{self, Foot, LABEL, Sheet};
use super::look::{Look, Role};
use super::page::Row;
use super::text;
use crate::app::checklist::ChecklistDialog;
use crate::app::{App, Dialog};
use crate::checklist::{Line, Mark, Past, Period};
use crate::store::Store;

/// Columns of a check's id.
const ID: usize = 12;
/// Columns of a mark with its word.
const MARK: usize = 14;
/// From here on the check's words stand beside its id.
const WORDS: usize = 70;

/// Draws the dialog over `body` if it is open; returns where the cursor stands.
pub fn draw(buf: &mut Buffer, body: Rect, app: &App, store: &Store, look: &Look) -> Option<Position> {
    let Dialog::Checklist(dialog) = &app.dialog else { return None };
    let cx = Cx { app, store, look, columns: sheet::columns(body) };
    sheet(&cx, dialog).draw(buf, body, look)
}

/// What can be pressed in it.
pub fn keys(app: &App) -> Option<&'static str> {
    let Dialog::Checklist(dialog) = &app.dialog else { return None };
    Some(match &dialog.writing {
        Some(_) => "Enter writes it down   Esc nothing done",
        None => "Left Right list   Up Down choose   Enter ticks   u withdraws   Esc closes",
    })
}

fn sheet(cx: &Cx<'_>, dialog: &ChecklistDialog) -> Sheet {
    let checks = &cx.app.checks;
    let lines: Vec<&Line> = checks.of(dialog.period).collect();
    let due = lines.first().map_or_else(String::new, |line| line.due.clone());
    let mut sheet = Sheet::new("Checklists", format!("{} · {due} UTC", cx.store.environment));
    tabs(cx, dialog, &mut sheet);
    sheet.gap();
    for (place, line) in lines.iter().enumerate() {
        let chosen = place == dialog.cursor;
        if chosen {
            sheet.shown = Some(sheet.len());
        }
        sheet.row(row(cx, line, chosen));
    }
    sheet.gap();
    if let Some(line) = dialog.chosen(checks) {
        detail(cx, line, &mut sheet);
    }
    match &dialog.writing {
        Some(writing) => {
            let (label, hint) =
                if writing.undone { ("why", "why it is withdrawn") } else { ("note", "how it was checked") };
            let doing = if writing.undone { "withdraws the tick of" } else { "ticks" };
            let by = &cx.app.operator;
            sheet
                .foot
                .push(Foot::Words(format!("Enter {doing} {} as {by}   Esc nothing done", writing.item)));
            sheet.foot.push(Foot::Field(label, hint.into(), Box::new(writing.input.clone()), true));
        }
        None => sheet.foot.push(Foot::Words(match &checks.trouble {
            Some(why) => format!("nothing can be kept: {why}"),
            None if !checks.is_read => "reading the earlier ticks".into(),
            None if cx.app.read_only => "read-only: nothing is ticked here   Esc closes".into(),
            None => "at the right, the 7 before: T tool, P person   Enter ticks   u withdraws".into(),
        })),
    }
    sheet
}

/// `[Daily 5 of 8]  Weekly 3 of 9  Monthly 1 of 9`
fn tabs(cx: &Cx<'_>, dialog: &ChecklistDialog, sheet: &mut Sheet) {
    let mut row = Row::default();
    for period in Period::ALL {
        let of = |is: fn(&&Line) -> bool| cx.app.checks.of(period).filter(is).count();
        let (ticked, all) = (of(|line| line.mark.is_ticked()), of(|_| true));
        let bad = of(|line| line.mark == Mark::NotMet);
        let open = period == dialog.period;
        let (left, right) = if open { ("[", "]") } else { (" ", " ") };
        let role = if open { Role::Strong } else { Role::Dim };
        let word = match period {
            Period::Daily => "Daily",
            Period::Weekly => "Weekly",
            Period::Monthly => "Monthly",
        };
        row = row.with(format!("{left}{word} {ticked} of {all}"), cx.look.style(role));
        if bad > 0 {
            row = row.with(format!(" {}{bad}", cx.look.glyphs().warning), cx.look.style(Role::Warning));
        }
        row = row.with(format!("{right} "), cx.look.style(role));
    }
    sheet.row(row);
}

fn face(cx: &Cx<'_>, mark: Mark) -> (&'static str, &'static str, Role) {
    let glyphs = cx.look.glyphs();
    match mark {
        Mark::Tool => (glyphs.ok, "tool", Role::Ok),
        Mark::Person => (glyphs.ok, "person", Role::Ok),
        Mark::Open => (glyphs.stale, "open", Role::Text),
        Mark::NotMet => (glyphs.warning, "not met", Role::Warning),
        Mark::CannotTell => (glyphs.unknown, "cannot tell", Role::Unknown),
    }
}

/// `▶ ● tool         service      every model server answers …   T T P – – – T`
fn row(cx: &Cx<'_>, line: &Line, chosen: bool) -> Row {
    let look = cx.look;
    let (glyph, word, role) = face(cx, line.mark);
    let pointer = if chosen { look.glyphs().selected } else { " " };
    let mut strong = look.style(if chosen { Role::Strong } else { Role::Text });
    if chosen {
        strong = strong.add_modifier(Modifier::BOLD);
    }
    let marks: Vec<&str> = line.earlier.iter().map(|past| letter(cx, past)).collect();
    let marks = marks.join(if cx.columns >= WORDS { " " } else { "" });
    let left = Row::of(format!("{pointer} "), look.style(Role::Selected))
        .with(text::pad(&format!("{glyph} {word}"), MARK), look.style(role));
    let taken = left.width() + text::width(&marks) + 2;
    let room = cx.columns.saturating_sub(taken);
    let words = if cx.columns >= WORDS {
        format!("{} {}", text::pad(line.item, ID), line.words)
    } else {
        line.item.into()
    };
    left.with(text::pad(&words, room), strong).with("  ", strong).with(marks, look.style(Role::Dim))
}

fn letter(cx: &Cx<'_>, past: &Past) -> &'static str {
    match past.mark {
        Some(Mark::Tool) => "T",
        Some(_) => "P",
        None => cx.look.glyphs().none,
    }
}

/// Everything of the chosen check.
fn detail(cx: &Cx<'_>, line: &Line, sheet: &mut Sheet) {
    let (_, _, role) = face(cx, line.mark);
    let state = match (line.mark, line.at) {
        (Mark::Person, Some(at)) => format!("ticked by {}, {} UTC", line.by, at.format("%-d %b %H:%M")),
        (mark, Some(at)) => format!("{}, {} UTC", mark.word(), at.format("%-d %b %H:%M")),
        (mark, None) => mark.word().to_owned(),
    };
    if cx.columns < WORDS || text::width(line.words) + LABEL + 34 > cx.columns {
        sheet.fact(cx, "check", line.words, Role::Text);
    }
    sheet.fact(cx, "state", &state, role);
    sheet.fact(cx, "evidence", &line.evidence, Role::Text);
    if line.now.words() != line.evidence && line.mark != Mark::NotMet {
        sheet.fact(cx, "now", line.now.words(), Role::Dim);
    }
    let earlier: Vec<String> = line
        .earlier
        .iter()
        .rev()
        .filter_map(|past| Some(format!("{} {} {}", past.short, past.by, past.at?.format("%-d %b %H:%M"))))
        .collect();
    let words = if earlier.is_empty() {
        "never ticked".into()
    } else {
        earlier.join(&format!(" {} ", cx.look.glyphs().dot))
    };
    sheet.fact(cx, "before", &words, Role::Dim);
}
