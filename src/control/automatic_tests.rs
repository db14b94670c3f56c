use super::*;
use crate::config::duration::Span;
use crate::control::sight::VerdictSight;
use crate::domain::{Phase, Rollout};

fn at(s: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

fn canary(decision: Decision, s: i64) -> ModelSight {
    let mut rollout = Rollout::of("demo", Version::new("1.2.0"));
    rollout.canary = Some(Version::new("1.3.0"));
    rollout.phase = Phase::Paused;
    rollout.situation = Situation::PausedByStep;
    let verdict = VerdictSight { decision, line: "ABORT errors 2.9x".into(), at: at(s) };
    ModelSight {
        rollout,
        rollout_at: None,
        share: Some(25.0),
        rate: None,
        kpis: Vec::new(),
        errors: None,
        p95: None,
        counted: Vec::new(),
        verdict: Some(verdict),
        registry: Vec::new(),
        why: String::new(),
    }
}

fn promoted(s: i64, errors: f64) -> ModelSight {
    let mut sight = canary(Decision::KeepWatching, s);
    sight.rollout = Rollout::of("demo", Version::new("1.3.0"));
    sight.verdict = None;
    sight.errors = Some(Valued { value: errors, samples: Some(500), at: at(s) });
    sight
}

fn config(auto: AutoLevel) -> AutoConfig {
    AutoConfig { auto, error_rate: Some(5.0), ..AutoConfig::default() }
}

/// What is chosen at each of these seconds.
fn play(config: &AutoConfig, scene: impl Fn(i64) -> ModelSight, seconds: &[i64]) -> Vec<Choice> {
    let mut memory = Memory::default();
    seconds.iter().map(|&s| decide(config, &scene(s), &mut memory, 3_600.0, at(s))).collect()
}

fn acts(choices: &[Choice]) -> Vec<Option<&Operation>> {
    fn of(choice: &Choice) -> Option<&Operation> {
        match choice {
            Choice::Act(operation, _) => Some(operation),
            _ => None,
        }
    }
    choices.iter().map(of).collect()
}

#[test]
fn a_verdict_must_stand_before_anything_is_done() {
    let choices = play(&config(AutoLevel::Abort), |s| canary(Decision::Abort, s), &[0, 15, 29, 30, 45]);
    assert_eq!(acts(&choices), [None, None, None, Some(&Operation::Abort), None]);
    let scene = |s| canary(if s == 20 { Decision::KeepWatching } else { Decision::Abort }, s);
    let choices = play(&config(AutoLevel::Abort), scene, &[0, 20, 30, 45, 59, 60]);
    assert_eq!(acts(&choices)[..5], [None; 5], "the time begins anew");
    assert_eq!(acts(&choices)[5], Some(&Operation::Abort));
}

#[test]
fn advise_says_it_once_and_does_nothing() {
    let choices = play(&config(AutoLevel::Advise), |s| canary(Decision::Abort, s), &[0, 30, 31, 60]);
    assert_eq!(acts(&choices), [None; 4]);
    let said = choices.iter().filter(|choice| matches!(choice, Choice::Advise(_))).count();
    assert_eq!(said, 1);
    let Choice::Advise(words) = &choices[1] else { panic!("{choices:?}") };
    assert!(words.starts_with("would abort 1.3.0: ABORT errors 2.9x"), "{words}");
}

#[test]
fn it_cools_down_after_an_act() {
    let config = AutoConfig {
        cool_down: Some(Span::seconds(600)),
        stands_for: Some(Span::seconds(0)),
        ..config(AutoLevel::Abort)
    };
    let choices = play(&config, |s| canary(Decision::Abort, s), &[0, 10, 599, 600]);
    assert_eq!(acts(&choices), [Some(&Operation::Abort), None, None, Some(&Operation::Abort)]);
    assert!(matches!(&choices[1], Choice::Advise(words) if words.contains("nothing is done for 590 s")));
}

#[test]
fn an_old_verdict_and_few_requests_decide_nothing() {
    let choices = play(&config(AutoLevel::Abort), |_| canary(Decision::Abort, 0), &[0, 10, 120, 300]);
    assert_eq!(acts(&choices), [None; 4], "its sources have stopped");
    let few = |s| {
        let mut sight = canary(Decision::KeepWatching, s);
        sight.errors = Some(Valued { value: 50.0, samples: Some(4), at: at(s) });
        sight
    };
    assert_eq!(acts(&play(&config(AutoLevel::Abort), few, &[0, 60])), [None; 2]);
}

#[test]
fn its_own_limit_is_strict() {
    let errors = |value: f64| {
        move |s| {
            let mut sight = canary(Decision::KeepWatching, s);
            sight.errors = Some(Valued { value, samples: Some(500), at: at(s) });
            sight
        }
    };
    let chosen = |value| play(&config(AutoLevel::Abort), errors(value), &[0, 30]).remove(1);
    assert_eq!(chosen(5.0), Choice::Nothing);
    assert!(
        matches!(chosen(5.1), Choice::Act(Operation::Abort, words) if words.contains("errors 5.10 % > 5 %"))
    );
}

#[test]
fn after_a_promotion_only_rollback_goes_back_and_only_to_the_version_before() {
    let scene = |s| if s == 0 { canary(Decision::KeepWatching, s) } else { promoted(s, 9.0) };
    let back = Operation::RollBack { to: Version::new("1.2.0") };
    let seconds = [0, 10, 39, 40, 50];
    assert_eq!(
        acts(&play(&config(AutoLevel::Rollback), scene, &seconds)),
        [None, None, None, Some(&back), None]
    );
    assert_eq!(acts(&play(&config(AutoLevel::Abort), scene, &seconds)), [None; 5], "abort is not rollback");
    let never_promoted = |s| promoted(s, 9.0);
    assert_eq!(acts(&play(&config(AutoLevel::Rollback), never_promoted, &seconds)), [None; 5]);
    let late = |s| {
        if s == 0 {
            canary(Decision::KeepWatching, s)
        } else {
            promoted(s, if s > 4_000 { 9.0 } else { 0.1 })
        }
    };
    assert_eq!(
        acts(&play(&config(AutoLevel::Rollback), late, &[0, 10, 4_001, 4_100])),
        [None; 4],
        "long after the promotion it is not its fault"
    );
}

#[test]
fn what_is_aborted_already_is_left_alone() {
    let scene = |s| {
        let mut sight = canary(Decision::Abort, s);
        sight.rollout.situation = Situation::Aborting;
        sight
    };
    assert_eq!(play(&config(AutoLevel::Rollback), scene, &[0, 60]), [Choice::Nothing, Choice::Nothing]);
}

#[test]
fn without_a_table_in_the_config_nothing_is_armed() {
    let parse = |text: &str| crate::config::parse("test", text, &[]).unwrap().config;
    assert!(!Automat::new(&parse("[[model]]\nname = \"als\"\n")).is_armed());
    let armed = Automat::new(&parse("[[model]]\nname = \"als\"\n[model.automatic]\nauto = \"abort\"\n"));
    assert!(armed.is_armed());
}
