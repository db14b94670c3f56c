//! Several processes on one file, and processes that are killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::super::*;
use super::{act, at, whole};

const FOLDER: &str = "WARDROOM_TEST_LEDGER";
const NAME: &str = "WARDROOM_TEST_LEDGER_NAME";
const ENTRIES: usize = 200;

/// Runs one of the ignored tests below as a process of its own.
fn child(test: &str, folder: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("records::tests::shared::{test}"), "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn of_parent() -> Option<(Ledger, String)> {
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    Some((Ledger::open(&folder, None).unwrap(), std::env::var(NAME).unwrap()))
}

#[test]
#[ignore = "a process of `two_processes_append_without_loss`"]
fn appends() {
    let Some((ledger, name)) = of_parent() else { return };
    for entry in 0..ENTRIES {
        let act = act(&format!("a-{name}-{entry}"));
        assert!(ledger.write(at(1), "confirmed", &act, true).unwrap().is_some());
    }
}

#[test]
#[ignore = "a process of `a_killed_process_loses_nothing_that_was_answered`"]
fn writes_until_it_is_killed() {
    let Some((ledger, name)) = of_parent() else { return };
    for round in 0.. {
        let act = act(&format!("a-{name}-{round}"));
        let number = ledger.write(at(1), "confirmed", &act, true).unwrap().unwrap();
        println!("\nwrote {number}");
    }
}

#[test]
fn two_processes_append_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    // Both make the file: the first that comes.
    let children = ["x", "y"].map(|name| child("appends", folder.path(), name));
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let verified = ledger.verify().unwrap();
    assert_eq!((verified.count, verified.findings), (2 * ENTRIES as u64, Vec::new()));
    let entries = ledger.query(&Filter::default()).unwrap();
    for name in ["x", "y"] {
        let of_one: Vec<&str> = entries
            .iter()
            .map(|e| e.act.0.as_str())
            .filter(|id| id.starts_with(&format!("a-{name}")))
            .collect();
        let expected: Vec<String> = (0..ENTRIES).map(|entry| format!("a-{name}-{entry}")).collect();
        assert_eq!(of_one, expected, "each in its own order");
    }
    let processes: std::collections::BTreeSet<u32> = entries.iter().map(|entry| entry.process).collect();
    assert_eq!(processes.len(), 2);
}

#[test]
fn threads_share_one_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let ledger = &ledger;
            scope.spawn(move || whole(ledger, &format!("a-{worker}")));
        }
    });
    let verified = ledger.verify().unwrap();
    assert_eq!((verified.count, verified.findings), (16, Vec::new()));
}

#[test]
fn a_killed_process_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut answered = 0;
    for (round, lines) in [1, 7, 23].into_iter().enumerate() {
        let mut child = child("writes_until_it_is_killed", folder.path(), &round.to_string());
        let out = BufReader::new(child.stdout.take().unwrap());
        let numbers = out
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("wrote ").and_then(|number| number.parse::<u64>().ok()));
        answered = numbers.take(lines).last().unwrap();
        // SIGKILL, wherever it is.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let verified = ledger.verify().unwrap();
    assert_eq!(verified.findings, []);
    assert!(verified.count >= answered && answered >= 31, "{} of {answered}", verified.count);
    let unfinished = ledger.unfinished().unwrap();
    assert_eq!(unfinished.len() as u64, verified.count, "each of them was cut off");
    let id = &unfinished[0].plan.id;
    assert!(ledger.take_over(id, at(5)).unwrap());
    assert!(!ledger.take_over(id, at(6)).unwrap(), "it is this process's now");
    assert_eq!(ledger.unfinished().unwrap().len() as u64, verified.count - 1);
    let last = ledger.query(&Filter { act: Some(id.0.clone()), ..Filter::default() }).unwrap().pop().unwrap();
    assert_eq!((last.line, last.number), (Line::Recovered, verified.count + 1));
    assert!(last.detail.contains("which is gone"), "{}", last.detail);
}
