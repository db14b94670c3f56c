//! A series of measured points with gaps, bounded, at eight bytes a point.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::Time;

/// Points in order of time: whole seconds and single-precision values. A missing point is a gap.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    points: VecDeque<(u32, f32)>,
}

/// The usual finest step of what is kept, seconds.
const KEPT_STEP_S: u32 = 15;

fn seconds(at: Time) -> u32 {
    u32::try_from(at.timestamp()).unwrap_or(0)
}

impl Series {
    /// Adds a point; one of the same second replaces the old, one older than the newest is put in its place.
    /// The oldest goes when more than `capacity` are held. NaN is no point.
    pub fn push(&mut self, at: Time, value: f64, capacity: usize) {
        if !value.is_finite() {
            return;
        }
        let point = (seconds(at), value as f32);
        match self.points.back() {
            Some(&(last, _)) if last > point.0 => {
                let place = self.points.partition_point(|&(t, _)| t < point.0);
                match self.points.get_mut(place) {
                    Some(old) if old.0 == point.0 => *old = point,
                    _ => self.points.insert(place, point),
                }
            }
            Some(&(last, _)) if last == point.0 => {
                if let Some(old) = self.points.back_mut() {
                    *old = point;
                }
            }
            _ => self.points.push_back(point),
        }
        while self.points.len() > capacity.max(1) {
            self.points.pop_front();
        }
    }

    /// Adds a point at most once in `step_s` seconds: a newer one in the same step replaces the old.
    pub fn push_coarse(&mut self, at: Time, value: f64, step_s: u32, capacity: usize) {
        if let Some(&(last, _)) = self.points.back()
            && value.is_finite()
            && last / step_s.max(1) == seconds(at) / step_s.max(1)
        {
            self.points.pop_back();
        }
        self.push(at, value, capacity);
    }

    /// Puts past points in the place of what is there between the first and the last of them: whoever tells
    /// the past tells it anew each time, and not always at the same seconds.
    pub fn splice(&mut self, points: &[(Time, f64)], capacity: usize) {
        if let (Some(&(first, _)), Some(&(last, _))) = (points.first(), points.last()) {
            let (first, last) = (seconds(first), seconds(last));
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
        let first = self.points.front().map(|&(t, _)| t);
        let older = past
            .points
            .iter()
            .rev()
            .filter(|&&(t, _)| first.is_none_or(|first| t / KEPT_STEP_S < first / KEPT_STEP_S));
        let before = self.points.len();
        for &point in older.take(capacity.saturating_sub(before)) {
            self.points.push_front(point);
        }
        self.points.len() > before
    }

    /// Adds points in order of time, seconds since 1970: at once where nothing is held yet.
    pub fn take_sorted(&mut self, points: &[(i64, f32)], capacity: usize) {
        if self.points.is_empty() {
            let newest = points.get(points.len().saturating_sub(capacity.max(1))..).unwrap_or_default();
            let held = newest.iter().filter(|(_, value)| value.is_finite());
            // Asked for at once: what is filtered would be asked for bit by bit.
            self.points = VecDeque::with_capacity(newest.len());
            self.points.extend(held.filter_map(|&(at, value)| Some((u32::try_from(at).ok()?, value))));
            return;
        }
        for &(at, value) in points {
            if let Some(at) = Time::from_timestamp(at, 0) {
                self.push(at, f64::from(value), capacity);
            }
        }
    }

    /// Every point, the oldest first: seconds since 1970 and the value.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (i64, f64)> + '_ {
        self.points.iter().map(|&(t, v)| (i64::from(t), f64::from(v)))
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The time of the oldest point, seconds since 1970.
    pub fn first_s(&self) -> Option<i64> {
        self.points.front().map(|&(t, _)| i64::from(t))
    }

    /// The newest value.
    pub fn last(&self) -> Option<f64> {
        self.points.back().map(|&(_, v)| f64::from(v))
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

    #[test]
    fn sorted_points_are_taken_at_once_as_one_by_one() {
        let points = [(10, 1.0), (20, f32::NAN), (30, 3.0), (40, 4.0)];
        let mut at_once = Series::default();
        at_once.take_sorted(&points, 3);
        let mut one_by_one = Series::default();
        one_by_one.push(at(5), 0.5, 3);
        one_by_one.take_sorted(&points, 3);
        for series in [&at_once, &one_by_one] {
            assert_eq!(series.points().last(), Some((40, 4.0)));
            assert!(series.len() <= 3 && series.points().all(|(_, value)| value.is_finite()));
        }
        assert_eq!(at_once.points().collect::<Vec<_>>(), [(30, 3.0), (40, 4.0)]);
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
