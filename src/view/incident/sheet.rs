//! The sheet of an incident: how it stands on top, its entries below, what is asked at the foot.

use super::words::{self, ago};
use crate::app::incident::{Ask, Asked, ROLES};
use crate::domain::Time;
use crate::domain::incident::{Entry, EntryId, Incident, IncidentId, Matter, Milestone, Severity};
use crate::view::act::Cx;
use crate::view::act::sheet::{Foot, Sheet};
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::panes::wrap;
use crate::view::text;

/// Columns of a clock and of a name.
const CLOCK: usize = 10;
const BY: usize = 18;
/// Between two keys.
const GAP: &str = "   ";
/// An entry recorded later than this after it happened shows both times, seconds.
const LATE_S: i64 = 60;

/// The sheet.
pub fn sheet(cx: &Cx, id: &IncidentId, ask: Option<&Ask>, scroll: u16) -> Sheet {
    let Some(incident) = cx.app.incidents.get(id) else {
        return Sheet::new(format!("Incident {id}"), "not known any more");
    };
    let now = cx.app.present();
    let rest = match (incident.is_open(), incident.started()) {
        (true, Some(at)) => format!("{id} · {} since start", ago(at, now)),
        (true, None) => id.to_string(),
        (false, _) => format!("{id} · resolved"),
    };
    let mut sheet = Sheet::new(format!("{} {}", incident.severity.word(), incident.title), rest);
    sheet.scroll = scroll.into();
    standing(cx, &mut sheet, incident);
    sheet.gap();
    let chosen = match ask.map(|ask| &ask.what) {
        Some(Asked::Choosing(place)) => incident.entries.iter().rev().nth(*place).map(|entry| &entry.id),
        Some(Asked::Correction(of)) => Some(of),
        _ => None,
    };
    for entry in incident.entries.iter().rev() {
        let is_chosen = chosen == Some(&entry.id);
        line(cx, &mut sheet, incident, entry, is_chosen);
        if is_chosen {
            sheet.shown = sheet.len().checked_sub(1);
        }
    }
    foot(cx, &mut sheet, incident, ask);
    sheet
}

/// Milestones, people, what is thought and what comes next.
fn standing(cx: &Cx, sheet: &mut Sheet, incident: &Incident) {
    let now = cx.app.present();
    milestones(cx, sheet, incident);
    let (update, late) = words::update(incident, now);
    let update = update.trim_start_matches("update ");
    let update = if late { format!("{update}, overdue") } else { update.to_owned() };
    sheet.fact(cx, "update", &update, if late { Role::Warning } else { Role::Text });
    let roles: Vec<String> = ROLES
        .iter()
        .map(|role| match incident.roles.get(*role) {
            Some(person) => format!("{role} {person}"),
            None => format!("no {role}"),
        })
        .collect();
    let has_commander = incident.roles.contains_key(ROLES[0]);
    let dot = format!(" {} ", cx.look.glyphs().dot);
    sheet.fact(cx, "roles", &roles.join(&dot), if has_commander { Role::Text } else { Role::Dim });
    sheet.fact(cx, "in it", &incident.people.join(", "), Role::Text);
    let (thought, role) = match &incident.hypothesis {
        Some(words) => (words.as_str(), Role::Text),
        None => ("none so far", Role::Dim),
    };
    sheet.fact(cx, "hypothesis", thought, role);
    match words::decision(incident, now) {
        Some((words, late)) => {
            let words = words.trim_start_matches("next ");
            let words = if late { format!("{words}, overdue") } else { words.to_owned() };
            sheet.fact(cx, "decision", &words, if late { Role::Warning } else { Role::Text });
        }
        None => sheet.fact(cx, "decision", "none due", Role::Dim),
    }
    let acts: Vec<String> = words::flying(cx.app, incident)
        .into_iter()
        .map(|(headline, since)| format!("{headline} {}", ago(since, now)))
        .collect();
    if !acts.is_empty() {
        sheet.fact(cx, "in flight", &acts.join(", "), Role::Strong);
    }
    let models: Vec<String> = incident
        .models
        .iter()
        .map(|name| match cx.store.models.iter().find(|model| *model.id.name == **name) {
            Some(model) => format!("{name} {} {}", model.level.word(), model.why).trim_end().to_owned(),
            None => name.clone(),
        })
        .collect();
    let models = if models.is_empty() { "the whole fleet".to_owned() } else { models.join(&dot) };
    sheet.fact(cx, "models", &models, Role::Text);
    let waiting = incident.entries.iter().filter(|entry| cx.app.incidents.is_pending(&entry.id)).count();
    match &cx.app.incidents.alone {
        Some(why) => {
            sheet.fact(cx, "kept", &format!("in this session only: {why}"), Role::Warning);
        }
        None if waiting > 0 => {
            sheet.fact(cx, "kept", &format!("{waiting} being written"), Role::Dim);
        }
        None => {}
    }
}

fn milestones(cx: &Cx, sheet: &mut Sheet, incident: &Incident) {
    let mut reached = Vec::new();
    for milestone in Milestone::ALL {
        let Some(mark) = incident.marks.get(&milestone) else {
            reached.push(format!("{} {}", milestone.word(), cx.look.glyphs().none));
            continue;
        };
        let took = match milestone {
            Milestone::Started => None,
            Milestone::Detected => incident.time_to_detect(),
            Milestone::Acknowledged => incident.time_to_acknowledge(),
            Milestone::Mitigated => incident.time_to_mitigate(),
            Milestone::Resolved => incident.time_to_resolve(),
        };
        let took =
            took.map(|took| format!(" after {}", text::age(took.as_seconds_f64()))).unwrap_or_default();
        reached.push(format!("{} {}{took}", milestone.word(), when(mark.at, cx.app.present())));
    }
    sheet.fact(cx, "milestones", &reached.join(&format!(" {} ", cx.look.glyphs().dot)), Role::Text);
}

/// The clock; with the day when that is not within the last 24 hours.
fn when(at: Time, now: Time) -> String {
    if (now - at).num_hours().abs() < 24 { text::clock(at) } else { at.format("%b %d %H:%M").to_string() }
}

/// One entry, over as many rows as needed.
fn line(cx: &Cx, sheet: &mut Sheet, incident: &Incident, entry: &Entry, chosen: bool) {
    let pending = cx.app.incidents.is_pending(&entry.id);
    let (mut said, mut role) = words::matter(entry);
    if let Matter::Correction { of, .. } = &entry.matter {
        said.push_str(&format!(" (of {})", named(incident, of)));
    }
    if (entry.recorded - entry.happened).num_seconds() > LATE_S {
        said.push_str(&format!(" (recorded {})", text::clock(entry.recorded)));
    }
    if incident.correction_of(&entry.id).is_some() {
        said.push_str(" (corrected)");
        role = Role::Dim;
    }
    if pending {
        said.push_str(&format!(" {}", cx.look.glyphs().ellipsis));
        role = Role::Dim;
    }
    let by = if cx.columns >= 70 { BY } else { 0 };
    let mark = if chosen { cx.look.glyphs().selected } else { " " };
    let role = if chosen { Role::Strong } else { role };
    let room = cx.columns.saturating_sub(2 + CLOCK + by).max(8);
    let style = |role| cx.look.style(role);
    for (place, words) in wrap(&said, room).into_iter().enumerate() {
        let row = if place == 0 {
            Row::of(format!("{mark} "), style(Role::Selected))
                .with(text::pad(&text::clock(entry.happened), CLOCK), style(Role::Dim))
                .with(padded(&entry.by, by), style(Role::Dim))
        } else {
            Row::of(" ".repeat(2 + CLOCK + by), style(Role::Dim))
        };
        sheet.row(row.with(words, style(role)));
    }
}

/// A name that never touches what follows.
fn padded(name: &str, columns: usize) -> String {
    match columns {
        0 => String::new(),
        columns => text::pad(&text::cut(name, columns - 1), columns),
    }
}

/// An entry named by its time and its first words.
fn named(incident: &Incident, id: &EntryId) -> String {
    match incident.entries.iter().find(|entry| entry.id == *id) {
        Some(entry) => {
            format!("{} {}", text::clock(entry.happened), text::cut(&words::matter(entry).0, 30))
        }
        None => "an entry that is not here".into(),
    }
}

fn foot(cx: &Cx, sheet: &mut Sheet, incident: &Incident, ask: Option<&Ask>) {
    let Some(ask) = ask else {
        sheet.foot.extend(keys(cx).into_iter().map(Foot::Words));
        return;
    };
    let among = |words: &[&str], chosen: usize| {
        let shown = words
            .iter()
            .enumerate()
            .map(|(place, word)| if place == chosen { format!("[{word}]") } else { format!(" {word} ") });
        shown.collect::<Vec<_>>().join(" ")
    };
    let mut field = |label: &'static str, hint: &str| {
        sheet.foot.push(Foot::Field(label, hint.into(), Box::new(ask.input.clone()), true));
    };
    match &ask.what {
        Asked::Note => field("note", "what you see, do, or heard"),
        Asked::Update => field("update", "what others were told"),
        Asked::Hypothesis => field("thought", "what is thought to be the cause"),
        Asked::FollowUp => field("later", "what is to be done afterwards"),
        Asked::Decision => field("decide", "15 roll back unless p95 falls"),
        Asked::Correction(of) => {
            field("right", "what is right; 14:05 before it, when the time was wrong");
            sheet.foot.insert(0, Foot::Words(format!("corrects {}; both stay", named(incident, of))));
        }
        Asked::Milestone(place) => {
            field("because", "what speaks for it; 14:05 before it, when it was earlier");
            let words = Milestone::ALL.map(Milestone::word);
            sheet.foot.insert(0, Foot::Words(among(&words, *place)));
        }
        Asked::Role(place) => {
            sheet.foot.push(Foot::Words(format!("you take: {}", among(&ROLES, *place))));
        }
        Asked::Severity(place) => {
            let words = Severity::ALL.map(Severity::word);
            sheet.foot.push(Foot::Words(format!("severity: {}", among(&words, *place))));
        }
        Asked::Choosing(_) => {
            sheet.foot.push(Foot::Words("which entry is wrong? Enter chooses it".into()));
        }
    }
}

/// The keys of the sheet.
fn keys(cx: &Cx) -> Vec<String> {
    if cx.app.spectator {
        return vec!["a spectator only looks   Esc closes".into()];
    }
    let words = [
        "n note",
        "u update",
        "h hypothesis",
        "r role",
        "s severity",
        "d decision",
        "m milestone",
        "c correct",
        "f follow-up",
    ];
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if text::width(line) + GAP.len() + text::width(word) <= cx.columns => {
                line.push_str(GAP);
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
