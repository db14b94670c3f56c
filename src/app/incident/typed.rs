//! Times as they are typed: minutes from now, or a clock.

use chrono::{NaiveTime, TimeDelta};

use crate::domain::Time;

/// The longest time until a decision, minutes: a week.
const LONGEST: i64 = 7 * 24 * 60;

/// Reads `15 roll back unless p95 falls`: minutes from now, and what is to be decided.
///
/// # Errors
/// No number of minutes, or no words after it.
pub fn decision(text: &str, now: Time) -> Result<(Time, String), String> {
    let wrong = || "write minutes and what is to be decided: 15 roll back unless p95 falls".to_owned();
    let (minutes, words) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
    let minutes = minutes.trim_end_matches("min").parse::<i64>().ok();
    let minutes = minutes.filter(|minutes| (0..=LONGEST).contains(minutes)).ok_or_else(wrong)?;
    let words = words.trim().strip_prefix("min ").unwrap_or(words.trim()).trim();
    if words.is_empty() {
        return Err(wrong());
    }
    Ok((now + TimeDelta::minutes(minutes), words.to_owned()))
}

/// Reads an optional clock before words: `14:05 it began with the deploy`. The clock is UTC, and of the last 24 hours.
pub fn clock(text: &str, now: Time) -> (Option<Time>, String) {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let first = first.strip_suffix(['Z', 'z']).unwrap_or(first);
    let read = |form: &str| NaiveTime::parse_from_str(first, form).ok();
    let Some(clock) = read("%H:%M:%S").or_else(|| read("%H:%M")) else { return (None, text.to_owned()) };
    let mut at = now.date_naive().and_time(clock).and_utc();
    if at > now {
        at -= TimeDelta::days(1);
    }
    (Some(at), rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        Time::from_timestamp(1_795_183_327, 0).unwrap()
    }

    #[test]
    fn a_decision_has_minutes_and_words() {
        let read = |text| decision(text, now()).map(|(due, words)| ((due - now()).num_minutes(), words));
        assert_eq!(read("15 roll back"), Ok((15, "roll back".into())));
        assert_eq!(read(" 5min  look again "), Ok((5, "look again".into())));
        assert_eq!(read("20 min stop"), Ok((20, "stop".into())));
        for wrong in ["", "15", "soon roll back", "-3 x", "99999999999 x"] {
            assert!(read(wrong).unwrap_err().contains("minutes"), "{wrong}");
        }
    }

    #[test]
    fn a_clock_is_of_the_last_day() {
        let read = |text| clock(text, now());
        let (at, words) = read("14:01 the deploy");
        assert_eq!(
            (at.unwrap().to_rfc3339(), words.as_str()),
            ("2026-11-20T14:01:00+00:00".into(), "the deploy")
        );
        assert_eq!(read("23:59:30Z x").0.unwrap().to_rfc3339(), "2026-11-19T23:59:30+00:00");
        assert_eq!(read("14:01"), (Some("2026-11-20T14:01:00Z".parse().unwrap()), String::new()));
        assert_eq!(read("25:00 x"), (None, "25:00 x".into()));
        assert_eq!(read("the 14:01 deploy"), (None, "the 14:01 deploy".into()));
    }
}
