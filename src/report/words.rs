//! An entry in words: what happened, and what speaks for it. Plain text, not yet cleaned.

use super::text::moment;
use crate::domain::Level;
use crate::domain::incident::{Entry, Matter};

/// The kind of an entry, one word: `note`, `milestone`.
pub fn kind(matter: &Matter) -> &'static str {
    match matter {
        Matter::Declared { .. } => "declared",
        Matter::Joined => "joined",
        Matter::Role { .. } => "role",
        Matter::Severity { .. } => "severity",
        Matter::Milestone { .. } => "milestone",
        Matter::Hypothesis { .. } => "hypothesis",
        Matter::NextDecision { .. } => "next decision",
        Matter::Note { .. } => "note",
        Matter::FollowUp { .. } => "follow-up",
        Matter::Update { .. } => "update",
        Matter::Seen { event } => event.kind.word(),
        Matter::Acted { .. } => "action",
        Matter::Correction { .. } => "correction",
    }
}

/// What happened.
pub fn event(entry: &Entry) -> String {
    match &entry.matter {
        Matter::Declared { title, severity, models } if models.is_empty() => {
            format!("declared {}: {title}", severity.word())
        }
        Matter::Declared { title, severity, models } => {
            format!("declared {}: {title} ({})", severity.word(), models.join(", "))
        }
        Matter::Joined => format!("{} joined", entry.by),
        Matter::Role { role, person } => format!("{person} has the {role} role"),
        Matter::Severity { severity } => format!("severity {}", severity.word()),
        Matter::Milestone { milestone, .. } => milestone.word().to_owned(),
        Matter::Hypothesis { text } => format!("hypothesis: {text}"),
        Matter::NextDecision { due, text } => format!("next decision due {}: {text}", moment(*due)),
        Matter::Note { text } => format!("note: {text}"),
        Matter::FollowUp { text, owner } if owner.is_empty() => {
            format!("to do afterwards: {text} (nobody yet)")
        }
        Matter::FollowUp { text, owner } => format!("to do afterwards: {text} ({owner})"),
        Matter::Update { text } => format!("others were told: {text}"),
        Matter::Seen { event } => match &event.model {
            Some(model) => format!("{model}: {}", event.what),
            None => event.what.clone(),
        },
        Matter::Acted { headline, stage, .. } => format!("{headline}: {stage}"),
        Matter::Correction { of, text, .. } => format!("correction of {of}: {text}"),
    }
}

/// What speaks for it, and who says so.
pub fn evidence(entry: &Entry) -> String {
    let mut parts = Vec::new();
    match &entry.matter {
        Matter::Milestone { evidence, .. } => parts.push(evidence.clone()),
        Matter::Seen { event } => {
            let level = match event.level {
                Level::NotMeasured | Level::Ok => String::new(),
                level => format!(" {}", level.word()),
            };
            parts.push(format!("{}{level}", event.kind.word()));
            parts.push(event.detail.clone());
        }
        Matter::Acted { act, audit, audit_ids, .. } => {
            parts.push(format!("act {act}"));
            parts.extend(audit.map(|number| format!("audit entry {number}")));
            parts.extend((!audit_ids.is_empty()).then(|| format!("Audit-ID {}", audit_ids.join(", "))));
        }
        Matter::Correction { happened: Some(happened), .. } => {
            parts.push(format!("it happened at {}", moment(*happened)));
        }
        _ => {}
    }
    let said = match &entry.matter {
        Matter::Joined => None,
        _ if entry.by == "wardroom" => Some("seen by wardroom".to_owned()),
        _ => Some(format!("by {}", entry.by)),
    };
    parts.extend(said);
    parts.retain(|part| !part.trim().is_empty());
    parts.join("; ")
}
