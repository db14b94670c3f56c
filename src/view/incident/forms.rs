//! What is asked before there is a sheet: a new incident, or one of several.

use super::words::{self, ago};
use crate::app::incident::{Declaration, DeclareField};
use crate::domain::incident::Severity;
use crate::view::act::Cx;
use crate::view::act::sheet::{Foot, LABEL, Sheet};
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::text;

/// A new incident.
pub fn declare(cx: &Cx, declaration: &Declaration) -> Sheet {
    let mut sheet = Sheet::new("Declare an incident", "nothing is written so far");
    let on = |field| declaration.field == field;
    let label = |words: &str, focused: bool| {
        let mark = if focused { cx.look.glyphs().selected } else { " " };
        Row::of(text::pad(words, LABEL - 2), cx.look.style(Role::Dim))
            .with(format!("{mark} "), cx.look.style(Role::Selected))
    };
    let mut row = label("severity", on(DeclareField::Severity));
    for severity in Severity::ALL {
        let chosen = severity == declaration.severity;
        let words = if chosen { format!("[{}]", severity.word()) } else { format!(" {} ", severity.word()) };
        let role = if chosen { words::severity_role(severity) } else { Role::Dim };
        row = row.with(format!("{words} "), cx.look.style(role));
    }
    sheet.row(row.with(format!(" {}", meaning(declaration.severity)), cx.look.style(Role::Dim)));
    let scope = declaration.scopes.get(declaration.scope).map_or("", |scope| scope.words.as_str());
    let of = declaration.scopes.len();
    let count = if of > 1 { format!("  {} of {of}", declaration.scope + 1) } else { String::new() };
    let room = cx.columns.saturating_sub(LABEL + text::width(&count));
    sheet.row(
        label("models", on(DeclareField::Models))
            .with(text::cut(scope, room), cx.look.style(Role::Text))
            .with(count, cx.look.style(Role::Dim)),
    );
    sheet.gap();
    sheet.say(
        cx,
        "Writes down when it started and what detected it, as measured, and that you took it on now.",
        Role::Dim,
    );
    let title = Box::new(declaration.title.clone());
    sheet.foot.push(Foot::Field("title", "what it is about".into(), title, on(DeclareField::Title)));
    sheet
        .foot
        .push(Foot::Words("Enter declares it   Tab moves   Left Right choose   Esc nothing done".into()));
    sheet
}

fn meaning(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "patients or all users",
        Severity::Sev2 => "a part of the users",
        Severity::Sev3 => "degraded, with a way around",
        Severity::Sev4 => "a nuisance",
    }
}

/// One of the open incidents, or a new one.
pub fn choose(cx: &Cx, cursor: usize) -> Sheet {
    let open = &cx.app.incidents.open;
    let mut sheet = Sheet::new("Incidents", format!("{} open", open.len()));
    let style = |role| cx.look.style(role);
    for (place, incident) in open.iter().enumerate() {
        let chosen = place == cursor;
        let mark = if chosen { cx.look.glyphs().selected } else { " " };
        let since = incident.started().map_or_else(String::new, |at| ago(at, cx.app.present()));
        let joined = incident.people.contains(&cx.app.operator);
        let people = format!("{}{}", incident.people.join(", "), if joined { ", you are in it" } else { "" });
        if chosen {
            sheet.shown = Some(sheet.len() + 1);
        }
        sheet.row(
            Row::of(format!("{mark} "), style(Role::Selected))
                .with(
                    format!("{} ", incident.severity.word()),
                    style(words::severity_role(incident.severity)),
                )
                .with(text::pad(&since, 8), style(Role::Dim))
                .with(incident.title.clone(), style(if chosen { Role::Strong } else { Role::Text })),
        );
        sheet.row(Row::of(format!("       {}{} {people}", " ".repeat(8), incident.id), style(Role::Dim)));
    }
    let chosen = cursor >= open.len();
    if chosen {
        sheet.shown = Some(sheet.len());
    }
    let mark = if chosen { cx.look.glyphs().selected } else { " " };
    sheet.row(
        Row::of(format!("{mark} "), style(Role::Selected))
            .with("declare another one", style(if chosen { Role::Strong } else { Role::Dim })),
    );
    let words = match open.get(cursor) {
        None => "Enter asks what it is about   Esc closes",
        Some(incident) if incident.people.contains(&cx.app.operator) => "Enter shows it   Esc closes",
        Some(_) if cx.app.spectator => "Enter shows it   Esc closes",
        Some(_) => "Enter joins it   Esc closes",
    };
    sheet.foot.push(Foot::Words(words.into()));
    sheet
}
