//! Moments as people write them into reports and into names of files.

use std::sync::LazyLock;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use regex::Regex;

use crate::domain::Time;
use crate::sources::lenient;

/// A moment with a zone, else in a zone that is `offset_min` minutes ahead of UTC. A date is its midnight.
pub fn parse(text: &str, offset_min: i32) -> Option<Time> {
    let text = text.trim();
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&chrono::Utc));
    }
    if let Ok(time) = chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z") {
        return Some(time.with_timezone(&chrono::Utc));
    }
    // The form of Python's `str()`, with a blank in the middle.
    let plain = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok().map(|naive| naive.and_utc());
    shifted(plain.or_else(|| lenient::time(Some(text)))?, offset_min)
}

/// The moment in a file's name: `drift-2026-11-20T18-00-00.json`, `20261120_1800.csv`, `2026-11-20.json`.
pub fn in_name(name: &str, offset_min: i32) -> Option<Time> {
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let day = r"(?:^|[^0-9A-Za-z]|[^0-9][Tt])(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)";
        let time = r"(?:[-_.T ]?([0-2]\d)[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?(?:\.\d+)?(Z)?)?";
        Regex::new(&format!(r"{day}{time}(?:$|[^0-9A-Za-z])")).ok()
    });
    let found = FORM.as_ref()?.captures(name)?;
    let number = |index: usize| found.get(index).and_then(|part| part.as_str().parse::<u32>().ok());
    let day = NaiveDate::from_ymd_opt(i32::try_from(number(1)?).ok()?, number(2)?, number(3)?)?;
    let at = day.and_hms_opt(number(4).unwrap_or(0), number(5).unwrap_or(0), number(6).unwrap_or(0))?;
    shifted(at.and_utc(), if found.get(7).is_some() { 0 } else { offset_min })
}

fn shifted(time: Time, offset_min: i32) -> Option<Time> {
    time.checked_sub_signed(TimeDelta::try_minutes(i64::from(offset_min))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_hold_and_their_absence_is_the_config_s() {
        let six = Time::from_timestamp(1_795_197_600, 0);
        for (text, offset) in [
            ("2026-11-20T18:00:00Z", 60),
            ("2026-11-20 18:00:00+00:00", 60),
            ("2026-11-20T18:00:00", 0),
            ("2026-11-20 19:00:00.000001", 60),
            ("2026-11-20T13:00:00", -300),
        ] {
            assert_eq!(
                parse(text, offset).map(|time| time.timestamp()),
                six.map(|t| t.timestamp()),
                "{text}"
            );
        }
        assert_eq!(parse("soon", 0), None);
        assert_eq!(parse("", 0), None);
    }

    #[test]
    fn names_of_files_tell_the_time() {
        let six = Time::from_timestamp(1_795_197_600, 0);
        for name in [
            "drift-2026-11-20T18-00-00.json",
            "drift_20261120_1800.csv",
            "20261120T180000Z.json",
            "als.2026-11-20 18:00:00.json",
            "2026-11-20T18:00:00.123456.json",
        ] {
            assert_eq!(in_name(name, 0), six, "{name}");
        }
        assert_eq!(in_name("2026-11-20.json", 0), Time::from_timestamp(1_795_132_800, 0));
        assert_eq!(in_name("drift_20261120_1900.csv", 60), six);
        for name in
            ["report.json", "a20261120b.json", "2026-13-20.json", "1202611200.json", "2026-02-31.json"]
        {
            assert_eq!(in_name(name, 0), None, "{name}");
        }
    }
}
