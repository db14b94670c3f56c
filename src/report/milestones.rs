//! Milestones with who set them, and the durations between them.

use super::Dossier;
use super::text::{inline, moment, span};
use crate::domain::incident::{Incident, Milestone};

/// A time between two milestones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duration {
    /// `time to detect`.
    pub name: &'static str,
    /// From.
    pub from: Milestone,
    /// To.
    pub to: Milestone,
    /// Seconds; absent while one of the two is not set.
    pub seconds: Option<f64>,
}

/// The durations that incidents are compared by.
pub fn durations(incident: &Incident) -> [Duration; 4] {
    use Milestone::{Acknowledged, Detected, Mitigated, Resolved, Started};
    let between = |name, from, to| {
        let seconds = incident
            .marks
            .get(&from)
            .zip(incident.marks.get(&to))
            .map(|(from, to)| (to.at - from.at).as_seconds_f64());
        Duration { name, from, to, seconds }
    };
    [
        between("time to detect", Started, Detected),
        between("time to acknowledge", Detected, Acknowledged),
        between("time to mitigate", Started, Mitigated),
        between("time to resolve", Started, Resolved),
    ]
}

impl Duration {
    /// In words; says which milestone is missing, or that the times contradict each other.
    pub(super) fn words(&self, incident: &Incident) -> String {
        let missing = |milestone| !incident.marks.contains_key(milestone);
        match self.seconds {
            Some(seconds) if seconds < 0.0 => {
                format!("{} (the two times contradict each other)", span(seconds))
            }
            Some(seconds) => span(seconds),
            None => {
                let missing: Vec<&str> = [&self.from, &self.to]
                    .into_iter()
                    .filter(|milestone| missing(milestone))
                    .map(|milestone| milestone.word())
                    .collect();
                let verb = if missing.len() == 1 { "is" } else { "are" };
                format!("not known: {} {verb} not set", missing.join(" and "))
            }
        }
    }
}

/// The state in words: `open`, `mitigated, not resolved`, `resolved`.
pub fn state(incident: &Incident) -> &'static str {
    if incident.marks.contains_key(&Milestone::Resolved) {
        "resolved"
    } else if incident.marks.contains_key(&Milestone::Mitigated) {
        "mitigated, not resolved"
    } else {
        "open"
    }
}

/// Both tables.
pub(super) fn tables(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let mut out = String::from("| Milestone | Time (UTC) | Who | Evidence |\n| --- | --- | --- | --- |\n");
    for milestone in Milestone::ALL {
        let row = match incident.marks.get(&milestone) {
            Some(mark) => format!("{} | {} | {}", moment(mark.at), inline(&mark.by), inline(&mark.evidence)),
            None => "not set | – | –".into(),
        };
        out.push_str(&format!("| {} | {row} |\n", milestone.word()));
    }
    out.push_str("\n| Duration | From – to | Length |\n| --- | --- | --- |\n");
    for duration in durations(incident) {
        out.push_str(&format!(
            "| {} | {} – {} | {} |\n",
            duration.name,
            duration.from.word(),
            duration.to.word(),
            duration.words(incident)
        ));
    }
    out
}
