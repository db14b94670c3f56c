//! Past values for the charts: asked after the start and after an outage, piece by piece, so that a slow
//! server delays the charts and never the present.

use std::collections::HashMap;

use super::api::{Api, Range};
use super::ask::Ask;
use super::facts::{Ranked, histories, is_rate};
use super::measure::{Haul, measures};
use super::own::{Own, is_of_query};
use super::survey::Surveyed;
use super::{drift, gauges};
use crate::domain::{Fault, Kpi};

const HOUR: u32 = 3_600;
const HOURS_48: u32 = 48 * 3_600;
const DAYS_90: u32 = 90 * 86_400;

/// What one piece covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// Traffic, latency, resources: an hour.
    Recent,
    /// Quality and labels: 90 days in steps of 6 hours.
    Quality,
    /// Drift: 48 hours, hourly.
    Drift,
}

#[derive(Debug, Clone)]
enum What {
    Group(Box<Surveyed>, Span),
    Own(Box<Own>),
}

/// One piece of the past that is still to be asked.
#[derive(Debug, Clone)]
pub struct Piece {
    what: What,
    step_s: u32,
}

/// The pieces for a group, given how many series its largest query has now, the interval at which charts
/// are fed, and the largest answer.
pub fn of_group(group: &Surveyed, series: usize, interval_s: f64, max_bytes: u64) -> Vec<Piece> {
    let asks = |wanted: fn(&Ask) -> bool| group.queries.iter().any(|query| wanted(&query.ask));
    let mut spans = vec![Span::Recent];
    if asks(|ask| matches!(ask, Ask::Gauges(_))) {
        spans.push(Span::Quality);
    }
    if asks(|ask| *ask == Ask::Drift) {
        spans.push(Span::Drift);
    }
    let finest = group.scrape_s.max(interval_s).max(5.0).ceil() as u32;
    let piece = |span| {
        let what = What::Group(Box::new(group.clone()), span);
        Piece { what, step_s: affordable(finest, series, max_bytes) }
    };
    spans.into_iter().map(piece).collect()
}

/// The piece for an own query.
pub fn of_own(own: &Own, interval_s: f64) -> Piece {
    Piece { what: What::Own(Box::new(own.clone())), step_s: interval_s.max(15.0).ceil() as u32 }
}

/// A step at which the answer about so many series stays well below the largest answer: about 30 bytes a
/// point, a quarter of the limit, at least 20 points.
fn affordable(finest_s: u32, series: usize, max_bytes: u64) -> u32 {
    let points = max_bytes / 4 / 30 / (series.max(1) as u64);
    let points = u32::try_from(points).unwrap_or(u32::MAX).clamp(20, HOUR);
    finest_s.max(HOUR.div_ceil(points))
}

impl Piece {
    /// Asks for this piece. Queries that are refused leave a gap; a silent server is a fault.
    pub async fn fetch(&self, api: &Api, now_s: i64) -> Result<Vec<Ranked>, Fault> {
        match &self.what {
            What::Group(group, span) => self.fetch_group(group, *span, api, now_s).await,
            What::Own(own) => {
                let range = match is_long(own.kpi) {
                    true => Range::last(DAYS_90, 6 * 3_600, now_s),
                    false => Range::last(HOUR, self.step_s, now_s),
                };
                own.history(api, range).await
            }
        }
    }

    async fn fetch_group(
        &self,
        group: &Surveyed,
        span: Span,
        api: &Api,
        now_s: i64,
    ) -> Result<Vec<Ranked>, Fault> {
        let range = match span {
            Span::Recent => Range::last(HOUR, self.step_s, now_s),
            Span::Quality => Range::last(DAYS_90, 6 * 3_600, now_s),
            Span::Drift => Range::last(HOURS_48, 3_600, now_s),
        };
        let mut haul: Haul = HashMap::new();
        for query in group.queries.iter().filter(|query| span.wants(query.ask)) {
            match api.range(&query.text, range).await {
                Ok(answered) => {
                    haul.insert(query.ask, answered.lines);
                }
                Err(fault) if is_of_query(&fault) => {}
                Err(fault) => return Err(fault),
            }
        }
        let kinds = &group.group;
        if span == Span::Drift {
            return Ok(drift::history(kinds, &haul).into_iter().map(|fact| (0, fact)).collect());
        }
        let mut all = measures(kinds, &haul, group.window_s);
        gauges::gauges(kinds, &haul, &mut all);
        Ok(histories(kinds, &all, range.step, |kpi| is_long(kpi) == (span == Span::Quality)))
    }
}

impl Span {
    fn wants(self, ask: Ask) -> bool {
        match self {
            Self::Recent => !matches!(ask, Ask::Drift | Ask::Newest | Ask::YoungErrors | Ask::Total(_)),
            Self::Quality => matches!(ask, Ask::Gauges(_)),
            Self::Drift => ask == Ask::Drift,
        }
    }
}

/// Whether a KPI moves in days: it rests on labels.
fn is_long(kpi: Kpi) -> bool {
    let labels = matches!(kpi, Kpi::LabelledSamples | Kpi::LabelCoverage | Kpi::PositiveRate);
    !is_rate(kpi) && (kpi.is_quality() || labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_with_the_number_of_series() {
        let mib = 1 << 20;
        assert_eq!(affordable(15, 40, 16 * mib), 15, "a small fleet gets the finest step");
        let large = affordable(15, 20_000, 16 * mib);
        assert_eq!(large, HOUR / 20, "a large one at least 20 points");
        assert!(affordable(60, 1, 16 * mib) >= 60, "never below the scrape interval");
    }
}
