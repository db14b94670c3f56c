//! Acts that last: the watch, and two acts on one model.

use std::collections::VecDeque;

use super::*;

/// A pause with a watch of 5 s, at whose looks this is seen.
async fn watched(seen: impl Into<VecDeque<Seen>>) -> Act {
    let fake = Fake::new(1);
    fake.script(|script| script.weight = seen.into());
    let mut room = Room::new(&fake, config("watch = \"5s\""));
    let plan = room.plan(Operation::Pause).await.unwrap();
    let id = plan.id.clone();
    room.wish(Wish::Execute(plan)).await;
    room.over(&id).await
}

#[tokio::test]
async fn the_watch_notes_what_does_not_last() {
    let act = watched([Seen::Yes, Seen::Yes, Seen::NotYet, Seen::NotYet, Seen::NotYet]).await;
    assert!(act.watch_notes[0].starts_with("weight does not hold any more"), "{:?}", act.watch_notes);
    assert!(failed(&act).contains("did not last"), "{:?}", act.outcome);
    assert!(act.effective_at.is_some());
}

#[tokio::test]
async fn one_look_without_it_is_no_break() {
    let act = watched([Seen::Yes, Seen::NotYet, Seen::Yes]).await;
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
    let (mut ended, mut sent) = (None, false);
    while ended.is_none() || !sent {
        if let Told::Act(act) = room.told().await {
            sent |= act.plan.id == ids[2] && act.accepted_at().is_some();
            if act.plan.id == ids[0] && act.stage == Stage::Over {
                ended = Some(act);
            }
        }
    }
    let act = ended.unwrap();
    assert!(unknown(&act).contains(&format!("ended by {} (abort)", ids[2])), "{}", unknown(&act));
    assert_eq!(fake.script(|script| script.log.len()), 2);
}

#[tokio::test]
async fn while_one_is_sending_only_an_abort_may_cut_in_and_only_between_requests() {
    let fake = Fake::new(1);
    let waits: VecDeque<Ready> = std::iter::repeat_n(Ready::NotYet("pods".into()), 400).collect();
    fake.script(|script| script.ready = waits);
    let mut room = Room::new(&fake, config(""));
    let mut first = room.plan(Operation::Promote).await.unwrap();
    first.requests[0].wait_s = 3_600.0;
    let second = room.plan(Operation::Pause).await.unwrap();
    let third = room.plan(Operation::Abort).await.unwrap();
    let ids = [&first, &second, &third].map(|plan| plan.id.clone());
    room.wish(Wish::Execute(first)).await;
    let waiting =
        |act: &Act| matches!(&act.requests[0], RequestState::Waiting { for_what } if for_what == "pods");
    room.until(&ids[0], waiting).await;
    room.wish(Wish::Execute(second)).await;
    let act = room.over(&ids[1]).await;
    assert!(nothing(&act).contains("is sending"), "{}", nothing(&act));
    room.wish(Wish::Execute(third)).await;
    let act = room.over(&ids[0]).await;
    assert!(nothing(&act).contains(&format!("ended by {} (abort)", ids[2])), "{}", nothing(&act));
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

/// A room whose model may be acted upon automatically, and that sees its canary judged bad.
async fn judged_bad(auto: &str) -> (Room, Fake) {
    let fake = Fake::new(1);
    let mut config = config("");
    let text = format!("auto = \"{auto}\"\nstands_for = \"0s\"");
    config.model[0].automatic = Some(toml::from_str(&text).unwrap());
    let room = Room::new(&fake, config);
    let mut bad = sight();
    let verdict = crate::control::sight::VerdictSight {
        decision: crate::judge::Decision::Abort,
        line: "ABORT errors 2.9x".into(),
        at: Time::from_timestamp(1_800_000_000, 0).unwrap(),
    };
    bad.models.values_mut().for_each(|model| model.verdict = Some(verdict.clone()));
    room.sight.send(Arc::new(bad)).unwrap();
    (room, fake)
}

#[tokio::test]
async fn an_automatic_abort_is_written_down_like_a_persons_act() {
    let (mut room, fake) = judged_bad("abort").await;
    let act = loop {
        if let Told::Act(act) = room.told().await
            && act.stage == Stage::Over
        {
            break act;
        }
    };
    assert_eq!((act.plan.who.by.as_str(), act.plan.who.user.as_str()), ("automatic", "kim"));
    assert_eq!(
        (act.plan.operation.clone(), act.outcome.clone()),
        (Operation::Abort, Some(Outcome::Effective))
    );
    assert_eq!(act.plan.evidence, "ABORT errors 2.9x");
    assert_eq!(room.points(&act.plan.id)[0], "confirmed");
    assert!(act.audit.is_some());
    assert_eq!(fake.script(|script| script.log.clone()), [0]);
}

#[tokio::test]
async fn advice_alone_sends_nothing() {
    let (mut room, fake) = judged_bad("advise").await;
    let Told::Advice { model: of, words } = room.told().await else { panic!("it is said") };
    assert_eq!(of, model());
    assert!(words.starts_with("would abort 1.3.0"), "{words}");
    assert!(fake.script(|script| script.log.is_empty()));
}
