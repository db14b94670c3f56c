//! Lays what was known before under what a store has seen itself: its own points win, gaps stay gaps.

use std::collections::BTreeMap;

use super::apply::{DRIFT_POINTS, LONG_POINTS};
use super::model_state::Slice;
use super::{Series, Store, TIMELINE, rejudge};
use crate::domain::Time;

impl Store {
    /// Adds points of the past that are older than the oldest own point of their series. Drift only gets the past of
    /// features that are measured now: the last score of one that is gone would count as current.
    pub fn lay_under(&mut self, past: &Store) {
        let capacity = self.capacity;
        let mut changed = false;
        for model in &mut self.models {
            let Some(before) = past.model(&model.id) else { continue };
            changed |= under(&mut model.recent, &before.recent, capacity);
            changed |= under(&mut model.long, &before.long, LONG_POINTS);
            for (name, feature) in &mut model.drift {
                if let Some(before) = before.drift.get(name) {
                    changed |= feature.history.lay_under(&before.history, DRIFT_POINTS);
                }
            }
        }
        self.generation += u64::from(changed);
    }

    /// Puts lines of a past timeline that are older than the first own line before it.
    pub fn lay_events_under(&mut self, past: &Store) {
        let first = self.timeline.front().map(|event| event.at);
        let is_older = |at: Time| first.is_none_or(|first| at < first);
        for event in past.timeline.iter().rev().filter(|event| is_older(event.at)) {
            if self.timeline.len() >= TIMELINE {
                break;
            }
            self.timeline.push_front(event.clone());
            self.generation += 1;
        }
    }

    /// Judges models of which something is known and nothing was judged, as of a moment, without a line in the
    /// timeline: for a store that was put together from what was kept.
    pub fn judge_unjudged(&mut self, at: Time) {
        for index in 0..self.models.len() {
            let model = &self.models[index];
            if model.judgements.is_empty() && !model.readings.is_empty() {
                rejudge::judge_quietly(self, index, at);
            }
        }
    }
}

fn under(own: &mut BTreeMap<Slice, Series>, past: &BTreeMap<Slice, Series>, capacity: usize) -> bool {
    let mut changed = false;
    for (slice, before) in past.iter().filter(|(_, before)| !before.is_empty()) {
        changed |= own.entry(slice.clone()).or_default().lay_under(before, capacity);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DriftScale, Event, EventKind, FeatureDrift, Kpi, Level, Limits, ModelId, ModelKind};
    use crate::store::{FeatureState, ModelSpec};

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    fn store() -> Store {
        let id = ModelId::new("test", "alzheimer");
        let limits = Limits::guide(ModelKind::Classification).into();
        Store::new("test", vec![ModelSpec { id, kind: ModelKind::Classification, limits }])
    }

    fn points(seconds: &[i64], value: f64) -> Series {
        let mut series = Series::default();
        seconds.iter().for_each(|&s| series.push(at(s), value, 100));
        series
    }

    fn seen(series: &Series) -> Vec<(i64, f64)> {
        series.points().map(|(t, value)| (t - 1_800_000_000, value)).collect()
    }

    fn event(s: i64, what: &str) -> Event {
        Event {
            at: at(s),
            kind: EventKind::Rollout,
            model: None,
            level: Level::Ok,
            what: what.into(),
            detail: String::new(),
        }
    }

    const P95: Slice = (Kpi::LatencyP95, None);

    #[test]
    fn own_points_win_and_gaps_stay_gaps() {
        let (mut own, mut past) = (store(), store());
        own.models[0].recent.insert(P95, points(&[100, 115], 2.0));
        past.models[0].recent.insert(P95, points(&[0, 15, 75, 90, 100, 130], 1.0));
        past.models[0].long.insert((Kpi::Accuracy, None), points(&[0, 3_600], 0.9));
        own.lay_under(&past);
        let laid = [(0, 1.0), (15, 1.0), (75, 1.0), (100, 2.0), (115, 2.0)];
        assert_eq!(
            seen(&own.models[0].recent[&P95]),
            laid,
            "nothing between 15 and 75, nothing of the step from 90 on"
        );
        assert_eq!(own.models[0].long[&(Kpi::Accuracy, None)].len(), 2, "a series that is not yet begun");
        let generation = own.generation;
        own.lay_under(&past);
        assert_eq!(seen(&own.models[0].recent[&P95]), laid);
        assert_eq!(own.generation, generation, "the second time nothing changes");
    }

    #[test]
    fn the_newest_of_the_past_are_kept_when_there_are_too_many() {
        let (mut own, past) = (points(&[100, 101], 2.0), points(&[1, 2, 3, 4], 1.0));
        assert!(own.lay_under(&past, 4));
        assert_eq!(seen(&own).iter().map(|point| point.0).collect::<Vec<_>>(), [3, 4, 100, 101]);
        assert!(!own.lay_under(&past, 4), "a full series takes no more");
    }

    #[test]
    fn only_features_that_are_measured_get_a_past() {
        let (mut own, mut past) = (store(), store());
        let feature = |name: &str, seconds: &[i64]| {
            let latest = FeatureDrift::new(name, "", 0.1, DriftScale::Psi, at(*seconds.last().unwrap()));
            ((name.into(), DriftScale::Psi), FeatureState { latest, history: points(seconds, 0.1) })
        };
        own.models[0].drift.extend([feature("gait", &[7_200])]);
        past.models[0].drift.extend([feature("gait", &[0, 3_600]), feature("gone", &[0])]);
        own.lay_under(&past);
        let drift = &own.models[0].drift;
        assert_eq!(drift.len(), 1, "what is gone does not come back as current");
        let gait = &drift[&("gait".into(), DriftScale::Psi)];
        assert_eq!((gait.history.len(), gait.latest.at), (3, at(7_200)));
    }

    #[test]
    fn events_before_the_first_own_one_stand_in_front_without_doubles() {
        let (mut own, mut past) = (store(), store());
        for (s, what) in [(10, "a"), (20, "b"), (30, "c")] {
            past.record(event(s, what));
        }
        own.record(event(30, "c"));
        own.record(event(40, "d"));
        own.lay_events_under(&past);
        own.lay_events_under(&past);
        let what: Vec<&str> = own.timeline.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(what, ["a", "b", "c", "d"]);
        let mut fresh = store();
        fresh.lay_events_under(&past);
        assert_eq!(fresh.timeline.len(), 3, "a timeline that is empty gets everything");
    }

    #[test]
    fn what_was_put_together_is_judged_in_silence() {
        use crate::domain::Reading;
        use crate::store::Sourced;
        let mut put = store();
        put.expect(vec![crate::domain::SourceInfo {
            id: crate::domain::SourceId::new("prometheus"),
            group: crate::domain::SourceGroup::Prometheus,
            kind: "prometheus".into(),
            place: String::new(),
            interval_s: 15.0,
            model: None,
            owes: Vec::new(),
        }]);
        let reading = Sourced { source: 0, seen: at(0), reading: Reading::new(9_999.0, at(0)) };
        put.models[0].readings.insert(P95, vec![reading]);
        put.judge_unjudged(at(5));
        assert_eq!((put.models[0].level, put.timeline.len()), (Level::Critical, 0));
        put.models[0].level = Level::Ok;
        put.judge_unjudged(at(5));
        assert_eq!(put.models[0].level, Level::Ok, "what was judged then stays");
    }
}
