//! `wardroom doctor`: tries every configured source and the terminal, and says what to do.

use std::collections::BTreeSet;

use super::args::Common;
use super::{logging, out, settings, stage};
use crate::domain::Report;
use crate::store::Store;
use crate::terminal;

/// Runs it: exit code 0 when all works, 1 when something does not.
///
/// # Errors
/// A config that is wrong, a source that cannot be set up.
pub fn run(common: &Common) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let loaded = settings::load(common).map_err(|error| error.to_string())?;
    let mut lines = vec![format!(
        "config     {}",
        loaded.file.as_ref().map_or_else(String::new, |f| f.display().to_string())
    )];
    let terminal_works = about_terminal(&mut lines);
    let (store, reports) = stage::one_round(&loaded.config)?;
    let troubles = about_sources(&store, &reports, &mut lines);
    let unmeasured = about_models(&store, &mut lines);
    lines.push(match (troubles, unmeasured) {
        (0, 0) => "everything works".into(),
        _ => format!(
            "{troubles} of {} sources in trouble, {unmeasured} models without a measurement",
            store.sources.len()
        ),
    });
    if !terminal_works {
        lines.push("the room itself needs a terminal; check and snapshot do not".into());
    }
    out::say(&lines.join("\n"));
    Ok(u8::from(troubles + unmeasured > 0))
}

fn about_terminal(lines: &mut Vec<String>) -> bool {
    match terminal::detect_here(&|name| std::env::var(name).ok()) {
        Ok(found) => {
            let characters =
                if found.unicode { "UTF-8" } else { "ASCII only (set LANG to a UTF-8 locale for more)" };
            let tmux = if found.multiplexed {
                "; inside tmux or screen copying needs `set-clipboard on`"
            } else {
                ""
            };
            lines.push(format!(
                "terminal   ok  {}  {:?} colours  {characters}{tmux}",
                found.term, found.colours
            ));
            true
        }
        Err(refusal) => {
            lines.push(format!("terminal   no  {refusal}"));
            false
        }
    }
}

fn about_sources(store: &Store, reports: &[Report], lines: &mut Vec<String>) -> usize {
    let mut troubles = 0;
    for source in &store.sources {
        let info = &source.info;
        let head = format!("{:<14} {}", info.kind, info.id);
        match reports.iter().find(|report| report.source == info.id).map(|report| &report.outcome) {
            Some(Ok(harvest)) => {
                lines.push(format!(
                    "ok  {head}  {}  {:.0} ms  {} facts",
                    info.place,
                    source.took_ms,
                    harvest.facts.len()
                ));
                if source.skew_s.abs() > 5.0 {
                    lines.push(format!(
                        "      its clock is {:+.0} s from ours: ages are corrected, look at NTP",
                        source.skew_s
                    ));
                }
            }
            Some(Err(fault)) => {
                troubles += 1;
                lines.push(format!("NO  {head}  {}  {}: {}", info.place, fault.kind.word(), fault.detail));
                if !fault.remedy.is_empty() {
                    lines.push(format!("      {}", fault.remedy));
                }
            }
            None => {
                troubles += 1;
                lines.push(format!("NO  {head}  {}  was not asked", info.place));
            }
        }
        lines.extend(source.remarks.iter().map(|remark| format!("      {remark}")));
    }
    troubles
}

fn about_models(store: &Store, lines: &mut Vec<String>) -> usize {
    let mut without = 0;
    for model in &store.models {
        let measured: BTreeSet<&str> = model
            .readings
            .iter()
            .filter(|((_, version), _)| version.is_none())
            .map(|((kpi, _), _)| kpi.id())
            .collect();
        if measured.is_empty() {
            without += 1;
            lines.push(format!(
                "NO  model {}  nothing measures it: give it [model.prometheus] or [[model.endpoint]] metrics",
                model.id
            ));
        } else {
            let list = measured.into_iter().collect::<Vec<_>>().join(" ");
            lines.push(format!("ok  model {}  {}: {list}", model.id, model.level.word()));
        }
    }
    without
}
