//! `wardroom judge` and `wardroom plan-sample`: the real binary on recordings.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A recording of 15-second blocks: bad events per thousand of both arms, made up evenly.
fn recording(metric: &str, (canary, baseline): (u64, u64), looks: u64, extra: &str) -> String {
    let mut text = String::new();
    let mut left = [0u64, 0];
    for look in 0..looks {
        let at = chrono::DateTime::from_timestamp(1_767_225_600 + 15 * look as i64, 0).unwrap();
        let at = at.format("%Y-%m-%dT%H:%M:%SZ");
        for (side, (arm, trials, per_mille)) in
            [("canary", 100, canary), ("baseline", 400, baseline)].into_iter().enumerate()
        {
            left[side] += trials * per_mille;
            let events = left[side] / 1_000;
            left[side] %= 1_000;
            let line = format!(
                "{{\"t\":\"{at}\",\"metric\":\"{metric}\",\"arm\":\"{arm}\",\"events\":{events},\"trials\":{trials}{extra}}}"
            );
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

fn judge(recording: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(["judge", "-"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(recording.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn last(out: &str) -> Value {
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

#[test]
fn a_bad_canary_ends_with_2_and_a_good_one_with_0() {
    let (code, out, _) = judge(&recording("errors", (30, 5), 60, ""), &["--output", "json"]);
    let verdict = last(&out);
    assert_eq!((code, verdict["verdict"].as_str()), (Some(2), Some("abort")));
    let metric = &verdict["metrics"][0];
    assert_eq!(metric["metric"], "errors");
    let interval: Vec<f64> =
        metric["interval"].as_array().unwrap().iter().map(|end| end.as_f64().unwrap()).collect();
    assert!(interval[0] > 1.0 && interval[0] < 6.0 && interval[1] > 6.0, "{interval:?}");
    assert!(metric["log_evidence"].as_f64().unwrap() > 3.0);
    assert!(metric["reason"].as_str().unwrap().contains("no worse"));
    assert!(metric["effect"]["value"].as_f64().unwrap() > 5.0);
    let (code, out, _) = judge(&recording("errors", (2, 2), 120, ""), &["--output", "json"]);
    assert_eq!((code, last(&out)["verdict"].as_str()), (Some(0), Some("promote")));
    let (code, out, _) = judge(&recording("errors", (5, 5), 4, ""), &[]);
    assert_eq!(code, Some(0));
    assert!(out.contains("KEEP WATCHING   errors"), "{out}");
}

#[test]
fn an_arm_that_is_missing_ends_with_3() {
    let canary: String = recording("errors", (5, 5), 9, "")
        .lines()
        .filter(|l| l.contains("canary"))
        .fold(String::new(), |a, l| a + l + "\n");
    let (code, out, _) = judge(&canary, &["--output", "json"]);
    assert_eq!((code, last(&out)["verdict"].as_str()), (Some(3), Some("cannot_tell")));
}

#[test]
fn every_look_is_one_object_a_line() {
    let (_, out, _) = judge(&recording("errors", (30, 5), 50, ""), &["--output", "json", "--every"]);
    let verdicts: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), 50);
    let words: Vec<&str> = verdicts.iter().map(|verdict| verdict["verdict"].as_str().unwrap()).collect();
    let first = words.iter().position(|word| *word == "abort").unwrap();
    assert!(first > 2 && words[first..].iter().all(|word| *word == "abort"), "an alarm stays: {words:?}");
    assert!(verdicts.windows(2).all(|pair| pair[0]["t"].as_str() < pair[1]["t"].as_str()));
    assert!(!out.contains("NaN"));
}

#[test]
fn accuracy_is_judged_by_its_margin_and_age() {
    let ages = r#","age_s":600"#;
    let (_, out, _) = judge(&recording("accuracy", (115, 100), 200, ages), &["--output", "json"]);
    let verdict = last(&out);
    assert_ne!(verdict["verdict"], "abort", "one and a half points are tolerated");
    assert!(
        verdict["notes"].to_string().contains("median age 10 min")
            || verdict["notes"].to_string().contains("age")
    );
    let (code, out, _) = judge(&recording("accuracy", (200, 100), 200, ages), &["--output", "json"]);
    assert_eq!((code, last(&out)["verdict"].as_str()), (Some(2), Some("abort")));
    let (code, ..) =
        judge(&recording("accuracy", (115, 100), 400, ages), &["--accuracy-margin", "0", "--output", "json"]);
    assert_eq!(code, Some(2), "any worsening");
}

#[test]
fn neither_the_order_of_lines_nor_their_parts_matter() {
    let whole = recording("errors", (20, 5), 40, "");
    let mut lines: Vec<&str> = whole.lines().collect();
    lines.reverse();
    let turned = lines.join("\n");
    // Each arm's trials told in two lines of the same moment.
    let parts: String = whole.lines().fold(String::new(), |text, line| {
        let mut block: Value = serde_json::from_str(line).unwrap();
        let trials = block["trials"].as_u64().unwrap();
        let (first, rest) = (trials / 2, trials - trials / 2);
        block["trials"] = first.into();
        let events = block["events"].as_u64().unwrap();
        assert!(events <= first);
        let one = block.to_string();
        (block["trials"], block["events"]) = (rest.into(), 0.into());
        format!("{text}{one}\n{block}\n")
    });
    let evidence = |text: &str| {
        let (code, out, _) = judge(text, &["--output", "json"]);
        (code, last(&out)["metrics"][0]["log_evidence"].as_f64().unwrap())
    };
    let (code, log) = evidence(&whole);
    for text in [&turned, &parts] {
        let (other, same) = evidence(text);
        assert_eq!(other, code);
        assert!((same - log).abs() < 1e-9, "{same} {log}");
    }
}

#[test]
fn a_wrong_split_cannot_tell() {
    let (code, out, _) = judge(&recording("errors", (5, 5), 40, ""), &["--share", "5%"]);
    assert_eq!(code, Some(3));
    assert!(out.contains("CANNOT TELL   canary gets 20.0% of traffic, configured 5.0%."), "{out}");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let good = recording("errors", (5, 5), 2, "");
    for (text, words, parts) in [
        (format!("{good}oops\n"), &[][..], &["standard input", "line 5", "not a block"][..]),
        (String::new(), &[], &["no blocks"]),
        (good.clone(), &["--latency-margin", "0.5"], &["latency_margin", "at least 1"]),
    ] {
        let (code, out, err) = judge(&text, words);
        let name = err.replace("-:", "standard input:");
        assert_eq!((code, out.as_str()), (Some(3), ""), "{err}");
        assert!(parts.iter().all(|part| name.contains(part)), "{err}");
    }
}

#[test]
fn a_plan_has_the_fixed_figure_beside_it() {
    let plan = |words: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_wardroom")).arg("plan-sample").args(words).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), output.stderr)
    };
    let question =
        ["--metric", "errors", "--baseline", "0.005", "--effect", "3x", "--share", "10%", "--rate", "120"];
    let (code, out, _) = plan(&[&question[..], &["--output", "json"]].concat());
    let plan_of: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, plan_of["fixed_n"].as_u64()), (Some(0), Some(567)));
    let median = plan_of["abort"]["median"].as_u64().unwrap();
    assert!((400..900).contains(&median), "{median}");
    let seconds = plan_of["abort"]["median_s"].as_f64().unwrap();
    assert!((seconds - median as f64 / 12.0).abs() < 1e-6);
    assert!(plan(&question).1.contains("looked at once, 5 % and 80 %: 567"));
    let (code, _, err) =
        plan(&["--metric", "errors", "--baseline", "0.5", "--effect", "3x", "--share", "10%"]);
    assert_eq!(code, Some(2));
    assert!(String::from_utf8_lossy(&err).contains("--effect 3x"));
}
