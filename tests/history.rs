//! The history as several processes share it: killed again and again, locked by others, and whole afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/pty.rs"]
mod pty;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pty::{PATIENCE, Session};
use rusqlite::Connection;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_wardroom");
/// Entries that a writer has durable before it may be killed.
const FEW: usize = 50;
/// One at a time: the load of one test would be the patience of another.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a writer said so far: names of durable entries, how many it heard of from others, and the longest time between
/// two durable entries.
#[derive(Debug, Default)]
struct Said {
    durable: Vec<String>,
    heard: usize,
    last: Option<Instant>,
    longest: Duration,
}

/// A process that writes entries as fast as it can.
struct Writer {
    child: Child,
    said: Arc<Mutex<Said>>,
    reader: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Writer {
    fn start(folder: &Path, name: &str) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["history", "--load", name, "--folder"])
            .arg(folder)
            .env_clear()
            .env("HOME", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let said = Arc::new(Mutex::new(Said::default()));
        let theirs = said.clone();
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            // A line that was cut off by the kill was not said.
            while lines.read_line(&mut line).is_ok_and(|n| n > 0) && line.ends_with('\n') {
                let mut said = theirs.lock().unwrap();
                match line.trim_end().split_once(' ') {
                    Some(("entry", name)) => {
                        let now = Instant::now();
                        let waited = said.last.replace(now).map_or(Duration::ZERO, |last| now - last);
                        said.longest = said.longest.max(waited);
                        said.durable.push(name.to_owned());
                    }
                    Some(("heard", count)) => said.heard += count.parse::<usize>().unwrap(),
                    _ => panic!("{line}"),
                }
                line.clear();
            }
        });
        Self { child, said, reader: Some(reader) }
    }

    /// Each writer first reads what all before it wrote, thousands of entries: on a slow machine that takes long.
    fn wait(&self, what: &str, wanted: impl Fn(&Said) -> bool) {
        let end = Instant::now() + 6 * PATIENCE;
        while !wanted(&self.said.lock().unwrap()) {
            assert!(Instant::now() < end, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGKILL, in the middle of whatever it does; gives what was durable before.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        std::mem::take(&mut self.said.lock().unwrap().durable)
    }
}

/// How long the load lasts, and for how long one of the writers lives.
fn span() -> (Duration, Duration) {
    let seconds = Duration::from_secs;
    if std::env::var_os("WARDROOM_LONG").is_some() {
        (seconds(600), seconds(20))
    } else if std::env::var_os("CI").is_some() || std::env::var_os("WARDROOM_NO_SKIP").is_some() {
        (seconds(60), seconds(5))
    } else {
        (seconds(20), seconds(2))
    }
}

#[test]
fn a_room_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (whole, life) = span();
    let stays = Writer::start(folder.path(), "stays");
    let begun = Instant::now();
    let mut durable: BTreeSet<String> = BTreeSet::new();
    let mut of_killed = 0;
    let mut lives = 0;
    while begun.elapsed() < whole {
        let born = Instant::now();
        let writer = Writer::start(folder.path(), &format!("life{lives}"));
        writer.wait("entries", |said| said.durable.len() >= FEW && born.elapsed() >= life);
        let said = writer.kill();
        of_killed += said.len();
        for name in said {
            assert!(durable.insert(name.clone()), "{name} was told twice");
        }
        lives += 1;
    }
    stays.wait("what the killed ones wrote", |said| said.heard >= of_killed);
    let longest = stays.said.lock().unwrap().longest;
    for name in stays.kill() {
        assert!(durable.insert(name.clone()), "{name} was told twice");
    }
    let connection = Connection::open(folder.path().join("history.db")).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let names = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let kept = names("SELECT id FROM entries ORDER BY number");
    let known: BTreeSet<&String> = kept.iter().collect();
    let lost: Vec<&String> = durable.iter().filter(|name| !known.contains(name)).take(5).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    whole_and_once("entries", &kept);
    whole_and_once("lines", &names("SELECT what FROM events ORDER BY id"));
    let recorded = names("SELECT printf('%020d', recorded) FROM entries ORDER BY number");
    assert!(recorded.windows(2).all(|pair| pair[0] < pair[1]), "the time of recording grows");
    let lines = names("SELECT what FROM events").len();
    println!(
        "{} entries, {lives} lives, {lines} lines; the longest wait for a durable entry {longest:.1?}",
        kept.len()
    );
    let answer = Command::new(PROGRAM)
        .args(["history", "--check", "--output", "json", "--folder"])
        .arg(folder.path())
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert_eq!(answer.status.code(), Some(0), "{}", String::from_utf8_lossy(&answer.stderr));
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!((&answer["integrity"], &answer["entries"]), (&Value::from("ok"), &Value::from(kept.len())));
}

/// Each writer's `NAME-1`, `NAME-2`, … are there, each once and in order, up to the last.
fn whole_and_once(what: &str, names: &[String]) {
    let mut by_writer: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for name in names {
        let (writer, number) = name.rsplit_once('-').unwrap();
        by_writer.entry(writer).or_default().push(number.parse().unwrap());
    }
    assert!(by_writer.len() > 1, "{what}: several wrote");
    for (writer, numbers) in by_writer {
        let want: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert!(numbers == want, "{what} of {writer}: lost, doubled or moved");
    }
}

#[test]
fn a_damaged_file_is_said_with_its_exit_code_and_left_alone() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let answer = |words: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("history").args(words).arg("--folder").arg(folder.path()).env("HOME", folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, words) = answer(&[]);
    assert!(code == Some(3) && words.contains("there is no history"), "{code:?} {words}");
    let path = folder.path().join("history.db");
    std::fs::write(&path, [7u8; 8_192]).unwrap();
    let (code, words) = answer(&["--check"]);
    assert!(code == Some(2) && words.contains("damaged"), "{code:?} {words}");
    assert_eq!(std::fs::read(&path).unwrap(), [7u8; 8_192]);
}

/// The demo's servers for rooms of their own.
struct Demo {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.toml");
        let child = Command::new(PROGRAM)
            .args(["demo", "--serve", "--interval", "500ms"])
            .stdout(std::fs::File::create(&path).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let text = loop {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains("[[model]]") && text.ends_with('\n') {
                break text;
            }
            assert!(begun.elapsed() < PATIENCE, "the demo does not start");
            std::thread::sleep(Duration::from_millis(20));
        };
        let state = folder.path().join("state");
        let more = format!(
            "\n[control]\nfolder = {state:?}\n[history]\nframe = \"1s\"\ntier = [{{ step = \"1s\", keep = \"1d\" }}]\n"
        );
        std::fs::write(folder.path().join("room.toml"), text + &more).unwrap();
        Self { child, folder }
    }

    fn room(&self) -> Session {
        let config = self.folder.path().join("room.toml");
        let mut session = Session::start(&["--config", config.to_str().unwrap()], (120, 36), &[]);
        session.wait_text("alzheimer");
        session
    }

    fn count(&self, table: &str) -> i64 {
        let path = self.folder.path().join("state/history.db");
        let Ok(connection) = Connection::open(path) else { return 0 };
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap_or(0)
    }

    fn wait_more(&self, session: &mut Session, table: &str, than: i64) {
        session.wait_for(&format!("more {table}"), |_| self.count(table) > than);
    }
}

#[test]
fn keys_work_while_another_program_locks_the_history() {
    let _alone = alone();
    let demo = Demo::start();
    let mut session = demo.room();
    demo.wait_more(&mut session, "moments", 2);
    demo.wait_more(&mut session, "frames", 1);
    let lock = Connection::open(demo.folder.path().join("state/history.db")).unwrap();
    lock.busy_timeout(PATIENCE).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let held = Instant::now();
    let before = demo.count("moments");
    let mut pressed = 0;
    let mut longest = Duration::ZERO;
    while held.elapsed() < Duration::from_secs(5) {
        for (key, open) in [("?", true), ("\x1b", false)] {
            let at = Instant::now();
            session.keys(key);
            session.wait_for("the help", |s| s.contains("promote the canary by one step") == open);
            longest = longest.max(at.elapsed());
            pressed += 1;
        }
    }
    assert!(pressed > 4, "keys were answered under the lock");
    println!("{pressed} keys under the lock, the longest wait {} ms", longest.as_millis());
    assert_eq!(demo.count("moments"), before, "the lock held");
    lock.execute_batch("ROLLBACK").unwrap();
    drop(lock);
    demo.wait_more(&mut session, "moments", before);
    session.keys("q");
    assert_eq!(session.end().0, 0);
}

#[test]
fn two_rooms_keep_each_moment_and_line_once() {
    let _alone = alone();
    let demo = Demo::start();
    let (mut a, mut b) = (demo.room(), demo.room());
    demo.wait_more(&mut a, "moments", 8);
    demo.wait_more(&mut b, "frames", 3);
    for mut session in [a, b] {
        session.keys("q");
        assert_eq!(session.end().0, 0);
    }
    let connection = Connection::open(demo.folder.path().join("state/history.db")).unwrap();
    let one = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(one("SELECT count(*) - count(DISTINCT slot) FROM moments"), 0);
    assert!(one("SELECT count(*) FROM events") > 0);
    let shared = one("SELECT count(*) FROM (SELECT event FROM witnesses GROUP BY event HAVING count(*) = 2)");
    assert!(shared > 0, "both saw the same lines");
}
