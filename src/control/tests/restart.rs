//! What a restart finds, and that it sends nothing.

use super::*;

/// A ledger that an earlier process left with an act at this point.
fn left(change: impl FnOnce(&mut Act)) -> (tempfile::TempDir, Arc<Ledger>, ActId) {
    let folder = tempfile::tempdir().unwrap();
    let at = Time::from_timestamp(1_800_000_000, 0).unwrap();
    let mut plan = sample_plan();
    plan.requests.push(super::fake::request(1));
    let mut act = Act::confirmed(plan, at);
    change(&mut act);
    let id = act.plan.id.clone();
    let ledger = Ledger::open(folder.path(), None).unwrap();
    ledger.write(at, "confirmed", &act, true).unwrap();
    let file = rusqlite::Connection::open(ledger.path()).unwrap();
    file.execute("UPDATE journal SET boot = boot || 'x'", []).unwrap();
    (folder, Arc::new(ledger), id)
}

async fn take_over(fake: &Fake, change: impl FnOnce(&mut Act)) -> (Act, Room) {
    let (folder, ledger, id) = left(change);
    let mut room = Room::on(folder, ledger, fake, config(""));
    let Told::Unfinished(acts) = room.told().await else { panic!("what was left is told first") };
    assert_eq!(acts.iter().map(|act| &act.plan.id).collect::<Vec<_>>(), [&id]);
    room.wish(Wish::Verify(id.clone())).await;
    (room.over(&id).await, room)
}

fn sent() -> RequestState {
    let at = Time::from_timestamp(1_800_000_000, 0).unwrap();
    RequestState::Sent { at, audit_id: "a-00000001-1".into() }
}

fn accepted() -> RequestState {
    let at = Time::from_timestamp(1_800_000_000, 0).unwrap();
    RequestState::Accepted { sent: at, at, audit_id: "x".into(), note: String::new() }
}

#[tokio::test]
async fn a_restart_before_the_first_request_sent_nothing() {
    let fake = Fake::new(2);
    let (act, _room) = take_over(&fake, |_| {}).await;
    assert!(nothing(&act).contains("plan again"));
    assert!(!act.resumed.is_empty());
    assert!(fake.script(|script| script.log.is_empty()), "a restart sends nothing");
}

#[tokio::test]
async fn a_restart_looks_what_came_of_a_request_in_flight() {
    let fake = Fake::new(2);
    fake.script(|script| script.settled = [Settled::Done("abort: true".into())].into());
    let (act, room) = take_over(&fake, |act| act.requests = vec![accepted(), sent()]).await;
    assert_eq!(act.outcome, Some(Outcome::Effective));
    assert!(matches!(act.requests[1], RequestState::Accepted { .. }));
    assert!(fake.script(|script| script.log.is_empty()), "it is never sent again");
    assert!(room.points(&act.plan.id).contains(&"looked again".to_owned()));
}

#[tokio::test]
async fn a_restart_says_which_requests_were_never_sent() {
    let fake = Fake::new(2);
    fake.script(|script| script.weight = [Seen::NotYet].into());
    let (act, _room) = take_over(&fake, |act| {
        act.stage = Stage::Sending;
        act.requests[0] = accepted();
    })
    .await;
    assert!(failed(&act).contains("request 2 of 2 was never done"), "{}", failed(&act));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn a_request_in_flight_whose_effect_is_not_there_stays_unknown() {
    let fake = Fake::new(2);
    fake.script(|script| {
        script.settled = std::iter::repeat_n(Settled::NotDone("weight 25".into()), 3).collect();
        script.weight = [Seen::NotYet].into();
    });
    let (act, _room) = take_over(&fake, |act| act.requests[0] = sent()).await;
    assert!(unknown(&act).contains("weight 25"), "{}", unknown(&act));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn an_unfinished_act_is_closed_without_looking() {
    let fake = Fake::new(2);
    let (folder, ledger, id) = left(|act| act.requests[0] = sent());
    let mut room = Room::on(folder, ledger, &fake, config(""));
    room.wish(Wish::Close(id.clone())).await;
    let act = room.over(&id).await;
    assert!(unknown(&act).contains("closed by kim"));
    assert!(room.points(&id).contains(&"closed".to_owned()));
    assert_eq!(room.ledger.unfinished().unwrap(), []);
}
