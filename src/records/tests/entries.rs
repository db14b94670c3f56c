//! What an entry says, how it is found, and that its bytes give it back.

use proptest::prelude::*;

use super::super::canonical::{BEGINNING, hex, link};
use super::super::entry::{Writer, entry};
use super::super::export::{COLUMNS, Csv, JsonLines};
use super::super::*;
use super::{act, at, whole};
use crate::domain::ModelId;
use crate::domain::act::{Hand, Outcome, RequestState, Stage, Who};

const WRITER: Writer = Writer { process: 42, uid: 1_000 };

#[test]
fn the_chain_is_what_the_documentation_says() {
    // SHA-256 of 32 zero bytes, the length 3 as eight bytes, and `abc`, by another program.
    assert_eq!(
        hex(&link(&BEGINNING, b"abc")),
        "8a295b0cbf1f5a594280696ad7707164e2b8beb0e614ad52bc7d78ff8ac12a82"
    );
    assert_ne!(link(&BEGINNING, b""), BEGINNING);
}

#[test]
fn an_act_gives_the_line_of_its_point() {
    let mut act = act("a-1");
    let line = |act: &Act, point: &str| {
        let entry = entry(1, at(9), point, act, &[], WRITER);
        (entry.line, entry.detail)
    };
    let affects = "25 % of traffic, 29.5 req/s".to_owned();
    assert_eq!(line(&act, "confirmed"), (Line::Confirmed, affects.clone()));
    act.plan.who.by = "automatic".into();
    assert_eq!(line(&act, "confirmed"), (Line::Automatic, affects));
    assert_eq!(line(&act, "after request 1"), (Line::Noted, String::new()), "it still waits");
    let why = || "why".to_owned();
    for (state, expected) in [
        (RequestState::Sent { at: at(2), audit_id: "i".into() }, Line::RequestSent),
        (
            RequestState::Accepted { sent: at(2), at: at(3), audit_id: "i".into(), note: "7 → 8".into() },
            Line::RequestAccepted,
        ),
        (RequestState::Refused { at: at(3), why: why() }, Line::RequestRefused),
        (RequestState::Unknown { at: at(3), why: why() }, Line::RequestUnknown),
        (RequestState::NotSent { why: why() }, Line::RequestNotSent),
    ] {
        act.requests[0] = state;
        let (found, detail) = line(&act, "after request 1");
        assert_eq!(found, expected);
        assert_eq!(line(&act, "settled request 1").0, expected);
        assert_eq!(line(&act, "request 1 not sent").0, expected);
        assert!(detail.starts_with("template ← 1.2.0"), "{detail}");
    }
    for strange in ["after request 0", "after request 2", "after request x", "check weight", ""] {
        assert_eq!(line(&act, strange), (Line::Noted, String::new()), "{strange}");
    }
    act.watch_notes = vec!["reverted by argocd-controller 14:05:12".into()];
    assert_eq!(line(&act, "watch reverted"), (Line::Watch, act.watch_notes[0].clone()));
    act.stage = Stage::Over;
    act.outcome = Some(Outcome::Unknown { why: why() });
    assert_eq!(line(&act, "closed").0, Line::Over);
    let over = entry(7, at(9), "over", &act, &[], WRITER);
    assert_eq!((over.line, over.detail.as_str(), over.outcome.as_str()), (Line::Over, "why", "unknown"));
    assert_eq!((over.number, over.process, over.uid), (7, 42, 1_000));
    assert_eq!(over.target, "eu/prod/als");
    assert_eq!(over.what, "rollback als to 1.2.0");
    assert_eq!((over.before.as_str(), over.after.as_str()), ("1.3.0 at 25 %", "1.2.0 at 100 %"));
}

#[test]
fn a_request_keeps_its_audit_id_when_its_outcome_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    let mut act = act("a-1");
    ledger.write(at(1), "confirmed", &act, true).unwrap();
    act.requests[0] = RequestState::Sent { at: at(2), audit_id: "aid-7".into() };
    ledger.write(at(2), "before request 1", &act, false).unwrap();
    act.requests[0] = RequestState::Unknown { at: at(3), why: "no answer in 5 s".into() };
    ledger.write(at(3), "after request 1", &act, true).unwrap();
    ledger.write(at(4), "over", &act, true).unwrap();
    let ids: Vec<String> = ledger
        .query(&Filter::default())
        .unwrap()
        .into_iter()
        .map(|e| e.requests[0].audit_id.clone())
        .collect();
    assert_eq!(ids, ["", "aid-7", "aid-7"]);
}

#[test]
fn entries_are_found_by_each_part() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    whole(&ledger, "a-1");
    let mut other = act("a-2");
    other.plan.model = ModelId::new("prod", "alzheimer");
    other.plan.operation = crate::domain::act::Operation::Abort;
    other.plan.who = Who { user: "grace".into(), identity: "ops".into(), ..Who::default() };
    ledger.write(at(100), "confirmed", &other, true).unwrap();
    let numbers = |filter: Filter| -> Vec<u64> {
        ledger.query(&filter).unwrap().into_iter().map(|entry| entry.number).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let none = Filter::default;
    assert_eq!(numbers(none()), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(Filter { model: some("als"), ..none() }), [1, 2, 3, 4]);
    assert_eq!(numbers(Filter { model: some("eu/prod/als"), ..none() }).len(), 5);
    assert_eq!(numbers(Filter { act: some("a-2"), ..none() }), [5]);
    assert_eq!(numbers(Filter { user: some("ada"), ..none() }), [1, 2, 3, 4]);
    assert_eq!(numbers(Filter { user: some("ops"), ..none() }), [5]);
    assert_eq!(numbers(Filter { verb: some("abort"), ..none() }), [5]);
    assert_eq!(numbers(Filter { since: Some(at(5)), ..none() }), [3, 4, 5]);
    assert_eq!(numbers(Filter { since: Some(at(3)), until: Some(at(6)), ..none() }), [2, 3]);
    assert_eq!(numbers(Filter { text: some("AID-1"), ..none() }), [2, 3, 4]);
    assert_eq!(numbers(Filter { text: some("No Traffic"), ..none() }), [3, 4]);
    assert_eq!(numbers(Filter { text: some("nowhere"), ..none() }), [0; 0]);
    assert_eq!(numbers(Filter { verb: some("abort"), user: some("ada"), ..none() }), [0; 0]);
}

#[test]
fn exports_carry_every_entry() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    whole(&ledger, "a-1");
    let mut evil = act("a-2");
    evil.plan.reason = "=HYPERLINK(\"http://x\")\nsecond line, with comma".into();
    ledger.write(at(9), "confirmed", &evil, true).unwrap();
    let entries = ledger.query(&Filter::default()).unwrap();

    let mut lines = Vec::new();
    let mut json = JsonLines::new(&mut lines);
    entries.iter().for_each(|entry| json.write(entry).unwrap());
    json.end().unwrap();
    let back: Vec<Entry> =
        lines.split(|&b| b == b'\n').filter(|l| !l.is_empty()).map(|l| Entry::parse(l).unwrap()).collect();
    assert_eq!(back, entries);
    // What is exported is what is chained.
    let mut hash = BEGINNING;
    lines.split(|&b| b == b'\n').filter(|l| !l.is_empty()).for_each(|line| hash = link(&hash, line));
    assert_eq!(hex(&hash), ledger.verify().unwrap().hash);

    let mut text = Vec::new();
    let mut csv = Csv::new(&mut text).unwrap();
    entries.iter().for_each(|entry| csv.write(entry).unwrap());
    csv.end().unwrap();
    let mut reader = csv::Reader::from_reader(text.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    let cell = |row: usize, name: &str| {
        rows[row].get(COLUMNS.iter().position(|column| *column == name).unwrap()).unwrap().to_owned()
    };
    assert_eq!(cell(0, "why"), "errors, \"many\"");
    assert_eq!(cell(4, "why"), "'=HYPERLINK(\"http://x\")\nsecond line, with comma");
    assert_eq!((cell(1, "audit_ids"), cell(1, "line")), ("aid-1".into(), "request accepted".into()));
}

fn anything() -> impl Strategy<Value = Entry> {
    let words = || ".{0,12}";
    let time = || {
        (-8_000_000_000_i64..8_000_000_000, 0_u32..1_000_000_000)
            .prop_map(|(second, nano)| Time::from_timestamp(second, nano).unwrap())
    };
    let request = (words(), words(), words(), proptest::option::of(time()), any::<bool>()).prop_map(
        |(words, path, audit_id, at, registry)| SentRequest {
            hand: if registry { Hand::Registry } else { Hand::Controller },
            words: words.clone(),
            verb: "PATCH".into(),
            path,
            is: "sent".into(),
            at,
            audit_id,
            note: words,
        },
    );
    let check =
        (words(), words()).prop_map(|(words, detail)| SeenCheck { words, is: "passed".into(), detail });
    let lists = (proptest::collection::vec(request, 0..4), proptest::collection::vec(check, 0..3));
    (any::<u64>(), time(), words(), words(), words(), any::<(u32, u32)>(), lists).prop_map(
        |(number, at, a, b, c, (uid, process), (requests, checks))| {
            let mut entry = entry(number, at, &a, &act(&b), &[], Writer { process, uid });
            entry.why = c.clone();
            entry.who.origin = a;
            entry.detail = b;
            entry.evidence = c;
            entry.requests = requests;
            entry.checks = checks;
            entry
        },
    )
}

proptest! {
    #[test]
    fn canonical_bytes_give_the_entry_back(entry in anything()) {
        let bytes = entry.canonical().unwrap();
        let back = Entry::parse(&bytes).unwrap();
        prop_assert_eq!(back.canonical().unwrap(), bytes);
        prop_assert_eq!(back, entry);
    }

    #[test]
    fn bytes_that_are_no_entry_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Entry::parse(&bytes).is_err());
    }
}
