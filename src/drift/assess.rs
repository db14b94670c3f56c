//! One feature by one method: its state, its score, and how sure that is.

use std::sync::Arc;

use super::assessed::{Assessed, Dropped, Status};
use super::certain::{self, Sure};
use super::column::{Kind, MISSING, Prepared};
use super::method::Method;
use super::score::{self, Score};
use super::shape;
use crate::domain::drift::Certainty;
use crate::domain::text::clean_name;
use crate::domain::{DriftLevel, Time};
use crate::stats::{Outcome, Sorted};

/// A dropped share that changed by more than this is an alert about the data.
const DROP_CHANGE: f64 = 0.05;
/// Categories that are named in a remark.
const NAMED: usize = 5;

/// Drift of one feature; a side is `None` when its table lacks the feature. Both `None` is no feature.
pub fn assess(
    reference: Option<&Prepared>,
    current: Option<&Prepared>,
    group: Arc<str>,
    method: Method,
) -> Option<Assessed> {
    let name = reference.or(current)?.name.clone();
    let mut said = Assessed {
        feature: name,
        group,
        method,
        status: Status::Ok,
        level: None,
        confirmed: false,
        certainty: None,
        score: None,
        least: None,
        noise_floor: None,
        usual: 0.0,
        raw: None,
        statistic: None,
        p_value: None,
        p_adjusted: None,
        n_reference: reference.map_or(0, Prepared::counted),
        n_current: current.map_or(0, Prepared::counted),
        dropped_reference: reference.map(dropped).unwrap_or_default(),
        dropped_current: current.map(dropped).unwrap_or_default(),
        data_quality_alert: false,
        unseen_in_reference: 0,
        missing_in_current: 0,
        remarks: Vec::new(),
        shape: None,
    };
    match (reference, current) {
        (Some(_), None) => said.end(Status::MissingInCurrent, "the current data lack it"),
        (None, Some(_)) => said.end(Status::MissingInReference, "the reference lacks it"),
        (Some(r), Some(x)) => both(r, x, &mut said),
        (None, None) => return None,
    }
    Some(said)
}

impl Assessed {
    fn end(&mut self, status: Status, why: impl Into<String>) {
        self.status = status;
        // The reason goes first: the verdict shows it.
        self.remarks.insert(0, why.into());
    }

    fn take(&mut self, score: Score) {
        let common = self.method.scale().common(score.sized);
        self.raw = Some(score.raw).filter(|raw| raw.is_finite());
        self.score = common;
        self.level = common.and_then(DriftLevel::of);
        self.statistic = Some(score.statistic);
        self.p_value = score.p;
    }

    fn sure(&mut self, sure: Sure) {
        self.certainty = Some(sure.certainty);
        self.confirmed = sure.certainty == Certainty::Confirmed;
        self.least = Some(sure.least);
        self.noise_floor = Some(sure.floor);
        self.usual = sure.usual;
    }
}

fn dropped(side: &Prepared) -> Dropped {
    let share = |cells: u64| (side.rows > 0).then(|| cells as f64 / side.rows as f64);
    Dropped {
        non_finite: side.non_finite,
        non_finite_share: share(side.non_finite),
        missing: side.missing,
        missing_share: share(side.missing),
    }
}

fn both(r: &Prepared, x: &Prepared, said: &mut Assessed) {
    quality(said);
    match (&r.kind, &x.kind) {
        (Kind::Empty, Kind::Empty) => said.end(Status::NoData, "both sides are empty"),
        (Kind::Empty, _) => said.end(Status::NoData, "the reference has no value"),
        (_, Kind::Empty) => said.end(Status::NoData, "the current data have no value"),
        (Kind::Numbers(a), Kind::Numbers(b)) => of_numbers(r, (a, b), said),
        (Kind::Categories(..), Kind::Categories(..)) => of_categories(r, x, said),
        _ => {
            let (was, is) = (r.type_word(), x.type_word());
            said.end(Status::TypeChanged, format!("its type changed from {was} to {is}"));
        }
    }
}

/// Tells what was dropped, and whether that changed.
fn quality(said: &mut Assessed) {
    let (r, x) = (said.dropped_reference, said.dropped_current);
    for (word, r, x) in [
        ("non-finite", r.non_finite_share, x.non_finite_share),
        ("missing", r.missing_share, x.missing_share),
    ] {
        let (r, x) = (r.unwrap_or(0.0), x.unwrap_or(0.0));
        if r == 0.0 && x == 0.0 {
            continue;
        }
        // Rounding alone must not make five points more than five.
        let changed = (r - x).abs() > DROP_CHANGE + 1e-12;
        said.data_quality_alert |= changed;
        let alert = if changed { ": data quality changed" } else { "" };
        let text = format!("{:.1} % {word}, {:.1} % in the reference{alert}", 100.0 * x, 100.0 * r);
        said.remarks.push(text);
    }
}

fn of_numbers(reference: &Prepared, (r, x): (&Sorted, &Sorted), said: &mut Assessed) {
    let side = match (r.is_empty(), x.is_empty()) {
        (true, true) => Some("both sides have"),
        (true, false) => Some("the reference has"),
        (false, true) => Some("the current data have"),
        (false, false) => None,
    };
    if let Some(side) = side {
        return said.end(Status::NoData, format!("{side} no finite value"));
    }
    let Some(deciles) = reference.deciles() else {
        return said.end(Status::NoData, "the reference has no finite value");
    };
    let outcome = match constant(r, x) {
        None => score::numbers(said.method, reference, deciles, (r, x)),
        Some(text) => {
            said.end(Status::Constant, text);
            match (said.method, is_constant(r)) {
                // Bins of one single value would not see what lies beside it.
                (Method::Psi | Method::Js | Method::Kl | Method::Chi2, Some(value)) => {
                    score::around(said.method, value, r, x)
                }
                _ => score::numbers(said.method, reference, deciles, (r, x)),
            }
        }
    };
    match outcome {
        Outcome::Ok(score) => said.take(score),
        other => return said.end(Status::NoData, other.status()),
    }
    if let Some(value) = is_constant(r) {
        let [r, x] = [score::around_counts(value, r), score::around_counts(value, x)];
        said.shape = shape::around(value, r, x);
    } else if let Outcome::Ok(psi) = deciles.psi(x) {
        said.shape = shape::numbers(&deciles.edges, &deciles.counts, &psi.counts);
    }
    if let (Some(drift), Some(score)) = (said.to_domain(Time::default()), said.score) {
        let rows = (said.n_reference, said.n_current);
        said.sure(certain::sure_of_numbers(said.method, score, drift.certainty(), rows));
    }
}

/// The one value of a sample that does not vary.
fn is_constant(sample: &Sorted) -> Option<f64> {
    let (first, last) = (sample.values().first()?, sample.values().last()?);
    (first == last).then_some(*first)
}

fn constant(r: &Sorted, x: &Sorted) -> Option<String> {
    Some(match (is_constant(r), is_constant(x)) {
        (Some(a), Some(b)) if a == b => format!("both sides hold {} only: no drift", shape::short(a)),
        (Some(a), Some(b)) => {
            format!("constant on both sides: {} in the reference, {} now", shape::short(a), shape::short(b))
        }
        (Some(a), None) => format!("the reference holds {} only", shape::short(a)),
        (None, Some(b)) => format!("it holds {} only now", shape::short(b)),
        (None, None) => return None,
    })
}

fn of_categories(r: &Prepared, x: &Prepared, said: &mut Assessed) {
    let (Kind::Categories(a, others_a), Kind::Categories(b, others_b)) = (&r.kind, &x.kind) else { return };
    if *others_a > 0 || *others_b > 0 {
        let most = crate::samples::MAX_CATEGORIES;
        let text = format!("more than {most} categories: free text or an identifier, not a feature");
        return said.end(Status::TooManyCategories, text);
    }
    let mut named: Vec<(&str, (u64, u64))> =
        a.iter().map(|(name, &count)| (&**name, (count, b.get(name).copied().unwrap_or(0)))).collect();
    named.extend(b.iter().filter(|(name, _)| !a.contains_key(*name)).map(|(name, &n)| (&**name, (0, n))));
    if r.missing + x.missing > 0 {
        named.push((MISSING, (r.missing, x.missing)));
    }
    // Sums of shares depend on their order, and a hash map has none.
    named.sort_unstable();
    changed(&named, said);
    if said.method == Method::Wasserstein {
        return said.end(Status::NotApplicable, "categories have no distance; use ks");
    }
    let counts: Vec<(u64, u64)> = named.iter().map(|&(_, counts)| counts).collect();
    match score::counted(said.method, counts.iter().copied()) {
        Outcome::Ok(score) => said.take(score),
        other => return said.end(Status::NoData, other.status()),
    }
    if let [(name, _)] = named.as_slice() {
        said.end(Status::Constant, format!("both sides hold \"{}\" only: no drift", clean_name(name)));
    }
    if let Some(score) = said.score {
        let sure = certain::sure(said.method, score, &counts);
        said.sure(sure);
        if sure.usual >= 0.10 {
            said.remarks.push(format!(
                "{} categories over so few rows: {:.0} % would move without any drift",
                counts.len(),
                100.0 * sure.usual
            ));
        }
    }
    said.shape = shape::categories(named);
}

/// New and vanished categories.
fn changed(named: &[(&str, (u64, u64))], said: &mut Assessed) {
    let new: Vec<_> = named.iter().filter(|(_, (r, x))| *r == 0 && *x > 0).collect();
    let gone = named.iter().filter(|(_, (r, x))| *r > 0 && *x == 0).count();
    (said.unseen_in_reference, said.missing_in_current) = (new.len() as u64, gone as u64);
    if !new.is_empty() {
        let names: Vec<String> =
            new.iter().take(NAMED).map(|(name, _)| format!("\"{}\"", clean_name(name))).collect();
        let rows: u64 = new.iter().map(|(_, (_, x))| x).sum();
        let more = if new.len() > NAMED { ", …" } else { "" };
        let count = new.len();
        said.remarks.push(format!("{count} new categories ({rows} rows): {}{more}", names.join(", ")));
    }
    if gone > 0 {
        said.remarks.push(format!("{gone} categories of the reference are gone"));
    }
}
