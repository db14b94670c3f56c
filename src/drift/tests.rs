//! Features of every kind, without files.

use super::*;
use crate::domain::DriftLevel;
use crate::samples::{Column, Table, Values};

fn numbers(name: &str, values: impl IntoIterator<Item = f64>, non_finite: u64) -> Column {
    let values = Values::Numeric { values: values.into_iter().collect(), non_finite };
    Column { name: name.into(), missing: 0, values }
}

fn words(name: &str, counts: &[(&str, u64)]) -> Column {
    let counts = counts.iter().map(|&(word, count)| (word.into(), count)).collect();
    Column { name: name.into(), missing: 0, values: Values::Categorical { counts, others: 0 } }
}

fn report(reference: Vec<Column>, current: Vec<Column>, methods: &[Method]) -> Report {
    let table = |columns| Table { columns, rows: 1_000, ..Table::default() };
    let reference = Reference::new(table(reference));
    compare(&reference, &Prepared::all(table(current)), methods, &Groups::default())
}

fn one(reference: Column, current: Column, method: Method) -> Assessed {
    report(vec![reference], vec![current], &[method]).features.remove(0)
}

fn line(from: f64) -> impl Iterator<Item = f64> {
    (0..1_000).map(move |n| from + f64::from(n) / 1_000.0)
}

#[test]
fn every_method_sees_the_same_shift_on_the_common_scale() {
    for method in Method::ALL {
        let same = one(numbers("a", line(0.0), 0), numbers("a", line(0.0), 0), method);
        assert_eq!((same.status, same.score), (Status::Ok, Some(0.0)), "{method:?}");
        let moved = one(numbers("a", line(0.0), 0), numbers("a", line(0.5), 0), method);
        assert_eq!(moved.level, Some(DriftLevel::Critical), "{method:?} {moved:?}");
        assert!(moved.confirmed, "{method:?}");
        let (r, x) = (words("c", &[("x", 600), ("y", 400)]), words("c", &[("x", 200), ("y", 800)]));
        let moved = one(r, x, method);
        if method == Method::Wasserstein {
            assert_eq!((moved.status, moved.score), (Status::NotApplicable, None));
        } else {
            assert_eq!(moved.level, Some(DriftLevel::Critical), "{method:?} {moved:?}");
        }
    }
}

#[test]
fn a_distance_reads_literally_and_a_p_value_gives_no_level() {
    let said = one(numbers("a", line(0.0), 0), numbers("a", line(0.12), 0), Method::Ks);
    assert!((said.score.unwrap() - 0.12).abs() < 2e-3);
    assert_eq!(said.level, Some(DriftLevel::Moderate));
    assert!(said.p_value.unwrap() < 1e-5 && !said.confirmed, "1,000 rows are too few to be sure: {said:?}");
    assert_eq!(said.p_adjusted, said.p_value, "one feature");
    assert!(said.verdict().contains("not certain"), "{}", said.verdict());
}

#[test]
fn odd_features_have_a_named_state_and_the_others_are_computed() {
    let empty = |name: &str| Column { name: name.into(), missing: 1_000, values: Values::Empty };
    let reference = vec![
        numbers("same", [4.0; 1_000], 0),
        numbers("fixed", [4.0; 1_000], 0),
        empty("empty"),
        numbers("gone", line(0.0), 0),
        numbers("typed", line(0.0), 0),
        numbers("nan", [], 1_000),
        numbers("good", line(0.0), 0),
    ];
    let current = vec![
        numbers("good", line(0.5), 0),
        numbers("same", [4.0; 1_000], 0),
        numbers("fixed", [3.9; 1_000], 0),
        numbers("empty", line(0.0), 0),
        words("typed", &[("x", 1_000)]),
        numbers("nan", line(0.0), 0),
        numbers("new", line(0.0), 0),
    ];
    for method in Method::ALL {
        let all = report(reference.clone(), current.clone(), &[method]).features;
        let states: Vec<(&str, &str)> = all.iter().map(|said| (&*said.feature, said.status.word())).collect();
        let expected = [
            ("same", "constant"),
            ("fixed", "constant"),
            ("empty", "no_data"),
            ("gone", "missing_in_current"),
            ("typed", "type_changed"),
            ("nan", "no_data"),
            ("good", "ok"),
            ("new", "missing_in_reference"),
        ];
        assert_eq!(states, expected);
        assert_eq!(all[0].score, Some(0.0), "{method:?}");
        assert!(all[1].score.unwrap() > 0.9, "{method:?}: {:?}", all[1]);
        assert!(all[5].data_quality_alert, "{:?}", all[5]);
        assert!(all.iter().all(|said| said.score.is_none_or(f64::is_finite)));
    }
}

#[test]
fn many_categories_over_few_rows_are_no_alert() {
    let names = |from: usize| -> Column {
        let names: Vec<String> = (from..from + 500).map(|n| format!("id-{n}")).collect();
        words("id", &names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>())
    };
    let said = one(names(0), names(500), Method::Ks);
    assert_eq!((said.score, said.confirmed), (Some(1.0), false), "{said:?}");
    assert_eq!(said.unseen_in_reference, 500);
    assert!(said.remarks.iter().any(|text| text.contains("without any drift")), "{:?}", said.remarks);
    assert_eq!(said.shape.unwrap().bins.len(), 13);
}

#[test]
fn a_new_category_is_told_whatever_its_mass() {
    let said = one(words("c", &[("x", 1_000)]), words("c", &[("x", 999), ("y\n", 1)]), Method::Psi);
    assert_eq!((said.unseen_in_reference, said.level), (1, Some(DriftLevel::Minimal)));
    assert!(said.remarks.iter().any(|text| text.contains("1 new categories (1 rows): \"y\"")), "{said:?}");
}

#[test]
fn missing_cells_of_categories_are_a_category() {
    let with = |missing| Column { missing, ..words("c", &[("x", 1_000 - missing)]) };
    let said = one(with(0), with(100), Method::Ks);
    assert!((said.score.unwrap() - 0.1).abs() < 1e-12);
    assert!(said.data_quality_alert);
    assert_eq!((said.n_reference, said.n_current), (1_000, 1_000));
    assert!(!one(with(100), with(150), Method::Ks).data_quality_alert, "five points are not more than five");
}

#[test]
fn methods_are_words() {
    assert_eq!(Method::list("ks, PSI,ks"), Ok(vec![Method::Ks, Method::Psi]));
    assert!(Method::list("ks,magic").unwrap_err().contains("wasserstein"));
    assert!(Method::list(",").is_err());
}

proptest::proptest! {
    #[test]
    fn no_finite_input_gives_a_score_that_is_none(
        a in proptest::collection::vec(-1e300f64..1e300, 1..40),
        b in proptest::collection::vec(-1e300f64..1e300, 1..40),
    ) {
        for method in Method::ALL {
            let said = one(numbers("a", a.clone(), 0), numbers("a", b.clone(), 0), method);
            let score = said.score;
            proptest::prop_assert!(score.is_none_or(|s| (0.0..=1.0).contains(&s)), "{method:?} {score:?}");
        }
    }
}
