//! Reading of other people's JSON without falling over one odd entry.

use serde::{Deserialize, Deserializer};

use crate::domain::{ModelId, Time};

/// A value that may not have the shape that it should; why is kept.
#[derive(Debug, Clone)]
pub struct Lenient<T>(pub Result<T, String>);

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(serde_json::from_value(value).map_err(|error| error.to_string())))
    }
}

/// A moment as RFC 3339 or as ISO 8601 without zone, then taken as UTC.
pub fn time(text: Option<&str>) -> Option<Time> {
    let text = text?.trim();
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&chrono::Utc));
    }
    let naive = text.parse::<chrono::NaiveDateTime>().ok();
    let day = || text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    naive.or_else(day).map(|naive| naive.and_utc())
}

/// A moment in milliseconds since 1970.
pub fn millis(ms: Option<i64>) -> Option<Time> {
    ms.filter(|&ms| ms > 0).and_then(Time::from_timestamp_millis)
}

/// The fleet's model of this name; of several, the one in this namespace.
pub fn find<'m>(models: &'m [ModelId], name: &str, namespace: Option<&str>) -> Option<&'m ModelId> {
    let mut named = models.iter().filter(|model| model.name.as_ref() == name);
    match namespace.filter(|namespace| !namespace.is_empty()) {
        Some(namespace) => {
            let exact = named.clone().find(|model| model.namespace.as_ref() == namespace);
            exact.or_else(|| named.find(|model| model.namespace.is_empty()))
        }
        None => named.next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_the_forms_that_are_seen() {
        let expected = Time::from_timestamp(1_795_197_600, 0);
        for text in ["2026-11-20T18:00:00Z", "2026-11-20T18:00:00.000", "2026-11-20T19:00:00+01:00"] {
            assert_eq!(time(Some(text)), expected, "{text}");
        }
        assert_eq!(time(Some("2026-11-20")), Time::from_timestamp(1_795_132_800, 0));
        assert_eq!(time(Some("yesterday")), None);
        assert_eq!(millis(Some(i64::MAX)), None, "an impossible moment is none");
    }

    #[test]
    fn a_namespace_tells_namesakes_apart() {
        let mut models = vec![ModelId::new("e", "als"), ModelId::new("e", "als")];
        models[1].namespace = "prod".into();
        assert_eq!(find(&models, "als", Some("prod")), Some(&models[1]));
        assert_eq!(find(&models, "als", Some("other")), Some(&models[0]));
        assert_eq!(find(&models, "als", None), Some(&models[0]));
        assert_eq!(find(&models, "x", None), None);
    }
}
