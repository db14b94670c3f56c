//! The help: made from the table of actions and the commands, so that it cannot be wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::{Look, Role};
use super::page::{self, Row};
use super::panes::wrap;
use super::text;
use crate::app::command::WITH_ARGUMENT;
use crate::app::{ACTIONS, Action, App, Availability};
use crate::domain::Level;
use crate::store::Store;

/// Columns for a key or a command.
const KEYS: usize = 16;
/// Columns of a reason: it fits beside the second column.
const REASON: usize = 50;
/// Columns from which the help stands in two columns.
const TWO: u16 = 120;

/// Draws the help, scrolled by `offset` lines.
pub fn draw(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look, offset: u16) {
    let width = if area.width < 60 { 9 } else { KEYS };
    let keys = ["act", "move", "time", "look"].map(|name| group(name, app, store, look, width));
    let more = [group("wardroom", app, store, look, width), commands(look), legend(look, width)];
    let columns = if area.width >= TWO {
        vec![join(&keys), join(&more)]
    } else {
        vec![join(&[join(&keys), join(&more)])]
    };
    page::draw(buf, area, look, "Help", &columns, offset);
}

/// Blocks with a blank row between them.
fn join(blocks: &[Vec<Row>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for block in blocks {
        if !rows.is_empty() {
            rows.push(Row::default());
        }
        rows.extend(block.iter().cloned());
    }
    rows
}

fn group(name: &str, app: &App, store: &Store, look: &Look, width: usize) -> Vec<Row> {
    let mut rows = vec![Row::of(name.to_uppercase(), look.style(Role::Heading))];
    let mut reasons: Vec<(String, String)> = Vec::new();
    for row in ACTIONS.iter().filter(|row| row.group == name) {
        let keys = app.keymap.keys(row.action);
        let keys = if width < KEYS { app.keymap.key(row.action) } else { keys.join(" ") };
        let can = match row.action.availability(app, store) {
            Availability::Yes => true,
            Availability::No(why) => {
                let key = app.keymap.key(row.action);
                match reasons.iter_mut().find(|(_, known)| *known == why) {
                    Some((keys, _)) => keys.extend([" ", &key]),
                    None => reasons.push((key, why.into_owned())),
                }
                false
            }
        };
        let (key, words) = if can { (Role::Key, Role::Text) } else { (Role::Faint, Role::Faint) };
        let line = Row::of(text::pad(&keys, width), look.style(key));
        rows.push(line.with(row.words, look.style(words)));
    }
    for (keys, why) in reasons {
        rows.push(Row::of(format!("  not now: {keys}"), look.style(Role::Text)));
        rows.extend(
            wrap(&why, REASON).into_iter().map(|why| Row::of(format!("    {why}"), look.style(Role::Text))),
        );
    }
    rows
}

fn commands(look: &Look) -> Vec<Row> {
    let mut rows = vec![Row::of("COMMANDS", look.style(Role::Heading))];
    for (name, argument, words) in WITH_ARGUMENT {
        let line = Row::of(text::pad(&format!(":{name} {argument}"), KEYS + 2), look.style(Role::Key));
        rows.push(line.with(*words, look.style(Role::Text)));
    }
    let any = Action::Refresh.row().name;
    let line = Row::of(text::pad(&format!(":{any}"), KEYS + 2), look.style(Role::Key));
    rows.push(line.with("every action above has its name as a command", look.style(Role::Text)));
    rows
}

fn legend(look: &Look, width: usize) -> Vec<Row> {
    let mut rows = vec![Row::of("MARKS", look.style(Role::Heading))];
    let meanings = [
        (Level::Critical, "critical: beyond its critical limit, somebody must act"),
        (Level::Warning, "warning: beyond its warning limit, somebody should look"),
        (Level::Unknown, "unknown: a source does not answer, is stale, or there are too few samples"),
        (Level::Ok, "ok: grey and without a mark in the fleet"),
        (Level::NotMeasured, "no source measures it"),
    ];
    for (level, words) in meanings {
        let (glyph, style) = look.level(level);
        rows.push(Row::of(text::pad(glyph, width), style).with(words, look.style(Role::Text)));
    }
    let g = look.glyphs();
    let more = [
        (format!("{}64", g.stale), "old: the last value known, not the current one"),
        (format!("{}1000", g.at_least), "at least: above the histogram's last bucket"),
        (g.armed.to_owned(), "after a name: wardroom acts by itself when its canary is judged bad"),
        (g.none.to_owned(), "no value"),
    ];
    for (mark, words) in more {
        rows.push(
            Row::of(text::pad(&mark, width), look.style(Role::Text)).with(words, look.style(Role::Text)),
        );
    }
    rows
}
