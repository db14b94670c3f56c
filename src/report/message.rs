//! The message to people who are affected and do not know the tools: clinical team, product, management.

use super::text::{inline, moment, span};
use super::{Dossier, impact, milestones};
use crate::domain::incident::{Matter, Milestone, Severity};

/// Subject, what happened, who is affected, what was done, what comes next. What is not known is left to be filled in.
pub fn stakeholder(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let filled = dossier.filled_by("communication");
    let state = milestones::state(incident);
    let mut out = format!(
        "Subject: [{}] {} – {state}\n\n",
        incident.severity.word(),
        // A subject is no Markdown.
        crate::domain::text::clean(&incident.title, 200)
    );
    out.push_str(&format!(
        "As of {} UTC. Incident {}, environment {}.\n\n",
        moment(dossier.now),
        inline(&incident.id.0),
        inline(dossier.environment)
    ));
    out.push_str(&format!("**What happened.** {}.", inline(&incident.title)));
    match (incident.marks.get(&Milestone::Started), incident.marks.get(&Milestone::Detected)) {
        (Some(started), Some(detected)) => out.push_str(&format!(
            " It began at {} UTC and was noticed at {} UTC.",
            moment(started.at),
            moment(detected.at)
        )),
        (Some(started), None) => out.push_str(&format!(" It began at {} UTC.", moment(started.at))),
        (None, Some(detected)) => out.push_str(&format!(
            " It was noticed at {} UTC; when it began is not known yet.",
            moment(detected.at)
        )),
        (None, None) => out.push_str(" When it began is not known yet."),
    }
    out.push_str("\n\n**Who is affected.** ");
    out.push_str(&format!("{} ({}).", reach(incident.severity), inline(&dossier.models())));
    for one in impact(incident, dossier.now) {
        let bad = one.critical_s + one.warning_s;
        let again =
            if one.until.is_some() { "It is well again" } else { "It is not seen to be well again yet" };
        out.push_str(&format!(" {} was outside its limits for {}. {again}.", inline(&one.model), span(bad)));
    }
    out.push_str(&format!(" What this means for patients and results: {filled}.\n\n"));
    out.push_str(&format!("**What was done.** {}\n\n", done(dossier)));
    out.push_str(&format!("**Where it stands.** {}", where_it_stands(dossier)));
    out.push_str(&format!(
        "\n\n**Cause.** {}\n\n",
        match &incident.hypothesis {
            Some(hypothesis) => format!("Not confirmed yet; thought to be: {}.", inline(hypothesis)),
            None => format!("Not known yet; {filled}."),
        }
    ));
    out.push_str("**What to do until then.** ");
    out.push_str(&format!("{filled}.\n\n**Next message.** "));
    out.push_str(&match &incident.next_decision {
        Some((due, text)) if state != "resolved" => {
            format!("After the next decision, due {} UTC: {}.", moment(*due), inline(text))
        }
        _ if state == "resolved" => "With the report of this incident.".into(),
        _ => format!("{filled}."),
    });
    out.push_str("\n\n**Questions to.** ");
    out.push_str(&match incident.roles.get("communication").or_else(|| incident.roles.get("commander")) {
        Some(person) => format!("{}.\n", inline(person)),
        None => format!("{filled}.\n"),
    });
    out
}

fn reach(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "Patients or all users",
        Severity::Sev2 => "A part of the users",
        Severity::Sev3 => "Users, who have a way around it",
        Severity::Sev4 => "Few users, to whom it is a nuisance",
    }
}

/// The last stage of each act, once.
fn done(dossier: &Dossier<'_>) -> String {
    let mut acts: Vec<(&str, String)> = Vec::new();
    for entry in &dossier.incident.entries {
        if let Matter::Acted { act, headline, stage, .. } = &entry.matter {
            let words = format!("{} UTC: {} ({}).", moment(entry.happened), inline(headline), inline(stage));
            match acts.iter_mut().find(|(known, _)| *known == act.0) {
                Some((_, old)) => *old = words,
                None => acts.push((&act.0, words)),
            }
        }
    }
    if acts.is_empty() {
        return "Nothing was changed with wardroom so far.".into();
    }
    acts.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" ")
}

fn where_it_stands(dossier: &Dossier<'_>) -> String {
    let marks = &dossier.incident.marks;
    match (marks.get(&Milestone::Mitigated), marks.get(&Milestone::Resolved)) {
        (_, Some(mark)) => format!("Resolved at {} UTC.", moment(mark.at)),
        (Some(mark), None) => {
            format!("Users are well again since {} UTC; the work goes on.", moment(mark.at))
        }
        (None, None) => "Not mitigated yet; it is being worked on.".into(),
    }
}
