//! The judgement as a whole.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution};

use super::portion::{Portion, Role};
use super::record::parse;
use super::rollout::{Look, RolloutJudge};
use super::rules::{MetricKind, Rules};
use super::verdict::{Decision, Verdict};
use crate::domain::Time;

fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

/// Two arms of requests, 15 s a look.
struct Traffic {
    rng: SmallRng,
    second: i64,
}

impl Traffic {
    fn new(seed: u64) -> Self {
        Self { rng: SmallRng::seed_from_u64(seed), second: 0 }
    }

    fn drawn(&mut self, n: u64, p: f64) -> u64 {
        Binomial::new(n, p).unwrap().sample(&mut self.rng)
    }

    fn errors(&mut self, (n_c, p_c): (u64, f64), (n_b, p_b): (u64, f64)) -> Look {
        self.second += 15;
        let (k_c, k_b) = (self.drawn(n_c, p_c), self.drawn(n_b, p_b));
        let mut portions = vec![Portion::events(Role::Baseline, k_b, n_b)];
        if n_c > 0 {
            portions.push(Portion::events(Role::Canary, k_c, n_c));
        }
        Look { at: at(self.second), share: None, metrics: vec![("errors".into(), portions)] }
    }
}

fn errors_only(rules: Rules) -> RolloutJudge {
    RolloutJudge::new(Arc::new(rules), &[("errors".into(), MetricKind::Errors)], 0)
}

fn run(judge: &mut RolloutJudge, looks: impl IntoIterator<Item = Look>) -> Verdict {
    let mut last = at(0);
    for look in looks {
        last = look.at;
        judge.update(&look);
    }
    judge.verdict(last)
}

#[test]
fn a_worse_canary_is_aborted_and_stays_so() {
    let (mut traffic, mut judge) = (Traffic::new(1), errors_only(Rules::default()));
    // The history first, then six times the errors.
    let history: Vec<Look> = (0..10).map(|_| traffic.errors((0, 0.0), (180, 0.005))).collect();
    run(&mut judge, history);
    let mut verdict = judge.verdict(at(traffic.second));
    assert_eq!(verdict.verdict, Decision::CannotTell, "no canary yet: {}", verdict.line);
    let mut requests = 0;
    for _ in 0..200 {
        judge.update(&traffic.errors((20, 0.03), (180, 0.005)));
        requests += 20;
        verdict = judge.verdict(at(traffic.second));
        if verdict.verdict == Decision::Abort {
            break;
        }
    }
    assert_eq!(verdict.verdict, Decision::Abort, "{}", verdict.line);
    assert!(requests < 1_000, "{requests}");
    assert!(verdict.line.starts_with("ABORT   errors ") && verdict.line.contains("against \"no worse\""));
    let healthy: Vec<Look> = (0..50).map(|_| traffic.errors((20, 0.0), (180, 0.005))).collect();
    assert_eq!(run(&mut judge, healthy).verdict, Decision::Abort, "an alarm stays");
}

#[test]
fn a_good_canary_is_promoted_after_its_soak() {
    let rules = Rules { soak_s: 3_600.0, ..Rules::default() };
    let (mut traffic, mut judge) = (Traffic::new(2), errors_only(rules));
    let mut early = None;
    let mut promoted = None;
    for look in 0..1_000 {
        judge.update(&traffic.errors((100, 0.002), (100, 0.002)));
        let verdict = judge.verdict(at(traffic.second));
        if verdict.metrics[0].says == Decision::Promote && early.is_none() {
            early = Some((look, verdict.verdict));
        }
        if verdict.verdict == Decision::Promote {
            promoted = Some(look);
            assert!(verdict.line.contains("within 0.5 pts of baseline"), "{}", verdict.line);
            break;
        }
    }
    assert_eq!(early.unwrap().1, Decision::KeepWatching, "the soak is not over");
    assert!(promoted.unwrap() >= 239, "{promoted:?}");
}

#[test]
fn watching_says_how_long_yet() {
    let (mut traffic, mut judge) = (Traffic::new(3), errors_only(Rules::default()));
    let looks: Vec<Look> = (0..8).map(|_| traffic.errors((50, 0.005), (450, 0.005))).collect();
    let verdict = run(&mut judge, looks);
    assert_eq!(verdict.verdict, Decision::KeepWatching);
    assert!(verdict.line.contains("more canary requests") || verdict.line.contains("No end in sight"));
    for word in ["significant", "sure", "probability", "no regression"] {
        assert!(!verdict.line.contains(word), "{}", verdict.line);
    }
}

#[test]
fn a_split_not_as_configured_tells_nothing() {
    let (mut traffic, mut judge) = (Traffic::new(4), errors_only(Rules::default()));
    let looks: Vec<Look> =
        (0..40).map(|_| Look { share: Some(0.1), ..traffic.errors((40, 0.05), (960, 0.005)) }).collect();
    let verdict = run(&mut judge, looks);
    // Forty looks of errors ten times as many would abort; before them the split was found wrong.
    assert!(matches!(verdict.verdict, Decision::CannotTell | Decision::Abort));
    let (mut traffic, mut judge) = (Traffic::new(5), errors_only(Rules::default()));
    let looks: Vec<Look> =
        (0..40).map(|_| Look { share: Some(0.1), ..traffic.errors((20, 0.005), (980, 0.005)) }).collect();
    let verdict = run(&mut judge, looks);
    assert_eq!(verdict.line, "CANNOT TELL   canary gets 2.0% of traffic, configured 10.0%.");
}

#[test]
fn a_step_of_the_weight_is_no_wrong_split() {
    let (mut traffic, mut judge) = (Traffic::new(6), errors_only(Rules::default()));
    for (share, n_c) in [(0.05, 50), (0.25, 250), (0.5, 500)] {
        for _ in 0..40 {
            judge.update(&Look { share: Some(share), ..traffic.errors((n_c, 0.002), (1_000 - n_c, 0.002)) });
        }
    }
    assert_ne!(judge.verdict(at(traffic.second)).verdict, Decision::CannotTell);
}

#[test]
fn above_the_absolute_limit_it_aborts_unless_the_baseline_is_too() {
    let (mut traffic, mut judge) = (Traffic::new(7), errors_only(Rules::default()));
    let looks: Vec<Look> = (0..20).map(|_| traffic.errors((500, 0.05), (500, 0.05))).collect();
    assert_ne!(run(&mut judge, looks).verdict, Decision::Abort, "both arms are above it");
    let (mut traffic, mut judge) = (Traffic::new(8), errors_only(Rules::default()));
    let looks: Vec<Look> = (0..20).map(|_| traffic.errors((500, 0.04), (500, 0.014))).collect();
    let verdict = run(&mut judge, looks);
    assert_eq!(verdict.verdict, Decision::Abort, "{}", verdict.line);
}

#[test]
fn a_hard_limit_is_labelled_as_what_it_is() {
    let rules = Rules { hard_limit: 0.2, ..Rules::default() };
    let (mut traffic, mut judge) = (Traffic::new(9), errors_only(rules));
    judge.update(&traffic.errors((60, 0.9), (540, 0.005)));
    let verdict = judge.verdict(at(traffic.second));
    assert!(verdict.line.contains("hard limit, not a statistical verdict"), "{}", verdict.line);
}

fn latency(seconds: &[f64], slower: f64, n: u64, traffic: &mut Traffic) -> Vec<(f64, f64)> {
    // Exponential answers of mean 100 ms times `slower`.
    let mut counts: Vec<u64> = Vec::new();
    let (mut left, mut before) = (n, 1.0);
    for bound in seconds {
        let above = (-bound / (0.1 * slower)).exp();
        let here = traffic.drawn(left, (1.0 - above / before).clamp(0.0, 1.0));
        counts.push(here);
        left -= here;
        before = above;
    }
    let mut sum = 0;
    let finite = seconds.iter().zip(counts).map(|(&bound, count)| {
        sum += count;
        (bound, sum as f64)
    });
    finite.collect::<Vec<_>>().into_iter().chain([(f64::INFINITY, n as f64)]).collect()
}

#[test]
fn a_slower_canary_is_aborted_beyond_the_margin_and_hinted_within_it() {
    let bounds: Vec<f64> = (0..40).map(|i| 0.01 * 1.19f64.powi(i)).collect();
    for (slower, expected) in [(1.2, false), (2.5, true)] {
        let mut traffic = Traffic::new(10);
        let mut judge =
            RolloutJudge::new(Arc::new(Rules::default()), &[("latency".into(), MetricKind::Latency)], 0);
        let look = |traffic: &mut Traffic, n_c: u64| {
            traffic.second += 15;
            let mut portions = vec![Portion::buckets(Role::Baseline, latency(&bounds, 1.0, 400, traffic))];
            if n_c > 0 {
                portions.push(Portion::buckets(Role::Canary, latency(&bounds, slower, n_c, traffic)));
            }
            Look { at: at(traffic.second), share: None, metrics: vec![("latency".into(), portions)] }
        };
        let looks: Vec<Look> =
            (0..5).map(|_| 0).chain((0..300).map(|_| 60)).map(|n| look(&mut traffic, n)).collect();
        let verdict = run(&mut judge, looks);
        assert_eq!(verdict.verdict == Decision::Abort, expected, "{slower}: {}", verdict.line);
        let metric = &verdict.metrics[0];
        assert!(metric.log_evidence_hint.unwrap() > 3.0, "{slower}: worse at all is seen");
        assert!(metric.effective_margin.is_some_and(|margin| (1.5..1.8).contains(&margin)));
        let effect = metric.effect.unwrap();
        assert!(effect.low <= slower && effect.high.unwrap() >= slower, "{effect:?}");
    }
}

#[test]
fn accuracies_are_shown_as_if_labels_were_as_old_as_each_other() {
    let mut judge =
        RolloutJudge::new(Arc::new(Rules::default()), &[("accuracy".into(), MetricKind::Accuracy)], 0);
    for second in 1..40 {
        let portion =
            |role, age, wrong, labels| Portion { age_s: Some(age), ..Portion::events(role, wrong, labels) };
        // Old labels are of harder cases, and the baseline has many more of them.
        let portions = vec![
            portion(Role::Canary, 300, 2, 20),
            portion(Role::Baseline, 300, 2, 20),
            portion(Role::Canary, 3_600, 1, 5),
            portion(Role::Baseline, 3_600, 36, 180),
        ];
        judge.update(&Look {
            at: at(60 * second),
            share: None,
            metrics: vec![("accuracy".into(), portions)],
        });
    }
    let verdict = judge.verdict(at(60 * 40));
    let metric = &verdict.metrics[0];
    assert!((metric.canary.unwrap() - metric.baseline.unwrap()).abs() < 1e-9, "{}", verdict.line);
    let effect = metric.effect.unwrap();
    assert!(effect.low < 0.0 && effect.high.unwrap() > 0.0, "{effect:?}");
    assert_eq!(metric.one_look_only, None);
}

#[test]
fn labels_of_unequal_coverage_tell_nothing() {
    let mut judge =
        RolloutJudge::new(Arc::new(Rules::default()), &[("accuracy".into(), MetricKind::Accuracy)], 0);
    for second in 1..40 {
        let portion = |role, labels: u64, predictions| Portion {
            age_s: Some(600),
            predictions: Some(predictions),
            ..Portion::events(role, labels / 10, labels)
        };
        let portions = vec![portion(Role::Canary, 30, 100), portion(Role::Baseline, 90, 200)];
        judge.update(&Look {
            at: at(60 * second),
            share: None,
            metrics: vec![("accuracy".into(), portions)],
        });
    }
    let verdict = judge.verdict(at(60 * 40));
    assert_eq!(verdict.line, "CANNOT TELL   labels for 30.0% of canary rows, 45.0% of baseline rows.");
}

#[test]
fn a_baseline_that_differs_by_itself_is_noisy() {
    let mut traffic = Traffic::new(12);
    let mut judge = errors_only(Rules::default());
    for _ in 0..200 {
        traffic.second += 15;
        let instance = |traffic: &mut Traffic, role, name: &str, p: f64| {
            Portion::events(role, traffic.drawn(100, p), 100).of_instance(name)
        };
        // One node is bad; whose half it is in does not matter.
        let rates = [0.002, 0.002, 0.06, 0.002];
        let mut portions: Vec<Portion> = rates
            .iter()
            .zip(["b-1", "b-2", "b-3", "b-4"])
            .map(|(&p, name)| instance(&mut traffic, Role::Baseline, name, p))
            .collect();
        portions.push(instance(&mut traffic, Role::Canary, "c-1", 0.015));
        judge.update(&Look {
            at: at(traffic.second),
            share: None,
            metrics: vec![("errors".into(), portions)],
        });
    }
    let verdict = judge.verdict(at(traffic.second));
    assert_eq!(verdict.metrics[0].sentinel, "noisy");
    assert!(verdict.line.contains("NOISY BASELINE"), "{}", verdict.line);
    assert!(verdict.metrics[0].rank_blocks >= 9);
}

#[test]
fn weights_sum_to_one_and_a_heavier_metric_needs_less() {
    let metrics = [("errors", MetricKind::Errors), ("crashes", MetricKind::Counts)];
    let metrics: Vec<(Arc<str>, MetricKind)> = metrics.map(|(name, kind)| (name.into(), kind)).to_vec();
    let weights = [("errors".to_owned(), 3.0)].into();
    let judge = RolloutJudge::new(Arc::new(Rules { weights, ..Rules::default() }), &metrics, 0);
    let verdict = judge.verdict(at(0));
    assert_eq!([verdict.metrics[0].weight, verdict.metrics[1].weight], [0.75, 0.25]);
    assert_eq!(
        Rules { weights: [("a".into(), 0.0)].into(), ..Rules::default() }.mistake().unwrap().0,
        "weights"
    );
}

#[test]
fn stale_blocks_tell_nothing() {
    let (mut traffic, mut judge) = (Traffic::new(13), errors_only(Rules::default()));
    let looks: Vec<Look> = (0..10).map(|_| traffic.errors((50, 0.0), (50, 0.0))).collect();
    run(&mut judge, looks);
    assert_eq!(judge.verdict(at(traffic.second + 44)).verdict, Decision::KeepWatching);
    let late = judge.verdict(at(traffic.second + 46));
    assert_eq!(late.verdict, Decision::CannotTell);
    assert!(late.metrics[0].stale, "and its numbers say so themselves, whatever the verdict");
}

#[test]
fn a_recording_is_read_in_any_order_and_summed_by_moment() {
    let lines = [
        r#"{"t":"2026-01-01T00:00:15Z","metric":"errors","arm":"canary","events":1,"trials":20}"#,
        r#"{"t":"2026-01-01T00:00:00Z","metric":"errors","arm":"baseline","events":0,"trials":180}"#,
        r#"{"t":"2026-01-01T00:00:15Z","metric":"errors","arm":"baseline","events":1,"trials":90}"#,
        r#"{"t":"2026-01-01T00:00:15Z","metric":"errors","arm":"baseline","events":1,"trials":90}"#,
    ];
    let read = parse(&lines.join("\n")).unwrap();
    assert_eq!((read.looks.len(), read.metrics.len()), (2, 1));
    assert!(read.looks[0].at < read.looks[1].at);
    let mut judge = RolloutJudge::new(Arc::new(Rules::default()), &read.metrics, 0);
    read.looks.iter().for_each(|look| judge.update(look));
    let verdict = judge.verdict(read.looks[1].at);
    assert_eq!((verdict.metrics[0].n_canary, verdict.metrics[0].n_baseline), (20, 180));
    assert!(verdict.notes.contains(&"sentinel: not available".to_owned()));
}

#[test]
fn what_is_no_block_is_named_by_its_line() {
    for (line, what) in [
        ("{}", "missing field"),
        (
            r#"{"t":"2026-01-01T00:00:00Z","metric":"errors","arm":"both","events":1,"trials":2}"#,
            "arm `both`",
        ),
        (
            r#"{"t":"2026-01-01T00:00:00Z","metric":"errors","arm":"canary","events":3,"trials":2}"#,
            "3 events of 2",
        ),
        (r#"{"t":"2026-01-01T00:00:00Z","metric":"errors","arm":"canary","events":3}"#, "neither counts nor"),
        (r#"{"t":"yesterday","metric":"errors","arm":"canary","events":3,"trials":9}"#, "not a block"),
        (r#"{"t":"2026-01-01T00:00:00Z","metric":"latency","arm":"canary","buckets":{"0.1":5}}"#, "no +Inf"),
        (
            r#"{"t":"2026-01-01T00:00:00Z","metric":"latency","arm":"canary","buckets":{"0.1":5,"+Inf":3}}"#,
            "fall",
        ),
        (
            r#"{"t":"2026-01-01T00:00:00Z","metric":"latency","arm":"canary","events":3,"trials":9}"#,
            "both counts",
        ),
        (
            r#"{"t":"2026-01-01T00:00:00Z","metric":"errors","arm":"canary","events":-3,"trials":9}"#,
            "not a block",
        ),
    ] {
        let text = format!("\n{line}\n");
        let why = parse(&text).unwrap_err();
        assert_eq!(why.line, 2);
        assert!(why.to_string().contains(what), "{line}: {why}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_blocks_make_a_verdict_panic_or_speak_of_nan(
        blocks in proptest::collection::vec((0u64..9, 0u64..9, 0u64..9, 0u64..9, 0u64..4, -50i64..50), 0..30), share in 0.0f64..1.0,
    ) {
        let metrics = [("errors", MetricKind::Errors), ("accuracy", MetricKind::Accuracy), ("crashes", MetricKind::Counts)];
        let metrics: Vec<(Arc<str>, MetricKind)> = metrics.map(|(name, kind)| (name.into(), kind)).to_vec();
        let mut judge = RolloutJudge::new(Arc::new(Rules::default()), &metrics, 2);
        for (kc, nc, kb, nb, which, second) in blocks {
            let portions = vec![
                Portion::events(Role::Canary, kc.min(nc), nc).of_instance("a"),
                Portion::events(Role::Baseline, kb.min(nb), nb).of_instance("b"),
            ];
            let name: Arc<str> = ["errors", "accuracy", "crashes", "other"][which as usize % 4].into();
            judge.update(&Look { at: at(second), share: Some(share), metrics: vec![(name, portions)] });
            let verdict = judge.verdict(at(second));
            proptest::prop_assert!(!verdict.line.contains("NaN"), "{}", verdict.line);
            let text = serde_json::to_string(&verdict).unwrap();
            proptest::prop_assert!(!text.contains("NaN"));
        }
    }
}
