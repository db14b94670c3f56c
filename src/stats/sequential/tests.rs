use super::margin::Side;
use super::*;

fn block(kc: u64, nc: u64, kb: u64, nb: u64) -> Block {
    Block { canary: Arm::new(kc, nc), baseline: Arm::new(kb, nb) }
}

#[test]
fn without_history_the_first_block_only_teaches() {
    let mut test = TwoStream::new(Prior::NONE);
    test.update(&block(50, 100, 1, 100));
    assert_eq!(test.log_e(), 0.0);
    test.update(&block(50, 100, 1, 100));
    assert!(test.log_e() > 10.0);
}

#[test]
fn history_weighs_a_thousand_trials_and_is_never_without_events() {
    let prior = Prior::of_history(Arm::new(0, 5_000_000));
    assert_eq!((prior.events, prior.trials), (0.5, 1_000.0));
    assert_eq!(Prior::of_history(Arm::default()), Prior::NONE);
}

#[test]
fn a_margin_test_stands_still_where_the_alternative_has_no_room() {
    let mut test = Margin::new(Side::Abort, 0.02, &[0.03], Prior { events: 1_000.0, trials: 1_000.0 });
    test.update(&block(100, 100, 100, 100));
    assert_eq!(test.log_e(), 0.0);
}

#[test]
fn stages_of_a_mixture_never_exceed_the_best_start() {
    let mut mixture = Staged::new(RateRatio::new(1.0), 3);
    for round in 0..40 {
        if round % 10 == 9 {
            mixture.begin_stage();
        }
        mixture.update(&block(0, 10, 1, 190));
    }
    for _ in 0..10 {
        mixture.update(&block(3, 10, 1, 190));
    }
    assert!(mixture.log_e() > mixture.from_start().log_e(), "a late start saw the turn sooner");
}

#[test]
fn a_detector_forgets_what_spoke_for_the_model() {
    let (mut detector, mut plain) = (Detector::new(RateRatio::new(1.0)), RateRatio::new(1.0));
    for _ in 0..500 {
        detector.update(&block(0, 100, 5, 100));
        plain.update(&block(0, 100, 5, 100));
    }
    assert!(plain.log_e() < -5.0 && detector.log_e() > -1.0);
}

#[test]
fn a_new_weight_begins_a_new_part_of_the_split_check() {
    let mut split = Split::new(&[0.1, 0.9]);
    split.update(&[100, 900]);
    split.reweigh(&[0.5, 0.5]);
    split.update(&[500, 500]);
    assert!(split.log_e() < 0.0, "both parts are as configured");
    split.update(&[400, 0]);
    assert!(split.log_e() > 7.0);
}

proptest::proptest! {
    #[test]
    fn counts_of_one_block_given_at_once_or_in_any_order_are_the_same(
        blocks in proptest::collection::vec((0u64..50, 1u64..100, 0u64..50, 1u64..100), 1..12), turn in 0usize..12,
    ) {
        // The ratio test needs no estimate, so blocks of the same sizes may come in any order.
        let blocks: Vec<Block> = blocks.iter().map(|&(kc, nc, kb, nb)| block(kc.min(nc), nc, kb.min(nb), nb)).collect();
        let mut turned = blocks.clone();
        turned.rotate_left(turn % blocks.len());
        let run = |blocks: &[Block]| {
            let mut test = RateRatio::new(1.0);
            blocks.iter().for_each(|block| test.update(block));
            test.log_e()
        };
        proptest::prop_assert!((run(&blocks) - run(&turned)).abs() < 1e-9);
    }

    #[test]
    fn no_counts_give_a_nan(
        blocks in proptest::collection::vec((0u64..u64::MAX / 4, 0u64..u64::MAX / 4, 0u64..u64::MAX / 4, 0u64..u64::MAX / 4), 0..6),
    ) {
        let prior = Prior::of_history(Arm::new(3, 1_000));
        type Test = Box<dyn FnMut(&Block) -> f64>;
        let mut tests: Vec<Test> = Vec::new();
        let (mut a, mut b) = (TwoStream::new(prior), RateRatio::new(1.0));
        let (mut c, mut d) = (Margin::abort(0.02, prior), Margin::promote_errors(0.005, prior));
        tests.push(Box::new(move |block| { a.update(block); a.log_e() }));
        tests.push(Box::new(move |block| { b.update(block); b.log_e() }));
        tests.push(Box::new(move |block| { c.update(block); c.log_e() }));
        tests.push(Box::new(move |block| { d.update(block); d.log_e() }));
        for (kc, nc, kb, nb) in blocks {
            let block = block(kc, nc, kb, nb);
            for test in &mut tests {
                proptest::prop_assert!(!test(&block).is_nan());
            }
        }
    }

    #[test]
    fn a_rate_lies_in_its_own_interval(k in 0u64..2_000, n in 1u64..2_000) {
        let arm = Arm::new(k.min(n), n);
        let (low, high) = interval::rate(arm, 0.05);
        proptest::prop_assert!(low <= arm.rate() && arm.rate() <= high);
    }
}
