//! What is wrong with the file, the disk or the key is said with its place and a remedy.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use age::secrecy::ExposeSecret;
use rusqlite::Connection;

use super::super::*;
use super::{act, at, whole};

fn key(folder: &Path, name: &str) -> PathBuf {
    let identity = age::x25519::Identity::generate();
    let file = folder.join(name);
    let text = format!("# created: today\n# public key: x\n{}\n", identity.to_string().expose_secret());
    std::fs::write(&file, text).unwrap();
    file
}

fn trouble<T: std::fmt::Debug>(result: Result<T, LedgerError>, parts: &[&str]) {
    let error = result.unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn an_encrypted_ledger_is_read_with_its_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let keys = tempfile::tempdir().unwrap();
    let (own, other) = (key(keys.path(), "own"), key(keys.path(), "other"));
    {
        let ledger = Ledger::open(folder.path(), Some(&own)).unwrap();
        whole(&ledger, "a-1");
        ledger.write(at(7), "confirmed", &act("a-2"), true).unwrap();
    }
    for name in ["journal.db", "journal.db-wal"] {
        let kept = std::fs::read(folder.path().join(name)).unwrap_or_default();
        for secret in ["resourceVersion", "29.5 req/s", "bastion", "no traffic on the canary"] {
            assert!(!kept.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} in {name}");
        }
    }
    let ledger = Ledger::open(folder.path(), Some(&own)).unwrap();
    assert_eq!(ledger.journal(&ActId("a-1".into())).unwrap()[0].act.plan.reason, "errors, \"many\"");
    let entries = ledger.query(&Filter::default()).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(entries[0].why, "errors, \"many\"");
    let verified = ledger.verify().unwrap();
    assert_eq!((verified.count, verified.encrypted, verified.unread), (5, 5, 0));
    assert!(verified.is_intact());
    super::orphan(&ledger);
    assert_eq!(ledger.unfinished().unwrap().len(), 1);

    trouble(Ledger::open(folder.path(), None), &["journal.db", "no key is configured", "age_identity"]);
    trouble(Ledger::open(folder.path(), Some(&other)), &["journal.db", "another key", "other"]);
    for wrong in [None, Some(other.as_path())] {
        let trail = Trail::open(folder.path(), wrong).unwrap();
        trouble(trail.query(&Filter::default()), &["encrypted", "age_identity"]);
        let verified = trail.verify(None).unwrap();
        assert!(verified.is_intact(), "the chain needs no key");
        assert_eq!((verified.encrypted, verified.unread), (5, 5));
    }
}

#[test]
fn keys_are_changed_by_putting_the_new_one_first() {
    let folder = tempfile::tempdir().unwrap();
    let keys = tempfile::tempdir().unwrap();
    let (old, new, both) = (key(keys.path(), "old"), key(keys.path(), "new"), keys.path().join("both"));
    whole(&Ledger::open(folder.path(), None).unwrap(), "a-0");
    whole(&Ledger::open(folder.path(), Some(&old)).unwrap(), "a-1");
    let text = [&new, &old].map(|file| std::fs::read_to_string(file).unwrap()).join("");
    std::fs::write(&both, text).unwrap();
    whole(&Ledger::open(folder.path(), Some(&both)).unwrap(), "a-2");
    let trail = Trail::open(folder.path(), Some(&both)).unwrap();
    assert_eq!(trail.query(&Filter::default()).unwrap().len(), 12);
    let verified = Trail::open(folder.path(), Some(&new)).unwrap().verify(None).unwrap();
    assert_eq!((verified.count, verified.encrypted, verified.unread), (12, 8, 4));
    assert!(verified.is_intact());
}

#[test]
fn a_changed_byte_of_an_encrypted_entry_is_found_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let keys = tempfile::tempdir().unwrap();
    whole(&Ledger::open(folder.path(), Some(&key(keys.path(), "own"))).unwrap(), "a-1");
    let raw = Connection::open(folder.path().join("journal.db")).unwrap();
    raw.execute_batch("DROP TRIGGER trail_keeps").unwrap();
    let whole: Vec<u8> =
        raw.query_row("SELECT bytes FROM trail WHERE number = 2", [], |row| row.get(0)).unwrap();
    let trail = Trail::open(folder.path(), None).unwrap();
    for place in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[place] ^= 4;
        raw.execute("UPDATE trail SET bytes = ?1 WHERE number = 2", [&bytes]).unwrap();
        let findings = trail.verify(None).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.entry == Some(2)), "byte {place}: {findings:?}");
    }
}

#[test]
fn a_key_file_that_is_none_is_told_without_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    trouble(Ledger::open(folder.path(), Some(&file)), &["key", "cannot be read", "age-keygen"]);
    std::fs::write(&file, "# only words\n").unwrap();
    trouble(Ledger::open(folder.path(), Some(&file)), &["key", "no AGE-SECRET-KEY"]);
    std::fs::write(&file, "\nAGE-SECRET-KEY-1HUSH\n").unwrap();
    let error = Ledger::open(folder.path(), Some(&file)).unwrap_err().to_string();
    assert!(error.contains("line 2") && !error.contains("HUSH"), "{error}");
}

#[test]
fn files_and_folders_are_for_this_user_only() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("state/wardroom");
    let ledger = Ledger::open(&folder, None).unwrap();
    whole(&ledger, "a-1");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    drop(ledger);
    std::fs::set_permissions(folder.join("journal.db"), PermissionsExt::from_mode(0o644)).unwrap();
    let _again = Ledger::open(&folder, None).unwrap();
    assert_eq!(mode(&folder.join("journal.db")), 0o600);
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    trouble(Ledger::open(&folder, None), &["wardroom", "everybody may write", "control.folder"]);
}

#[test]
fn a_folder_that_cannot_be_and_a_trail_that_is_not_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    trouble(Ledger::open(&folder.path().join("file/state"), None), &["file/state", "control.folder"]);
    trouble(Trail::open(folder.path(), None), &["journal.db", "there is no journal", "--folder"]);
    assert!(!folder.path().join("journal.db").exists(), "reading makes nothing");
}

#[test]
fn a_damaged_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    std::fs::write(&path, "this was a journal, then it was a letter\n".repeat(300)).unwrap();
    trouble(Ledger::open(folder.path(), None), &["journal.db", "is damaged", "keep it"]);
    trouble(Trail::open(folder.path(), None), &["journal.db", "is damaged", "keep it"]);
    std::fs::remove_file(&path).unwrap();

    whole(&Ledger::open(folder.path(), None).unwrap(), "a-1");
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let result = Ledger::open(folder.path(), None).and_then(|ledger| ledger.verify());
    trouble(result, &["journal.db", "is damaged", "keep it"]);
}

#[test]
fn a_newer_file_and_a_strange_one_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    whole(&Ledger::open(folder.path(), None).unwrap(), "a-1");
    let raw = Connection::open(folder.path().join("journal.db")).unwrap();
    raw.execute_batch("PRAGMA user_version = 2").unwrap();
    for result in [Ledger::open(folder.path(), None).map(drop), Trail::open(folder.path(), None).map(drop)] {
        trouble(result, &["journal.db", "newer wardroom", "shape 2", "knows 1"]);
    }
    let strange = tempfile::tempdir().unwrap();
    let raw = Connection::open(strange.path().join("journal.db")).unwrap();
    raw.execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    trouble(Ledger::open(strange.path(), None), &["journal.db", "no journal of wardroom"]);
    let tables: i64 = raw.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1, "nothing was made in it");
}

#[test]
fn a_full_disk_writes_nothing_and_later_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let limit = |pages: i64| {
        ledger.lock().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
    };
    // The smallest that is allowed: as many as there are.
    limit(1).unwrap();
    let mut written = 0;
    let full = (0..100).find_map(|round| {
        let answer = ledger.write(at(1), "confirmed", &act(&format!("a-{round}")), true);
        written += u64::from(answer.is_ok());
        answer.err()
    });
    trouble(full.map_or(Ok(()), Err), &["journal.db", "full", "nothing was written", "control.folder"]);
    let verified = ledger.verify().unwrap();
    assert_eq!((verified.count, verified.findings), (written, Vec::new()), "no half write");
    limit(100_000).unwrap();
    assert_eq!(ledger.write(at(1), "confirmed", &act("a-new"), true), Ok(Some(written + 1)));
}

#[test]
fn a_lock_that_lasts_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    ledger.lock().busy_timeout(Duration::from_millis(20)).unwrap();
    let raw = Connection::open(folder.path().join("journal.db")).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    trouble(ledger.write(at(1), "confirmed", &act("a-1"), true), &["journal.db", "locked", "fuser"]);
    assert_eq!(ledger.acts(1), Ok(Vec::new()), "reading does not wait");
    raw.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ledger.write(at(1), "confirmed", &act("a-1"), true), Ok(Some(1)));
}
