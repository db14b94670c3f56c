//! Whatever is done to the trail behind wardroom's back is found, with the entry where it is.

use std::os::unix::fs::FileExt;

use rusqlite::Connection;

use super::super::*;
use super::whole;

const ENTRIES: i64 = 4;

/// A trail of four entries whose triggers are gone, and a raw hand on it.
struct Lab {
    folder: tempfile::TempDir,
    raw: Connection,
}

fn lab() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    whole(&Ledger::open(folder.path(), None).unwrap(), "a-1");
    let raw = Connection::open(folder.path().join("journal.db")).unwrap();
    raw.execute_batch(
        "PRAGMA synchronous = OFF; DROP TRIGGER trail_keeps; DROP TRIGGER trail_holds; DROP TRIGGER trail_grows;",
    )
    .unwrap();
    Lab { folder, raw }
}

impl Lab {
    fn all(&self) -> Verified {
        Trail::open(self.folder.path(), None).unwrap().verify(None).unwrap()
    }

    /// What is found beside the missing triggers.
    fn found(&self) -> Vec<Finding> {
        let is_trigger = |finding: &Finding| finding.entry.is_none() && finding.what.starts_with("`trail_");
        self.all().findings.into_iter().filter(|finding| !is_trigger(finding)).collect()
    }

    fn blob(&self, query: &str) -> Vec<u8> {
        self.raw.query_row(query, [], |row| row.get(0)).unwrap()
    }

    fn run(&self, statement: &str) {
        self.raw.execute_batch(statement).unwrap();
    }
}

fn entries(found: &[Finding]) -> Vec<i64> {
    let mut entries: Vec<i64> = found.iter().filter_map(|finding| finding.entry).collect();
    entries.dedup();
    entries
}

#[test]
fn an_untouched_trail_is_intact_and_removed_triggers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    assert_eq!(ledger.verify().unwrap().head(), format!("0:{}", "0".repeat(64)));
    whole(&ledger, "a-1");
    let verified = ledger.verify().unwrap();
    assert_eq!((verified.count, verified.findings.as_slice()), (4, &[][..]));
    let lab = lab();
    assert_eq!(lab.found(), []);
    assert_eq!(lab.all().findings.len(), 3, "three triggers");
}

#[test]
fn every_byte_of_every_kept_value_counts() {
    let lab = lab();
    let mut flipped = 0;
    let mut flip = |table: &str, column: &str, key: &str, number: i64, entry: &dyn Fn(&[i64]) -> bool| {
        let whole = lab.blob(&format!("SELECT {column} FROM {table} WHERE {key} = {number}"));
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = {number}");
        let mut update = lab.raw.prepare(&update).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            update.execute([&bytes]).unwrap();
            let found = lab.found();
            assert!(entry(&entries(&found)), "{table}.{column} {number}, byte {place}: {found:?}");
            flipped += 1;
        }
        update.execute([&whole]).unwrap();
        assert_eq!(lab.found(), [], "{table}.{column} {number} is whole again");
    };
    for number in 1..=ENTRIES {
        let tells = move |found: &[i64]| found.contains(&number);
        flip("trail", "bytes", "number", number, &tells);
        flip("trail", "hash", "number", number, &tells);
    }
    flip("head", "hash", "one", 1, &|found| found == [ENTRIES]);
    for row in 1..=6 {
        flip("journal", "trail_hash", "number", row, &|found| found.len() == 1);
    }
    assert!(flipped > 3_000, "only {flipped} bytes were tried");
}

#[test]
fn every_other_number_counts_too() {
    for (statement, entry) in [
        ("UPDATE trail SET number = 9 WHERE number = 4", 4),
        ("UPDATE trail SET number = -1 WHERE number = 1", -1),
        ("UPDATE trail SET number = 0 WHERE number = 1", 0),
        ("UPDATE head SET count = 5", 5),
        ("UPDATE head SET count = 3", 4),
        ("UPDATE journal SET trail_count = 3 WHERE number = 6", 3),
        ("UPDATE journal SET trail_count = 5 WHERE number = 6", 5),
        ("UPDATE trail SET hash = x'00' WHERE number = 2", 2),
    ] {
        let lab = lab();
        lab.run(statement);
        let found = lab.found();
        assert!(entries(&found).contains(&entry), "{statement}: {found:?}");
    }
    for statement in
        ["DELETE FROM head", "DROP TABLE trail", "DROP TABLE journal", "DROP INDEX journal_by_act"]
    {
        let lab = lab();
        lab.run(statement);
        assert!(lab.all().findings.len() > 3, "{statement}");
    }
    let lab = lab();
    lab.run("CREATE TRIGGER own AFTER INSERT ON journal BEGIN DELETE FROM trail WHERE number = 1; END");
    assert!(lab.found()[0].what.contains("did not make"));
}

#[test]
fn loss_insertion_and_reordering_are_found_where_they_are() {
    for (what, statement, entry, words) in [
        ("loss at the beginning", "DELETE FROM trail WHERE number = 1", 1, "is missing"),
        ("loss in the middle", "DELETE FROM trail WHERE number = 2", 2, "is missing"),
        ("loss of two", "DELETE FROM trail WHERE number IN (2, 3)", 2, "all that follow to 3"),
        (
            "loss with new numbers",
            "DELETE FROM trail WHERE number = 2; UPDATE trail SET number = number - 1 WHERE number > 2",
            2,
            "changed or moved",
        ),
        (
            "reordering",
            "UPDATE trail SET number = -2 WHERE number = 2; UPDATE trail SET number = 2 WHERE number = 3; \
             UPDATE trail SET number = 3 WHERE number = -2",
            2,
            "changed or moved",
        ),
        (
            "insertion in the middle",
            "UPDATE trail SET number = 5 WHERE number = 4; UPDATE trail SET number = 4 WHERE number = 3; \
             INSERT INTO trail SELECT 3, bytes, hash FROM trail WHERE number = 2",
            3,
            "changed or moved",
        ),
        (
            "insertion at the end",
            "INSERT INTO trail SELECT 5, bytes, hash FROM trail WHERE number = 4",
            5,
            "added behind the end",
        ),
        ("the end cut", "DELETE FROM trail WHERE number = 4", 4, "the head knows 4"),
        (
            "the end cut with its head",
            "DELETE FROM trail WHERE number = 4; \
             UPDATE head SET count = 3, hash = (SELECT hash FROM trail WHERE number = 3)",
            4,
            "journal row 6 knows 4 entries",
        ),
        (
            "everything but the journal",
            "DELETE FROM trail; UPDATE head SET count = 0, hash = zeroblob(32)",
            1,
            "the end was cut",
        ),
    ] {
        let lab = lab();
        lab.run(statement);
        let found = lab.found();
        let hit = |finding: &Finding| finding.entry == Some(entry) && finding.what.contains(words);
        assert!(found.iter().any(hit), "{what}: {found:?}");
    }
}

#[test]
fn an_entry_chained_correctly_but_not_by_wardroom_is_found() {
    let lab = lab();
    let before = lab.blob("SELECT hash FROM trail WHERE number = 4");
    let bytes = lab.blob("SELECT bytes FROM trail WHERE number = 4");
    let hash = canonical::link(&before, &bytes);
    lab.raw.execute("INSERT INTO trail VALUES (5, ?1, ?2)", (&bytes, hash.as_slice())).unwrap();
    lab.raw.execute("UPDATE head SET count = 5, hash = ?1", [hash.as_slice()]).unwrap();
    let found = lab.found();
    assert_eq!(entries(&found), [5]);
    assert!(found[0].what.contains("says that it is entry 4"), "{found:?}");
    assert!(found[1].what.contains("unknown to the journal"), "{found:?}");
}

#[test]
fn a_trail_written_anew_is_found_by_a_head_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    whole(&Ledger::open(folder.path(), None).unwrap(), "a-1");
    let trail = Trail::open(folder.path(), None).unwrap();
    let kept: Noted = trail.verify(None).unwrap().head().parse().unwrap();
    whole(&Ledger::open(folder.path(), None).unwrap(), "a-2");
    assert!(trail.verify(Some(&kept)).unwrap().is_intact(), "it grew since");

    let other = tempfile::tempdir().unwrap();
    for id in ["a-3", "a-4"] {
        whole(&Ledger::open(other.path(), None).unwrap(), id);
    }
    let anew = Trail::open(other.path(), None).unwrap();
    assert!(anew.verify(None).unwrap().is_intact());
    let found = anew.verify(Some(&kept)).unwrap().findings;
    assert_eq!(entries(&found), [4], "{found:?}");
    for wrong in ["", "4", "4:xyz", "x:00", &format!("4:{}", "g".repeat(64))] {
        assert!(wrong.parse::<Noted>().unwrap_err().contains("COUNT:HASH"), "{wrong}");
    }
}

#[test]
fn any_changed_byte_of_the_file_leaves_the_entries_whole_or_is_told() {
    let folder = tempfile::tempdir().unwrap();
    whole(&Ledger::open(folder.path(), None).unwrap(), "a-1");
    let path = folder.path().join("journal.db");
    let before = Trail::open(folder.path(), None).unwrap().query(&Filter::default()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let mut told = 0;
    for place in (0..bytes.len()).step_by(29) {
        file.write_all_at(&[bytes[place] ^ 0x11], place as u64).unwrap();
        // Nothing of the last round may answer for the file.
        for left in ["journal.db-wal", "journal.db-shm"] {
            let _ = std::fs::remove_file(folder.path().join(left));
        }
        match Trail::open(folder.path(), None).and_then(|trail| Ok((trail.verify(None)?, trail))) {
            Ok((verified, trail)) if verified.is_intact() => {
                assert_eq!(trail.query(&Filter::default()).as_ref(), Ok(&before), "byte {place}");
            }
            _ => told += 1,
        }
        file.write_all_at(&[bytes[place]], place as u64).unwrap();
    }
    assert!(told > 100, "only {told} were told: the bytes are elsewhere");
}

#[test]
fn the_triggers_refuse_changes_and_a_changed_end_is_not_built_upon() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    whole(&ledger, "a-1");
    let raw = Connection::open(folder.path().join("journal.db")).unwrap();
    for statement in [
        "UPDATE trail SET bytes = x'00' WHERE number = 1",
        "DELETE FROM trail WHERE number = 1",
        "INSERT OR REPLACE INTO trail VALUES (2, x'00', x'00')",
        "INSERT INTO trail VALUES (6, x'00', x'00')",
    ] {
        let error = raw.execute(statement, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
    assert!(ledger.verify().unwrap().is_intact());
    raw.execute_batch("DROP TRIGGER trail_holds; DELETE FROM trail WHERE number = 4").unwrap();
    let error = ledger.write(super::at(9), "confirmed", &super::act("a-2"), true).unwrap_err().to_string();
    assert!(error.contains("does not end where it should") && error.contains("audit verify"), "{error}");
}
