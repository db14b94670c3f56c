//! The arrows between the rooms: who may know whom. A new room must be added here before it compiles in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Room, the rooms it may know, and the crates it must not.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("stats", &[], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    ("domain", &["stats"], &["ratatui", "crossterm", "tokio", "reqwest", "axum", "tracing"]),
    ("config", &["domain", "judge", "store"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    ("judge", &["domain", "stats"], &["ratatui", "crossterm", "tokio", "reqwest", "axum", "tracing"]),
    ("drift", &["domain", "stats", "samples"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    ("samples", &["domain", "stats"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    (
        "sources",
        &["domain", "stats", "config", "cluster", "drift", "samples"],
        &["ratatui", "crossterm", "tui_logger", "axum"],
    ),
    ("cluster", &["domain", "config"], &["ratatui", "crossterm", "axum"]),
    // What was seen: series, frames, events, entries of incidents, in a file that several wardrooms share.
    (
        "history",
        &["domain", "store", "judge", "checklist", "sqlite"],
        &["ratatui", "crossterm", "tokio", "reqwest", "axum"],
    ),
    // One self-contained file of what a room took in.
    ("tape", &["domain", "store", "app"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    ("checklist", &["domain", "store", "judge"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    ("report", &["domain", "store", "judge"], &["ratatui", "crossterm", "tokio", "axum"]),
    (
        "drill",
        &[
            "domain", "config", "control", "records", "demo", "store", "sources", "cluster", "report",
            "judge", "history",
        ],
        &["ratatui", "crossterm", "axum"],
    ),
    ("sqlite", &[], &["ratatui", "crossterm", "tokio", "reqwest", "axum", "tracing"]),
    ("records", &["domain", "sqlite"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    (
        "control",
        &["domain", "config", "cluster", "records", "sources", "store", "judge", "stats"],
        &["ratatui", "crossterm", "axum"],
    ),
    ("store", &["domain", "judge", "stats"], &["ratatui", "crossterm", "tokio", "reqwest", "axum"]),
    ("app", &["domain", "judge", "store", "stats", "checklist"], &["ratatui", "tokio", "reqwest", "axum"]),
    ("view", &["domain", "judge", "store", "stats", "app", "checklist"], &["tokio", "reqwest", "axum"]),
    ("terminal", &[], &["reqwest", "axum"]),
    ("demo", &["domain"], &["ratatui", "crossterm", "tui_logger"]),
    (
        "cli",
        &[
            "app",
            "checklist",
            "cluster",
            "config",
            "control",
            "demo",
            "domain",
            "drift",
            "drill",
            "history",
            "judge",
            "records",
            "report",
            "samples",
            "sources",
            "stats",
            "store",
            "tape",
            "terminal",
            "view",
        ],
        &["reqwest", "axum", "crossterm"],
    ),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without comments and without its tests.
fn code(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if name == "tests.rs" {
        return String::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Names that follow `prefix` in a text: `crate::view::…` gives `view`; a group gives each of its members.
fn named_after(text: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let rest = &text[at + prefix.len()..];
        let word = |text: &str| -> String {
            text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '}' if depth == 0 => break,
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && c.is_alphabetic() => {
                            names.push(word(&group[i..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
            None => names.push(word(rest)),
        }
    }
    names
}

#[test]
fn no_room_knows_more_than_it_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms: BTreeMap<&str, (&[&str], &[&str])> =
        ROOMS.iter().map(|&(room, may, not)| (room, (may, not))).collect();
    let mut broken = Vec::new();
    let mut read = 0;
    for entry in std::fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let room = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some((may, not)) = rooms.get(room.as_str()) else {
            broken.push(format!("the room `{room}` is not in the table of this test"));
            continue;
        };
        for file in files(&path) {
            let code = code(&file);
            read += 1;
            for known in named_after(&code, "crate::") {
                let is_room = rooms.contains_key(known.as_str());
                if is_room && known != room && !may.contains(&known.as_str()) {
                    broken.push(format!("{} knows `{known}`", file.strip_prefix(&src).unwrap().display()));
                }
            }
            for krate in *not {
                if code.contains(&format!("{krate}::")) {
                    broken.push(format!(
                        "{} knows the crate `{krate}`",
                        file.strip_prefix(&src).unwrap().display()
                    ));
                }
            }
        }
    }
    assert!(read > 60, "only {read} files were read: the test has lost its way");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn names_are_found_in_groups() {
    let text = "use crate::{app::App, view::{self, look}};\nuse crate::store::Store;";
    assert_eq!(named_after(text, "crate::"), ["app", "view", "store"]);
}
