//! The engine's whole way against a scripted controller.

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

mod long;
mod restart;

/// An engine with a clock that moves a tenth of a second at every look.
struct Room {
    wishes: mpsc::Sender<Wish>,
    told: mpsc::Receiver<Told>,
    ledger: Arc<Ledger>,
    _folder: tempfile::TempDir,
    sight: watch::Sender<Arc<Sight>>,
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
        let resident = config.model.iter().any(|model| model.automatic.is_some());
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
            resident,
            pace: Pace { ready: millis(1), soon: millis(1), later: millis(1), watch: millis(1) },
        };
        Engine::spawn(parts, inbox, tell);
        Self { wishes, told, ledger, _folder: folder, sight: sender }
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
