//! Which day, week or month a check is due in. All in UTC.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::Time;

/// How often a check is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Once a calendar day.
    #[default]
    Daily,
    /// Once an ISO week.
    Weekly,
    /// Once a calendar month.
    Monthly,
}

/// One day, week or month: a tick counts for one of these only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    period: Period,
    first: NaiveDate,
}

impl Period {
    /// All, the shortest first.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// The word on screen and in calls.
    pub fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The one that a moment lies in.
    pub fn span(self, now: Time) -> Span {
        let day = now.date_naive();
        // A date at the edge of the calendar stands for itself.
        let back = |days: u32| day.checked_sub_days(Days::new(days.into())).unwrap_or(day);
        let first = match self {
            Self::Daily => day,
            Self::Weekly => back(day.weekday().num_days_from_monday()),
            Self::Monthly => back(day.day0()),
        };
        Span { period: self, first }
    }
}

impl Span {
    /// Its name, which sorts as time goes: `2026-11-21`, `2026-W47`, `2026-11`.
    pub fn name(self) -> String {
        match self.period {
            Period::Daily => self.first.format("%Y-%m-%d").to_string(),
            Period::Weekly => self.first.format("%G-W%V").to_string(),
            Period::Monthly => self.first.format("%Y-%m").to_string(),
        }
    }

    /// The name for narrow places: `21 Nov`, `W47`, `Nov`.
    pub fn short(self) -> String {
        match self.period {
            Period::Daily => self.first.format("%-d %b").to_string(),
            Period::Weekly => self.first.format("W%V").to_string(),
            Period::Monthly => self.first.format("%b").to_string(),
        }
    }

    /// The one before.
    pub fn before(self) -> Self {
        let first = match self.period {
            Period::Daily => self.first.checked_sub_days(Days::new(1)),
            Period::Weekly => self.first.checked_sub_days(Days::new(7)),
            Period::Monthly => self.first.checked_sub_months(Months::new(1)),
        };
        Self { first: first.unwrap_or(self.first), ..self }
    }

    /// The one after.
    pub fn after(self) -> Self {
        let first = match self.period {
            Period::Daily => self.first.checked_add_days(Days::new(1)),
            Period::Weekly => self.first.checked_add_days(Days::new(7)),
            Period::Monthly => self.first.checked_add_months(Months::new(1)),
        };
        Self { first: first.unwrap_or(self.first), ..self }
    }

    /// Its first moment; the first one of [`Self::after`] is when it is over.
    pub fn start(self) -> Time {
        self.first.and_time(chrono::NaiveTime::MIN).and_utc()
    }

    /// The last `count` before this one, the oldest first.
    pub fn earlier(self, count: usize) -> Vec<Self> {
        let mut spans: Vec<Self> =
            std::iter::successors(Some(self.before()), |span| Some(span.before())).take(count).collect();
        spans.reverse();
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn the_turn_of_a_year_is_named_by_the_iso_week() {
        let names = |text| Period::ALL.map(|period| period.span(at(text)).name());
        assert_eq!(names("2026-12-31T23:59:59Z"), ["2026-12-31", "2026-W53", "2026-12"]);
        assert_eq!(names("2027-01-03T23:59:59Z"), ["2027-01-03", "2026-W53", "2027-01"]);
        assert_eq!(names("2027-01-04T00:00:00Z"), ["2027-01-04", "2027-W01", "2027-01"]);
        let march = Period::Monthly.span(at("2026-03-31T12:00:00Z"));
        assert_eq!((march.before().name(), march.short()), ("2026-02".into(), "Mar".into()));
        let earlier: Vec<String> =
            Period::Daily.span(at("2026-03-01T00:00:00Z")).earlier(2).iter().map(|s| s.name()).collect();
        assert_eq!(earlier, ["2026-02-27", "2026-02-28"]);
    }

    proptest::proptest! {
        #[test]
        fn spans_hold_their_moments_and_follow_each_other(second in 0i64..7_000_000_000) {
            let now = Time::from_timestamp(second, 0).unwrap();
            for period in Period::ALL {
                let span = period.span(now);
                proptest::prop_assert!(span.start() <= now && now < span.after().start());
                proptest::prop_assert_eq!(span.after().before(), span);
                proptest::prop_assert_eq!(period.span(span.start()), span);
                let last = span.after().start() - chrono::TimeDelta::seconds(1);
                proptest::prop_assert_eq!(period.span(last), span);
                proptest::prop_assert_eq!(period.span(span.after().start()), span.after());
                proptest::prop_assert!(span.before().name() < span.name(), "{} {}", span.before().name(), span.name());
                proptest::prop_assert_eq!(span.earlier(7).len(), 7);
            }
        }
    }
}
