//! A series of measured points with gaps, bounded, at eight bytes a point.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::Time;

/// A point: whole seconds since 1970 and a single-precision value.
pub type Point = (u32, f32);

/// Points in order of time: whole seconds and single-precision values. A missing point is a gap.
///
/// The older points may be a stretch of points that others hold too: a past moment of a large room is put together
/// without copying what is known.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Held")]
pub struct Series {
    shared: Option<Stretch>,
    points: VecDeque<Point>,
}

/// The part `from..to` of points that are never changed.
#[derive(Debug, Clone)]
struct Stretch {
    points: Arc<Vec<Point>>,
    from: usize,
    to: usize,
}

/// How a series is read back.
#[derive(Deserialize)]
struct Held {
    points: VecDeque<Point>,
}

impl From<Held> for Series {
    fn from(held: Held) -> Self {
        Self { shared: None, points: held.points }
    }
}

/// All points of a series, for writing them down.
struct All<'a>(&'a Series);

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl Serialize for Series {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut held = serializer.serialize_struct("Series", 1)?;
        held.serialize_field("points", &All(self))?;
        held.end()
    }
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// The usual finest step of what is kept, seconds.
const KEPT_STEP_S: u32 = 15;

fn seconds(at: Time) -> u32 {
    u32::try_from(at.timestamp()).unwrap_or(0)
}

impl Series {
    /// The stretch `[from_s, to_s]` of shared points, seconds since 1970, the newest `capacity` of them. The points must
    /// be finite and in order of time.
    pub fn stretch(points: &Arc<Vec<Point>>, from_s: i64, to_s: i64, capacity: usize) -> Self {
        let to = points.partition_point(|&(t, _)| i64::from(t) <= to_s);
        let from = points[..to].partition_point(|&(t, _)| i64::from(t) < from_s);
        let from = from.max(to.saturating_sub(capacity));
        let shared = (from < to).then(|| Stretch { points: points.clone(), from, to });
        Self { shared, points: VecDeque::new() }
    }

    fn older(&self) -> &[Point] {
        self.shared.as_ref().map_or(&[], |stretch| &stretch.points[stretch.from..stretch.to])
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Point> + '_ {
        self.older().iter().chain(&self.points)
    }

    fn front(&self) -> Option<&Point> {
        self.older().first().or_else(|| self.points.front())
    }

    fn back(&self) -> Option<&Point> {
        self.points.back().or_else(|| self.older().last())
    }

    /// Makes all points its own.
    fn own(&mut self) {
        if let Some(stretch) = self.shared.take() {
            let own = std::mem::take(&mut self.points);
            self.points = stretch.points[stretch.from..stretch.to].iter().copied().chain(own).collect();
        }
    }

    fn drop_oldest(&mut self) {
        match &mut self.shared {
            Some(stretch) if stretch.from + 1 < stretch.to => stretch.from += 1,
            Some(_) => self.shared = None,
            None => drop(self.points.pop_front()),
        }
    }

    /// Adds a point; one of the same second replaces the old, one older than the newest is put in its place.
    /// The oldest goes when more than `capacity` are held. NaN is no point.
    pub fn push(&mut self, at: Time, value: f64, capacity: usize) {
        if !value.is_finite() {
            return;
        }
        let point = (seconds(at), value as f32);
        match self.back() {
            Some(&(last, _)) if last >= point.0 => {
                self.own();
                let place = self.points.partition_point(|&(t, _)| t < point.0);
                match self.points.get_mut(place) {
                    Some(old) if old.0 == point.0 => *old = point,
                    _ => self.points.insert(place, point),
                }
            }
            _ => self.points.push_back(point),
        }
        while self.len() > capacity.max(1) {
            self.drop_oldest();
        }
    }

    /// Adds a point at most once in `step_s` seconds: a newer one in the same step replaces the old.
    pub fn push_coarse(&mut self, at: Time, value: f64, step_s: u32, capacity: usize) {
        if let Some(&(last, _)) = self.back()
            && value.is_finite()
            && last / step_s.max(1) == seconds(at) / step_s.max(1)
        {
            self.own();
            self.points.pop_back();
        }
        self.push(at, value, capacity);
    }

    /// Puts past points in the place of what is there between the first and the last of them: whoever tells
    /// the past tells it anew each time, and not always at the same seconds.
    pub fn splice(&mut self, points: &[(Time, f64)], capacity: usize) {
        if let (Some(&(first, _)), Some(&(last, _))) = (points.first(), points.last()) {
            let (first, last) = (seconds(first), seconds(last));
            self.own();
            self.points.retain(|&(t, _)| t < first || t > last);
        }
        for &(at, value) in points {
            self.push(at, value, capacity);
        }
    }

    /// Adds the points of the past that are older than the oldest own point, the newest of them first, up to
    /// `capacity` points in all; whether there was any. A kept point bears the beginning of its step: one of the step
    /// in which the own points begin may be later than it says.
    pub fn lay_under(&mut self, past: &Self, capacity: usize) -> bool {
        let first = self.front().map(|&(t, _)| t);
        let is_older = |&&(t, _): &&Point| first.is_none_or(|first| t / KEPT_STEP_S < first / KEPT_STEP_S);
        let room = capacity.saturating_sub(self.len());
        let before = self.len();
        self.own();
        for &point in past.iter().rev().filter(is_older).take(room) {
            self.points.push_front(point);
        }
        self.len() > before
    }

    /// Every point, the oldest first: seconds since 1970 and the value.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (i64, f64)> + '_ {
        self.iter().map(|&(t, v)| (i64::from(t), f64::from(v)))
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.older().len() + self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The time of the oldest point, seconds since 1970.
    pub fn first_s(&self) -> Option<i64> {
        self.front().map(|&(t, _)| i64::from(t))
    }

    /// The newest value.
    pub fn last(&self) -> Option<f64> {
        self.back().map(|&(_, v)| f64::from(v))
    }

    /// `columns` means over equal parts of `[from_s, to_s)`; a part without a point is a gap.
    pub fn binned(&self, from_s: i64, to_s: i64, columns: usize) -> Vec<Option<f64>> {
        let mut bins = vec![(0.0, 0u32); columns];
        let width = (to_s - from_s).max(1) as f64 / columns.max(1) as f64;
        for (t, value) in self.points() {
            if t < from_s || t >= to_s {
                continue;
            }
            let index = ((t - from_s) as f64 / width) as usize;
            if let Some(bin) = bins.get_mut(index) {
                bin.0 += value;
                bin.1 += 1;
            }
        }
        bins.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect()
    }

    /// The mean of the points since `from_s`, and how many there are.
    pub fn mean_since(&self, from_s: i64) -> Option<(f64, usize)> {
        let values: Vec<f64> = self.points().filter(|&(t, _)| t >= from_s).map(|(_, v)| v).collect();
        (!values.is_empty()).then(|| (values.iter().sum::<f64>() / values.len() as f64, values.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: i64) -> Time {
        Time::from_timestamp(s, 0).unwrap()
    }

    #[test]
    fn points_stay_in_order_and_bounded() {
        let mut series = Series::default();
        for s in [10, 30, 20, 20, 40] {
            series.push(at(s), s as f64, 3);
        }
        series.push(at(50), f64::NAN, 3);
        let points: Vec<_> = series.points().collect();
        assert_eq!(points, [(20, 20.0), (30, 30.0), (40, 40.0)]);
    }

    proptest! {
        /// Whatever is done to a series, it makes no difference whether its older points are shared.
        #[test]
        fn shared_points_are_as_own_ones(
            old in prop::collection::btree_map(0u32..200, -9f32..9.0, 0..40), from in 0i64..200, to in 0i64..200,
            acts in prop::collection::vec((0u8..4, 0i64..400, -9f64..9.0), 0..20), capacity in 1usize..60,
        ) {
            let points = Arc::new(old.into_iter().collect::<Vec<Point>>());
            let mut shared = Series::stretch(&points, from, to, capacity);
            let mut own = Series::default();
            for &(t, value) in points.iter().filter(|(t, _)| (from..=to).contains(&i64::from(*t))) {
                own.push(at(i64::from(t)), f64::from(value), capacity);
            }
            prop_assert_eq!(&shared, &own);
            for (act, t, value) in acts {
                for series in [&mut shared, &mut own] {
                    match act {
                        0 => series.push(at(t), value, capacity),
                        1 => series.push_coarse(at(t), value, 60, capacity),
                        2 => series.splice(&[(at(t), value), (at(t + 20), value)], capacity),
                        _ => drop(series.lay_under(&Series::stretch(&points, 0, t, 100), capacity)),
                    }
                }
                prop_assert_eq!(&shared, &own);
                prop_assert_eq!((shared.len(), shared.last(), shared.first_s()), (own.len(), own.last(), own.first_s()));
                prop_assert!(shared.len() <= capacity.max(1));
            }
            let written = rmp_serde::to_vec_named(&shared).unwrap();
            prop_assert_eq!(&written, &rmp_serde::to_vec_named(&own).unwrap());
            prop_assert_eq!(rmp_serde::from_slice::<Series>(&written).unwrap(), own);
        }
    }

    #[test]
    fn a_part_without_points_is_a_gap() {
        let mut series = Series::default();
        series.push(at(0), 1.0, 10);
        series.push(at(25), 3.0, 10);
        assert_eq!(series.binned(0, 30, 3), [Some(1.0), None, Some(3.0)]);
        assert_eq!(series.mean_since(20), Some((3.0, 1)));
    }

    #[test]
    fn a_past_told_again_replaces_itself() {
        let mut series = Series::default();
        series.push(at(100), 9.0, 10);
        for shift in 0..50 {
            series.splice(&[(at(10 + shift), 1.0), (at(20 + shift), 2.0), (at(30 + shift), 3.0)], 10);
        }
        let old = series.points().filter(|&(t, _)| t < 59).count();
        assert_eq!((series.last(), old <= 9), (Some(9.0), true), "the newest stays: {series:?}");
        series.splice(&[(at(0), 1.0), (at(90), 2.0)], 10);
        assert_eq!(series.len(), 3);
    }

    #[test]
    fn coarse_points_replace_within_a_step() {
        let mut series = Series::default();
        for s in [0, 10, 3_599, 3_600] {
            series.push_coarse(at(s), s as f64, 3_600, 10);
        }
        assert_eq!(series.points().collect::<Vec<_>>(), [(3_599, 3_599.0), (3_600, 3_600.0)]);
    }
}
