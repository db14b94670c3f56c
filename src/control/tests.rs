//! The engine's whole way against a scripted controller.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::fake::{Fake, sample_plan, target};
use super::sight::ModelSight;
use super::*;
use crate::config::Config;
use crate::domain::act::{
    Act, ActId, CheckState, Operation, Outcome, Plan, RequestState, Stage, Told, Who, Wish,
};
use crate::domain::{ModelId, Phase, Rollout, Situation, Time, Version};
use crate::records::Ledger;

/// An engine with a clock that moves a tenth of a second at every look.
struct Room {
    wishes: mpsc::Sender<Wish>,
    told: mpsc::Receiver<Told>,
    ledger: Arc<Ledger>,
    _folder: tempfile::TempDir,
    _sight: watch::Sender<Arc<Sight>>,
}

fn model() -> ModelId {
    ModelId::new("test", "als")
}

fn rollout() -> Rollout {
    Rollout {
        target: Some(target()),
        canary: Some(Version::new("1.3.0")),
        phase: Phase::Paused,
        situation: Situation::PausedByStep,
        asked: 25.0,
        ..Rollout::of("fake", Version::new("1.2.0"))
    }
}

fn sight() -> Sight {
    let model_sight = ModelSight {
        rollout: rollout(),
        rollout_at: None,
        share: Some(25.0),
        rate: Some(118.0),
        kpis: Vec::new(),
        errors: None,
        p95: None,
        counted: Vec::new(),
        verdict: None,
        registry: Vec::new(),
        why: String::new(),
    };
    Sight { models: [(model(), model_sight)].into() }
}

fn config(more: &str) -> Config {
    let within = if more.contains("effective_within") { "" } else { "effective_within = \"20s\"" };
    let text = format!("environment = \"test\"\n[control]\n{within}\n{more}\n[[model]]\nname = \"als\"\n");
    crate::config::parse("test", &text, &[]).unwrap().config
}

fn ticking() -> Clock {
    let tenths = AtomicI64::new(0);
    Arc::new(move || {
        let now = tenths.fetch_add(1, Ordering::SeqCst);
        Time::from_timestamp(1_800_000_000, 0).unwrap() + chrono::TimeDelta::milliseconds(100 * now)
    })
}

impl Room {
    fn new(fake: &Fake, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::open(folder.path(), None).unwrap());
        Self::on(folder, ledger, fake, config)
    }

    fn on(folder: tempfile::TempDir, ledger: Arc<Ledger>, fake: &Fake, config: Config) -> Self {
        let (wishes, inbox) = mpsc::channel(16);
        let (tell, told) = mpsc::channel(1_024);
        let (sender, sight) = watch::channel(Arc::new(sight()));
        let numbers = AtomicU32::new(1);
        let millis = Duration::from_millis;
        let parts = Parts {
            controllers: vec![Box::new(fake.clone())],
            registry: None,
            ledger: ledger.clone(),
            clock: ticking(),
            fresh: Arc::new(move || numbers.fetch_add(1, Ordering::SeqCst)),
            who: Who { user: "kim".into(), by: "room".into(), ..Who::default() },
            config: Arc::new(config),
            sight,
            resident: false,
            pace: Pace { ready: millis(1), soon: millis(1), later: millis(1), watch: millis(1) },
        };
        Engine::spawn(parts, inbox, tell);
        Self { wishes, told, ledger, _folder: folder, _sight: sender }
    }

    async fn wish(&self, wish: Wish) {
        self.wishes.send(wish).await.unwrap();
    }

    async fn told(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(20), self.told.recv()).await.unwrap().unwrap()
    }

    async fn plan(&mut self, operation: Operation) -> Result<Box<Plan>, String> {
        let wish = Wish::Plan {
            number: 7,
            model: model(),
            operation,
            reason: "p95".into(),
            evidence: "41:1".into(),
            seen: None,
        };
        self.wish(wish).await;
        loop {
            if let Told::Planned { number: 7, plan } = self.told().await {
                return plan.map_err(|refusal| refusal.to_string());
            }
        }
    }

    /// The act as soon as this holds.
    async fn until(&mut self, id: &ActId, holds: impl Fn(&Act) -> bool) -> Act {
        loop {
            if let Told::Act(act) = self.told().await
                && act.plan.id == *id
                && holds(&act)
            {
                return *act;
            }
        }
    }

    async fn over(&mut self, id: &ActId) -> Act {
        self.until(id, |act| act.stage == Stage::Over).await
    }

    /// Plans, confirms, and waits for the end.
    async fn abort(&mut self) -> Act {
        let plan = self.plan(Operation::Abort).await.unwrap();
        let id = plan.id.clone();
        self.wish(Wish::Execute(plan)).await;
        self.over(&id).await
    }

    fn points(&self, id: &ActId) -> Vec<String> {
        self.ledger.journal(id).unwrap().into_iter().map(|row| row.point).collect()
    }
}

fn nothing(act: &Act) -> &str {
    match act.outcome.as_ref().unwrap() {
        Outcome::Nothing { why } => why,
        other => panic!("{other:?}"),
    }
}

fn failed(act: &Act) -> &str {
    match act.outcome.as_ref().unwrap() {
        Outcome::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}

fn unknown(act: &Act) -> &str {
    match act.outcome.as_ref().unwrap() {
        Outcome::Unknown { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_act_is_planned_written_down_sent_and_verified() {
    let fake = Fake::new(2);
    let mut room = Room::new(&fake, config(""));
    let plan = room.plan(Operation::Abort).await.unwrap();
    assert_eq!(plan.affects, "25 % of traffic, 29.5 req/s");
    assert_eq!(plan.who.user, "kim");
    assert_eq!((plan.evidence.as_str(), plan.reason.as_str()), ("41:1", "p95"));
    assert!(fake.script(|script| script.log.is_empty()), "planning sends nothing");
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    let act = room.over(&id).await;
    assert_eq!(act.outcome, Some(Outcome::Effective));
    assert_eq!(fake.script(|script| script.log.clone()), [0, 1]);
    assert!(act.effective_at.is_some() && act.audit.is_some());
    let points: Vec<String> = room
        .points(&id)
        .into_iter()
        .filter(|point| !["check share", "check errors", "check metrics"].contains(&point.as_str()))
        .collect();
    assert_eq!(
        points,
        [
            "confirmed",
            "before request 1",
            "after request 1",
            "before request 2",
            "after request 2",
            "check weight",
            "effective",
            "over"
        ]
    );
}

#[tokio::test]
async fn read_only_plans_and_sends_nothing() {
    let fake = Fake::new(1);
    let mut room = Room::new(&fake, config("read_only = true"));
    assert!(room.plan(Operation::Abort).await.unwrap_err().starts_with("read-only"));
    room.wish(Wish::Execute(Box::new(sample_plan()))).await;
    let act = room.over(&ActId("a-00000001".into())).await;
    assert!(nothing(&act).starts_with("read-only"));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn what_the_rollout_refuses_is_refused_before_anybody_is_asked() {
    let fake = Fake::new(1);
    let mut room = Room::new(&fake, config(""));
    let refused = room.plan(Operation::Resume).await.unwrap_err();
    assert!(refused.contains("step's own pause"), "{refused}");
    let refused = room.plan(Operation::SetWeight { percent: 120.0 }).await.unwrap_err();
    assert!(refused.contains("0 to 100"), "{refused}");
}

#[tokio::test]
async fn when_the_world_has_moved_nothing_is_sent() {
    let fake = Fake::new(1);
    fake.script(|script| script.ready = [Ready::Moved("step 2 → 3".into())].into());
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert!(nothing(&act).contains("step 2 → 3"), "{}", nothing(&act));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn when_it_moves_between_two_requests_the_rest_is_not_sent() {
    let fake = Fake::new(3);
    let accepted = || Sent::Accepted { audit_id: "x".into(), note: String::new() };
    fake.script(|script| script.sent = [accepted(), Sent::Moved("weight 25 → 50".into())].into());
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert!(failed(&act).contains("request 2 of 3") && failed(&act).contains("25 → 50"));
    assert_eq!(fake.script(|script| script.log.clone()), [0, 1]);
    assert!(matches!(act.requests[2], RequestState::NotSent { .. }));
}

#[tokio::test]
async fn a_refusal_of_the_first_request_is_nothing_sent() {
    let fake = Fake::new(2);
    fake.script(|script| script.sent = [Sent::Refused("403 forbidden".into())].into());
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert_eq!((nothing(&act), act.outcome.as_ref().unwrap().exit_code()), ("403 forbidden", 1));
}

#[tokio::test]
async fn an_unknown_outcome_is_looked_at_and_never_repeated() {
    let fake = Fake::new(2);
    fake.script(|script| {
        script.sent = [Sent::Unknown("no answer".into())].into();
        script.settled = [Settled::NotDone("not yet".into()), Settled::Done("abort: true".into())].into();
    });
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert_eq!(act.outcome, Some(Outcome::Effective));
    assert_eq!(fake.script(|script| script.log.clone()), [0, 1], "each request once");
    let RequestState::Accepted { note, .. } = &act.requests[0] else { panic!("{:?}", act.requests) };
    assert!(note.contains("abort: true"), "{note}");
}

#[tokio::test]
async fn what_stays_unknown_stops_the_act_and_says_so() {
    let fake = Fake::new(2);
    fake.script(|script| {
        script.sent = [Sent::Unknown("no answer".into())].into();
        script.weight = [Seen::NotYet].into();
    });
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert!(unknown(&act).contains("not sent again"), "{}", unknown(&act));
    assert_eq!(fake.script(|script| script.log.clone()), [0]);
    assert_eq!(act.outcome.as_ref().unwrap().exit_code(), 3);
}

#[tokio::test]
async fn a_check_that_is_not_seen_in_time_is_unknown_and_may_still_come() {
    let fake = Fake::new(1);
    let late: VecDeque<Seen> = std::iter::repeat_n(Seen::NotYet, 400).chain([Seen::Yes]).collect();
    fake.script(|script| script.weight = late);
    let mut room = Room::new(&fake, config(""));
    let plan = room.plan(Operation::Pause).await.unwrap();
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    let act = room.until(&id, |act| act.outcome.is_some()).await;
    assert!(unknown(&act).contains("weight 0 %"), "{}", unknown(&act));
    assert!(matches!(act.checks[0].state, CheckState::Unknown { .. }));
    assert_eq!(act.stage, Stage::Watching, "it is looked at on");
    let act = room.until(&id, |act| act.effective_at.is_some()).await;
    assert_eq!(act.outcome, Some(Outcome::Effective));
}

#[tokio::test]
async fn the_opposite_is_a_failure() {
    let fake = Fake::new(1);
    fake.script(|script| script.weight = [Seen::No].into());
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert!(failed(&act).contains("weight 0 %"));
    assert_eq!(act.outcome.as_ref().unwrap().exit_code(), 2);
}

#[tokio::test]
async fn a_controller_that_cannot_be_read_is_no_failure() {
    let fake = Fake::new(1);
    fake.script(|script| script.blind = true);
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert!(unknown(&act).contains("fake is down"), "{}", unknown(&act));
}

#[tokio::test]
async fn the_watch_notes_what_does_not_last() {
    let fake = Fake::new(1);
    let seen = [Seen::Yes, Seen::Yes, Seen::NotYet, Seen::NotYet, Seen::NotYet];
    fake.script(|script| script.weight = seen.into());
    let mut room = Room::new(&fake, config("watch = \"5s\""));
    let plan = room.plan(Operation::Pause).await.unwrap();
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    let act = room.over(&id).await;
    assert!(act.watch_notes[0].starts_with("weight does not hold any more"), "{:?}", act.watch_notes);
    assert!(failed(&act).contains("did not last"), "{:?}", act.outcome);
    assert!(act.effective_at.is_some());
}

#[tokio::test]
async fn one_look_without_it_is_no_break() {
    let fake = Fake::new(1);
    let seen = [Seen::Yes, Seen::NotYet, Seen::Yes];
    fake.script(|script| script.weight = seen.into());
    let mut room = Room::new(&fake, config("watch = \"5s\""));
    let plan = room.plan(Operation::Pause).await.unwrap();
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    let act = room.over(&id).await;
    assert_eq!((act.watch_notes.len(), act.outcome), (0, Some(Outcome::Effective)));
}

#[tokio::test]
async fn only_an_abort_cuts_an_act_short_that_is_not_verified() {
    let fake = Fake::new(1);
    fake.script(|script| script.weight = [Seen::NotYet].into());
    let mut room = Room::new(&fake, config("effective_within = \"1h\""));
    let first = room.plan(Operation::Promote).await.unwrap();
    let second = room.plan(Operation::Pause).await.unwrap();
    let third = room.plan(Operation::Abort).await.unwrap();
    let ids = [&first, &second, &third].map(|plan| plan.id.clone());
    room.wish(Wish::Execute(first)).await;
    room.until(&ids[0], |act| act.stage == Stage::Verifying).await;
    room.wish(Wish::Execute(second)).await;
    let act = room.over(&ids[1]).await;
    assert!(nothing(&act).contains("only an abort"), "{}", nothing(&act));
    room.wish(Wish::Execute(third)).await;
    let act = room.over(&ids[0]).await;
    assert!(unknown(&act).contains(&format!("ended by {} (abort)", ids[2])), "{}", unknown(&act));
    assert_eq!(fake.script(|script| script.log.len()), 2);
}

#[tokio::test]
async fn no_second_act_while_one_is_sending() {
    let fake = Fake::new(1);
    let waits: VecDeque<Ready> = std::iter::repeat_n(Ready::NotYet("pods".into()), 40).collect();
    fake.script(|script| script.ready = waits);
    let mut room = Room::new(&fake, config(""));
    let first = room.plan(Operation::Promote).await.unwrap();
    let second = room.plan(Operation::Abort).await.unwrap();
    let ids = [first.id.clone(), second.id.clone()];
    room.wish(Wish::Execute(first)).await;
    let waiting =
        |act: &Act| matches!(&act.requests[0], RequestState::Waiting { for_what } if for_what == "pods");
    room.until(&ids[0], waiting).await;
    room.wish(Wish::Execute(second)).await;
    let act = room.over(&ids[1]).await;
    assert!(nothing(&act).contains("is sending"), "{}", nothing(&act));
}

#[tokio::test]
async fn a_request_that_may_not_be_sent_in_time_is_not_sent() {
    let fake = Fake::new(1);
    fake.script(|script| script.ready = std::iter::repeat_n(Ready::NotYet("pods".into()), 500).collect());
    let mut room = Room::new(&fake, config(""));
    let act = room.abort().await;
    assert!(nothing(&act).contains("waited 5 s: pods"), "{}", nothing(&act));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn what_this_user_may_not_is_planned_and_not_sent() {
    let fake = Fake::new(1);
    let mut room = Room::new(&fake, config(""));
    let mut plan = room.plan(Operation::Abort).await.unwrap();
    plan.requests[0].may = crate::domain::act::May::No("needs patch on rollouts/status".into());
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    let act = room.over(&id).await;
    assert!(nothing(&act).contains("rollouts/status"));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn a_plan_is_done_once() {
    let fake = Fake::new(1);
    let mut room = Room::new(&fake, config(""));
    let plan = room.plan(Operation::Abort).await.unwrap();
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan.clone())).await;
    room.over(&id).await;
    room.wish(Wish::Execute(plan)).await;
    let act = room.over(&id).await;
    assert!(nothing(&act).contains("journal"), "{:?}", act.outcome);
    assert_eq!(fake.script(|script| script.log.clone()), [0]);
}

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

#[tokio::test]
async fn without_a_journal_nothing_is_sent() {
    let fake = Fake::new(1);
    let mut room = Room::new(&fake, config(""));
    let plan = room.plan(Operation::Abort).await.unwrap();
    let id = plan.id.clone();
    let file = rusqlite::Connection::open(room.ledger.path()).unwrap();
    file.execute("DROP TABLE journal", []).unwrap();
    room.wish(Wish::Execute(plan)).await;
    assert!(matches!(room.told().await, Told::Trouble(_)));
    let act = room.over(&id).await;
    assert!(nothing(&act).contains("journal"), "{}", nothing(&act));
    assert!(fake.script(|script| script.log.is_empty()));
}

#[tokio::test]
async fn the_general_checks_of_a_rollback_are_planned_and_skipped_where_nothing_is_configured() {
    let fake = Fake::new(1);
    let mut room = Room::new(&fake, config("production = true\neffective_within = \"20s\""));
    let plan = room.plan(Operation::RollBack { to: Version::new("1.1.0") }).await.unwrap();
    assert_eq!(plan.confirm, crate::domain::act::Confirm::Type("als".into()));
    let ids: Vec<&str> = plan.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["weight", "version", "share", "samples", "errors", "metrics"]);
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    let act = room.until(&id, |act| act.effective_at.is_some()).await;
    let skipped: Vec<&str> = (act.checks.iter())
        .filter(|check| check.state == CheckState::Skipped)
        .map(|check| check.id.as_str())
        .collect();
    assert_eq!(skipped, ["version", "share", "samples", "errors", "metrics"]);
    assert!(act.checks.iter().all(|check| !check.detail.is_empty()), "each says why: {:?}", act.checks);
}
