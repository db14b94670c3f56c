//! Makes one reading of what several sources say about the same KPI.

use super::model_state::Sourced;
use crate::domain::{Direction, Kpi, Reading};

/// Combines readings of several sources. Percentiles cannot be averaged: the worst is taken and labelled so.
/// Rates add up, error rates are weighted by their requests, levels of quality and resources take the worst.
/// A value over no source, or only empty ones, is a reading without a value.
pub fn combine(kpi: Kpi, entries: &[Sourced]) -> Option<Reading> {
    let mut with_value = entries.iter().filter(|entry| entry.reading.value.is_some());
    let first = with_value.next();
    let Some(first) = first else { return entries.first().map(|entry| entry.reading.clone()) };
    let rest: Vec<&Sourced> = with_value.collect();
    if rest.is_empty() {
        return Some(first.reading.clone());
    }
    let all = || std::iter::once(first).chain(rest.iter().copied());
    let count = rest.len() + 1;
    let mut combined = match kpi {
        Kpi::Throughput | Kpi::QueueDepth => {
            let sum = all().filter_map(|entry| entry.reading.value).sum();
            Reading { value: Some(sum), note: None, ..first.reading.clone() }
        }
        Kpi::ErrorRate => {
            let weight = |entry: &Sourced| entry.reading.samples.unwrap_or(1).max(1) as f64;
            let total: f64 = all().map(weight).sum();
            let failed: f64 = all().map(|entry| weight(entry) * entry.reading.value.unwrap_or(0.0)).sum();
            Reading { value: Some(failed / total), note: None, ..first.reading.clone() }
        }
        _ => {
            let worst = all().fold(first, |worst, entry| {
                let (a, b) = (worst.reading.value.unwrap_or(0.0), entry.reading.value.unwrap_or(0.0));
                let worse = match kpi.direction() {
                    Direction::Higher => b < a,
                    Direction::Lower => b > a,
                };
                if worse { entry } else { worst }
            });
            Reading { note: Some(format!("worst of {count}").into()), ..worst.reading.clone() }
        }
    };
    combined.at = all().map(|entry| entry.reading.at).max().unwrap_or(combined.at);
    if matches!(kpi, Kpi::Throughput | Kpi::ErrorRate | Kpi::LatencyP50 | Kpi::LatencyP95 | Kpi::LatencyP99) {
        combined.samples = all().map(|entry| entry.reading.samples).sum();
    }
    Some(combined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Time;

    fn entries(values: &[(f64, u64)]) -> Vec<Sourced> {
        let at = Time::from_timestamp(1_800_000_000, 0).unwrap();
        values
            .iter()
            .enumerate()
            .map(|(source, &(value, n))| Sourced {
                source,
                seen: at,
                reading: Reading::new(value, at).with_samples(Some(n)),
            })
            .collect()
    }

    #[test]
    fn percentiles_take_the_worst_and_say_so() {
        let reading = combine(Kpi::LatencyP95, &entries(&[(100.0, 10), (300.0, 30)])).unwrap();
        assert_eq!((reading.value, reading.samples), (Some(300.0), Some(40)));
        assert_eq!(reading.note.as_deref(), Some("worst of 2"));
    }

    #[test]
    fn rates_add_up_and_errors_are_weighted() {
        assert_eq!(combine(Kpi::Throughput, &entries(&[(2.0, 1), (3.0, 1)])).unwrap().value, Some(5.0));
        assert_eq!(combine(Kpi::ErrorRate, &entries(&[(0.0, 300), (4.0, 100)])).unwrap().value, Some(1.0));
        assert_eq!(combine(Kpi::Accuracy, &entries(&[(0.9, 3), (0.8, 4)])).unwrap().value, Some(0.8));
    }

    #[test]
    fn an_empty_source_does_not_hide_another() {
        let reading = combine(Kpi::LatencyP95, &entries(&[(f64::NAN, 0), (80.0, 9)])).unwrap();
        assert_eq!(reading.value, Some(80.0));
        assert_eq!(combine(Kpi::LatencyP95, &[]), None);
    }
}
