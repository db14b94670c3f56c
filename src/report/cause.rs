//! The template of a root-cause analysis: four families of causes, filled in with what is known.

use super::text::{inline, moment};
use super::{Dossier, Facts, impact, words};
use crate::domain::drift::DriftLevel;
use crate::domain::incident::{Entry, Matter, Milestone};
use crate::domain::{EventKind, Kpi};

/// How many lines of one kind a document repeats; the timeline has all.
const LINES: usize = 15;

/// A family of causes: its name, who knows, and what is to be asked.
struct Family {
    name: &'static str,
    who: &'static str,
    ask: &'static [&'static str],
    /// What wardroom saw that speaks for it; empty: nothing.
    known: fn(&Dossier<'_>) -> String,
}

const DATA: Family = Family {
    name: "Data quality",
    who: "the data engineers",
    ask: &[
        "missing values, outliers and mistyped entries in the inputs of this time",
        "whether every step of the data pipeline ran, and ran once",
        "changes to the record systems that feed it, and to their interfaces",
    ],
    known: of_data,
};
const POPULATION: Family = Family {
    name: "Population",
    who: "the biostatistician",
    ask: &[
        "age, sex and other groups of the patients against those of the training data",
        "the season, and what it does to these inputs",
        "who is admitted and from where, against the time before",
    ],
    known: of_population,
};
const PRACTICE: Family = Family {
    name: "Clinical practice",
    who: "the clinical champion",
    ask: &["new protocols of treatment", "changed criteria of diagnosis", "changed habits of referral"],
    known: of_practice,
};
const TECHNICAL: Family = Family {
    name: "Technical",
    who: "the model team",
    ask: &[
        "changes to feature engineering and preprocessing, also those outside the model's own version",
        "changes to servers, libraries, hardware and network",
        "what differs between the version before and the one that was live",
    ],
    known: of_technical,
};

/// The template; what is not known says by whom it is to be filled in.
pub fn root_cause(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let detected = incident.marks.get(&Milestone::Detected);
    let mut out = format!("# Root-cause analysis: {}\n\n| | |\n| --- | --- |\n", inline(&incident.title));
    let rows = [
        ("Incident", format!("{}, {}", inline(&incident.id.0), incident.severity.word())),
        ("Models", inline(&dossier.models())),
        ("Environment", inline(dossier.environment)),
        (
            "Detected",
            detected.map_or_else(
                || format!("not set; {}", dossier.filled_by("scribe")),
                |mark| {
                    format!("{} UTC by {} ({})", moment(mark.at), inline(&mark.by), inline(&mark.evidence))
                },
            ),
        ),
        ("Written", format!("{} UTC", moment(dossier.now))),
    ];
    for (name, text) in rows {
        out.push_str(&format!("| {name} | {text} |\n"));
    }
    out.push_str("\n## What is known\n\n### Versions\n\n");
    out.push_str(&versions(dossier));
    out.push_str("\n### Drift\n\n");
    out.push_str(&drift(dossier.facts));
    out.push_str("\n### Limits crossed and alerts\n\n");
    out.push_str(&seen(
        dossier,
        &[EventKind::Judgement, EventKind::Alert],
        "None was seen in this incident.",
    ));
    out.push_str("\n### Acts\n\n");
    out.push_str(&acts(dossier));
    out.push_str("\n## Findings\n");
    for (number, family) in [DATA, POPULATION, PRACTICE, TECHNICAL].iter().enumerate() {
        out.push_str(&format!("\n### {}. {}\n\n", number + 1, family.name));
        let known = (family.known)(dossier);
        out.push_str(if known.is_empty() { "wardroom saw nothing that speaks for this.\n" } else { &known });
        out.push_str("\nTo be looked at:\n\n");
        for ask in family.ask {
            out.push_str(&format!("- [ ] {ask}\n"));
        }
        out.push_str(&format!("\nFinding: _to be filled in by {}_\n", family.who));
    }
    out.push_str("\n## Root cause\n\n");
    let hypotheses: Vec<String> = incident.entries.iter().filter_map(hypothesis).collect();
    if !hypotheses.is_empty() {
        out.push_str("Hypotheses during the incident, the last one held at its end:\n\n");
        out.push_str(&hypotheses.concat());
        out.push('\n');
    }
    out.push_str(&format!("Root cause: {}\n\n", dossier.filled_by("commander")));
    out.push_str(&ending(dossier));
    out
}

fn hypothesis(entry: &Entry) -> Option<String> {
    let Matter::Hypothesis { text } = &entry.matter else { return None };
    Some(format!("- {} UTC, {}: {}\n", moment(entry.happened), inline(&entry.by), inline(text)))
}

fn versions(dossier: &Dossier<'_>) -> String {
    let mut out = String::new();
    for fact in dossier.facts {
        if out.is_empty() {
            out.push_str(
                "| Model | As of (UTC) | Serves | Canary | Production in the registries | State |\n",
            );
            out.push_str("| --- | --- | --- | --- | --- | --- |\n");
        }
        let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { inline(text) };
        let registries: Vec<String> =
            fact.registries.iter().map(|(name, version)| format!("{name}: {version}")).collect();
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            inline(&fact.model),
            fact.at.map_or_else(|| "–".into(), moment),
            or(&fact.live, "not known"),
            or(&fact.canary, "none"),
            or(&registries.join(", "), "not known"),
            or(&fact.level, "not known")
        ));
    }
    if out.is_empty() {
        out.push_str("No state of the models was kept of this time.\n");
    }
    let changes = lines(dossier, &[EventKind::Rollout, EventKind::Registry]);
    if !changes.is_empty() {
        out.push_str(&format!("\nChanges in the incident:\n\n{changes}"));
    }
    out
}

fn drift(facts: &[Facts]) -> String {
    let mut out = String::new();
    for fact in facts {
        let Some(score) = fact.drift else { continue };
        let level = DriftLevel::of(score);
        let word = level.map_or("not known", DriftLevel::word);
        let at = fact.at.map(|at| format!(" at {} UTC", moment(at))).unwrap_or_default();
        out.push_str(&format!("**{}**{at}: drift score {score:.3}, {word}", inline(&fact.model)));
        out.push_str(&level.map_or_else(String::new, |level| format!(" ({})", due(level))));
        out.push_str(".\n\n");
        if !fact.drifted.is_empty() {
            out.push_str(
                "| Feature | Method | Score | Level | Since (UTC) |\n| --- | --- | ---: | --- | --- |\n",
            );
            for one in &fact.drifted {
                out.push_str(&format!(
                    "| {} | {} | {:.4} | {} | {} |\n",
                    inline(&one.feature),
                    inline(&one.method),
                    one.raw,
                    inline(&one.level),
                    one.since.map_or_else(|| "–".into(), moment)
                ));
            }
            out.push('\n');
        }
    }
    for fact in facts {
        for (kind, text) in &fact.findings {
            out.push_str(&format!("- {}, {}: {}\n", inline(&fact.model), inline(kind), inline(text)));
        }
    }
    if out.is_empty() {
        out.push_str("No measure of drift was kept of this time.\n");
    }
    out.trim_end().to_owned() + "\n"
}

fn due(level: DriftLevel) -> String {
    match level.days() {
        Some(days) => format!("the guide: {} within {days} days", level.advice()),
        None => format!("the guide: {}", level.advice()),
    }
}

/// Lines of the timeline of these kinds, as a list.
fn lines(dossier: &Dossier<'_>, kinds: &[EventKind]) -> String {
    let of_kind =
        |entry: &&Entry| matches!(&entry.matter, Matter::Seen { event } if kinds.contains(&event.kind));
    listed(dossier.incident.entries.iter().filter(of_kind).collect())
}

fn listed(entries: Vec<&Entry>) -> String {
    let mut out = String::new();
    for entry in entries.iter().take(LINES) {
        out.push_str(&format!(
            "- {} UTC, {} ({})\n",
            moment(entry.happened),
            inline(&words::event(entry)),
            inline(&words::evidence(entry))
        ));
    }
    if entries.len() > LINES {
        out.push_str(&format!("- and {} more in the timeline\n", entries.len() - LINES));
    }
    out
}

fn seen(dossier: &Dossier<'_>, kinds: &[EventKind], none: &str) -> String {
    let found = lines(dossier, kinds);
    if found.is_empty() { format!("{none}\n") } else { found }
}

fn acts(dossier: &Dossier<'_>) -> String {
    let acted = |entry: &&Entry| matches!(entry.matter, Matter::Acted { .. });
    let found = listed(dossier.incident.entries.iter().filter(acted).collect());
    if found.is_empty() { "Nothing was done with wardroom in this incident.\n".into() } else { found }
}

/// Abnormal findings of models whose kind has this word.
fn findings(dossier: &Dossier<'_>, word: &str) -> String {
    let all = dossier.facts.iter().flat_map(|fact| fact.findings.iter());
    all.filter(|(kind, _)| kind.to_lowercase().contains(word))
        .map(|(kind, text)| format!("- {}: {}\n", inline(kind), inline(text)))
        .collect()
}

fn of_data(dossier: &Dossier<'_>) -> String {
    [lines(dossier, &[EventKind::Source]), findings(dossier, "missing"), findings(dossier, "quality")]
        .concat()
}

fn of_population(dossier: &Dossier<'_>) -> String {
    let mut drifted: Vec<String> = (dossier.facts.iter())
        .flat_map(|fact| fact.drifted.iter().map(move |one| (fact, one)))
        .map(|(fact, one)| {
            format!("{} of {} ({})", inline(&one.feature), inline(&fact.model), inline(&one.level))
        })
        .collect();
    drifted.sort();
    drifted.dedup();
    let mut out = String::new();
    if !drifted.is_empty() {
        out.push_str(&format!("- features that drifted: {}\n", drifted.join(", ")));
    }
    out.push_str(&lines(dossier, &[EventKind::Drift]));
    out
}

fn of_practice(dossier: &Dossier<'_>) -> String {
    let mut out = findings(dossier, "concept") + &findings(dossier, "prediction");
    let is_quality = |cause: &String| Kpi::all().any(|kpi| kpi.is_quality() && kpi.short() == cause);
    for mut one in impact(dossier.incident, dossier.now) {
        one.causes.retain(is_quality);
        if !one.causes.is_empty() {
            out.push_str(&format!(
                "- the quality of {} fell ({}): inputs and outcomes may belong together differently now\n",
                inline(&one.model),
                inline(&one.causes.join(", "))
            ));
        }
    }
    out
}

fn of_technical(dossier: &Dossier<'_>) -> String {
    let mut out = lines(dossier, &[EventKind::Rollout, EventKind::Registry]);
    for fact in dossier.facts {
        let at = fact.at.map(|at| format!(" at {} UTC", moment(at))).unwrap_or_default();
        for words in &fact.disagreements {
            out.push_str(&format!("- {}{at}: {}\n", inline(&fact.model), inline(words)));
        }
    }
    out
}

fn ending(dossier: &Dossier<'_>) -> String {
    let commander = dossier.filled_by("commander");
    let worst = dossier.facts.iter().filter_map(|fact| fact.drift).filter_map(DriftLevel::of).max();
    let deadline = worst.and_then(|level| Some((level, level.days()?)));
    let target = match deadline {
        Some((level, days)) => {
            format!("{commander}; for {} drift the guide asks for it within {days} days", level.word())
        }
        None => commander.clone(),
    };
    format!(
        "## What is to be done\n\n- [ ] only keep watching\n- [ ] train again with recent data\n- [ ] change the feature \
         engineering\n- [ ] change the data pipeline\n- [ ] change the clinical workflow\n\nChosen because: {commander}\n\n\
         ## Plan\n\n| | |\n| --- | --- |\n| Begin | {commander} |\n| Done by | {target} |\n| Owner | {commander} |\n"
    )
}
