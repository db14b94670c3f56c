//! The report of a drill: as a document, and for people. Pure.

use std::fmt::Write;

use serde_json::{Value, json};

use super::machine::{Drill, End, TARGET_S};
use super::marks::Mark;
use crate::domain::act::{Act, Check, CheckState};

/// How many earlier drills are listed.
const EARLIER: usize = 12;
/// Columns of the strip of points.
const STRIP: usize = 60;

/// Milliseconds are enough.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}

impl Drill {
    /// Why it ended early, in words; empty when it went through.
    fn ended(&self) -> String {
        match &self.end {
            Some(End::NotRun(why)) => format!("could not run: {why}"),
            Some(End::NotInTime(why) | End::Failed(why)) => why.clone(),
            None => String::new(),
        }
    }

    /// The line that is kept.
    pub fn line(&self) -> Value {
        json!({
            "drill": self.setting.id,
            "begun_at": self.begun,
            "scenario": self.setting.scenario.name(),
            "on": self.setting.on,
            "auto": self.setting.auto,
            "by": self.setting.by,
            "verified": self.is_verified(),
            "confirmed_to_verified_s": self.headline_s().map(rounded),
            "injected_to_detected_s": self.marks.between(Mark::Injected, Mark::Detected).map(rounded),
            "exit_code": self.exit_code(),
        })
    }

    /// The whole report; `limits` is what the stage cannot prove, `earlier` the lines of earlier drills.
    pub fn document(&self, limits: &[String], earlier: &[Value]) -> Value {
        let seconds = |mark: Mark| self.marks.between(Mark::Injected, mark).map(rounded);
        let marks: serde_json::Map<String, Value> =
            Mark::ALL.iter().map(|mark| (mark.key().to_owned(), json!(seconds(*mark)))).collect();
        let times: serde_json::Map<String, Value> =
            Mark::ALL.iter().map(|mark| (mark.key().to_owned(), json!(self.marks.at(*mark)))).collect();
        let act = self.act.as_deref();
        let mut checks: Vec<Value> = act.iter().flat_map(|act| &act.checks).map(of_act).collect();
        checks.extend(self.proofs.iter().map(|proof| {
            json!({"id": proof.id, "words": proof.words, "needed": true, "passed": proof.passed, "detail": proof.detail})
        }));
        json!({
            "drill": self.setting.id,
            "scenario": self.setting.scenario.name(),
            "injected": self.setting.scenario.injected(),
            "on": self.setting.on,
            "model": self.setting.model.name,
            "stable": self.setting.stable,
            "test": self.setting.test,
            "auto": self.setting.auto,
            "begun_at": self.begun,
            "marks": marks,
            "marks_at": times,
            "confirmed_to_verified_s": self.headline_s().map(rounded),
            "target_s": TARGET_S,
            "in_time": self.is_in_time(),
            "verified": self.is_verified(),
            "cleaned_up": self.cleaned == Some(Ok(())),
            "not_cleaned_up_because": self.cleaned.as_ref().and_then(|cleaned| cleaned.as_ref().err()),
            "ended": self.ended(),
            "found": self.found.as_ref().map(|found| json!({"model": found.model.name, "reason": found.reason})),
            "act": act.map(of),
            "checks": checks,
            "people": self.people,
            "notes": self.notes,
            "not_proved": limits,
            "earlier": earlier,
            "exit_code": self.exit_code(),
        })
    }

    /// The report for people.
    pub fn table(&self, limits: &[String], earlier: &[Value]) -> String {
        let mut text = String::new();
        let setting = &self.setting;
        let word = match (self.is_verified(), self.exit_code()) {
            (_, 3) => "NOT DONE",
            (true, _) => "verified",
            (false, _) => "NOT VERIFIED",
        };
        // Writing into a String cannot fail.
        let _ =
            writeln!(text, "rollback drill {} on {}: {word}, {}", setting.id, setting.on, self.headline());
        let _ = writeln!(text, "  scenario    {}: {}", setting.scenario.name(), setting.scenario.injected());
        let _ = writeln!(
            text,
            "  model       {}, {} tried, {} stable",
            setting.model, setting.test, setting.stable
        );
        if let Some(found) = &self.found {
            let _ = writeln!(text, "  found by    {}", found.reason);
        }
        if let Some(act) = &self.act {
            let _ = writeln!(
                text,
                "  act         {} {} ({} → {})",
                act.plan.id,
                act.headline(),
                act.plan.before,
                act.plan.after
            );
        }
        let _ = writeln!(text, "  took part   {}", self.people.join(", "));
        let ended = self.ended();
        if !ended.is_empty() {
            let _ = writeln!(text, "  ended       {ended}");
        }
        let _ = writeln!(text, "\n  MARK                    SINCE INJECTED   SINCE THE ONE BEFORE");
        let mut before: Option<f64> = None;
        for mark in Mark::ALL {
            let Some(seconds) = self.marks.between(Mark::Injected, mark) else {
                let _ = writeln!(text, "  {:<22} {:>15}", mark.words(), "not reached");
                continue;
            };
            let step = before.map_or(String::new(), |before| format!("+{:.2} s", seconds - before));
            let _ = writeln!(text, "  {:<22} {seconds:>13.2} s {step:>20}", mark.words());
            before = Some(seconds);
        }
        let _ = writeln!(text, "\n  VERIFIED                BY WHAT");
        for check in self.act.iter().flat_map(|act| &act.checks) {
            let _ = writeln!(text, "  {:<8} {}   {}", of_state(check), check.words, check.detail);
        }
        for proof in &self.proofs {
            let word = if proof.passed { "passed" } else { "FAILED" };
            let _ = writeln!(text, "  {word:<8} {}   {}", proof.words, proof.detail);
        }
        match &self.cleaned {
            Some(Ok(())) => text.push_str("  passed   cleaned up: nothing of the drill is left\n"),
            Some(Err(why)) => drop(writeln!(text, "  FAILED   NOT cleaned up: {why}")),
            None => text.push_str("  FAILED   not cleaned up yet\n"),
        }
        if !limits.is_empty() {
            text.push_str("\n  WHAT THIS DOES NOT PROVE ABOUT PRODUCTION\n");
            for limit in limits {
                let _ = writeln!(text, "  · {limit}");
            }
        }
        for note in &self.notes {
            let _ = writeln!(text, "  note: {note}");
        }
        text.push_str(&points(earlier, self.headline_s()));
        text.trim_end().to_owned()
    }
}

fn of(act: &Act) -> Value {
    json!({
        "id": act.plan.id, "operation": act.plan.operation, "before": act.plan.before, "after": act.plan.after,
        "reason": act.plan.reason, "who": act.plan.who, "outcome": act.outcome, "audit": act.audit,
        "requests": act.requests,
    })
}

fn of_act(check: &Check) -> Value {
    json!({
        "id": check.id, "words": check.words, "needed": check.needed, "detail": check.detail,
        "passed": match check.state {
            CheckState::Passed { .. } => Value::Bool(true),
            CheckState::Failed { .. } | CheckState::Unknown { .. } => Value::Bool(false),
            // Nobody looked: neither yes nor no.
            CheckState::Waiting | CheckState::Skipped => Value::Null,
        },
    })
}

fn of_state(check: &Check) -> &'static str {
    match check.state {
        CheckState::Waiting => "open",
        CheckState::Passed { .. } => "passed",
        CheckState::Failed { .. } => "FAILED",
        CheckState::Unknown { .. } => "UNKNOWN",
        CheckState::Skipped => "skipped",
    }
}

/// Earlier drills, each a point: `·` verified, `x` not; `#` is this one. No mean is formed.
fn points(earlier: &[Value], now: Option<f64>) -> String {
    if earlier.is_empty() {
        return "\n  EARLIER DRILLS: none\n".into();
    }
    let of = |line: &Value| line["confirmed_to_verified_s"].as_f64();
    let most = earlier.iter().filter_map(of).chain(now).fold(1.0, f64::max);
    let column = |seconds: f64| ((seconds / most * (STRIP - 1) as f64) as usize).min(STRIP - 1);
    let mut strip = vec![' '; STRIP];
    for line in earlier {
        if let Some(seconds) = of(line) {
            let mark = if line["verified"] == true { '·' } else { 'x' };
            strip[column(seconds)] = if strip[column(seconds)] == ' ' { mark } else { ':' };
        }
    }
    if let Some(now) = now {
        strip[column(now)] = '#';
    }
    let strip: String = strip.into_iter().collect();
    let mut text = format!(
        "\n  EARLIER DRILLS, confirmed → verified (· one, : more, x not verified, # this one)\n  0 s |{strip}| {most:.1} s\n"
    );
    for line in earlier.iter().rev().take(EARLIER) {
        let word = |key: &str| line[key].as_str().unwrap_or("?").to_owned();
        let when: String = word("begun_at").chars().take(16).collect();
        let took = of(line).map_or("not reached".to_owned(), |seconds| format!("{seconds:.1} s"));
        let verified = if line["verified"] == true { "verified" } else { "not verified" };
        let who = if line["auto"] == true { "automatic".to_owned() } else { word("by") };
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "  {} {when}  {:<20} {:<16} {took:>11}  {verified}, {who}",
            word("drill"),
            word("scenario"),
            word("on")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_drills_are_points_and_not_a_mean() {
        let line = |id: &str, seconds: f64, verified: bool| {
            json!({"drill": id, "begun_at": "2026-11-20T10:00:00Z", "scenario": "drift", "on": "demo", "auto": true,
                "by": "kim", "verified": verified, "confirmed_to_verified_s": seconds})
        };
        let text = points(&[line("d-1", 2.0, true), line("d-2", 40.0, false)], Some(20.0));
        let strip = text.lines().nth(2).unwrap();
        assert_eq!(strip.matches(['·', 'x', '#']).count(), 3, "{text}");
        assert!(text.contains("d-1") && text.contains("40.0 s") && text.contains("not verified"), "{text}");
        assert!(!text.contains("21"), "no mean: {text}");
        assert!(points(&[], None).contains("none"));
    }
}
