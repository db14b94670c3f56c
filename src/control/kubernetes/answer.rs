//! What the API server's answers mean for a write: done, refused, the world moved, nobody knows.

use serde_json::Value;

use crate::domain::text;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// The server's words, cleaned and cut.
    pub message: String,
    /// The fields that it names as the cause.
    pub fields: Vec<String>,
    /// Seconds after which it wants to be asked again.
    pub retry_after_s: Option<u64>,
}

/// What a write's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The `resourceVersion` was old: nothing was done.
    Conflict,
    /// A JSON patch's `test` did not hold: nothing was done. The server does not say which.
    TestFailed,
    /// The object has another `uid`: it was deleted and made again. Nothing was done.
    OtherObject,
    /// Nothing was done, because.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
}

impl Answer {
    /// Reads an error body; anything but a `Status` is taken as text.
    pub fn read(code: u16, body: &[u8], retry_after: Option<&str>) -> Self {
        let status: Option<Value> = serde_json::from_slice(body).ok().filter(Value::is_object);
        let told = |pointer: &str| status.as_ref().and_then(|status| status.pointer(pointer));
        let message = match told("/message").and_then(Value::as_str) {
            Some(message) => shorten(message),
            None => text::excerpt(&String::from_utf8_lossy(body)),
        };
        let causes = told("/details/causes").and_then(Value::as_array).into_iter().flatten();
        let fields = causes.filter_map(|cause| cause.get("field")?.as_str().map(ToOwned::to_owned)).collect();
        let retry_after_s = retry_after
            .and_then(|header| header.trim().parse().ok())
            .or_else(|| told("/details/retryAfterSeconds").and_then(Value::as_u64));
        Self { code, message, fields, retry_after_s }
    }

    /// What it means for a write; `json` tells a JSON patch.
    pub fn meaning(&self, json: bool) -> Meaning {
        let said = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        let refused = |what: &str| Meaning::Refused(format!("{what}{said}"));
        match self.code {
            409 => Meaning::Conflict,
            422 if self.fields.iter().any(|field| field == "metadata.uid") => Meaning::OtherObject,
            // A failed test comes without causes and with this general sentence.
            422 if json && self.fields.is_empty() && self.message.contains("rejected our request due to") => {
                Meaning::TestFailed
            }
            400 | 422 => refused("the server found it invalid"),
            401 => refused("the credentials are not accepted any more; sign in again"),
            403 => refused("not permitted"),
            404 => refused("the object is not there, or this cluster has no such subresource"),
            415 => refused("this resource does not take this kind of patch"),
            429 => match self.retry_after_s {
                Some(wait) => Meaning::Refused(format!("the server is busy and asks to wait {wait} s{said}")),
                None => refused("the server is busy"),
            },
            // A time-out of the request on the server's side: it may have been done.
            408 => Meaning::Unknown(format!("the server gave up on it (408){said}")),
            code @ 400..500 => refused(&format!("refused with {code}")),
            code => Meaning::Unknown(format!("the server answered {code}{said}")),
        }
    }
}

/// Strict validation repeats the whole object before it comes to the point.
fn shorten(message: &str) -> String {
    for point in ["strict decoding error: ", "admission webhook "] {
        if let Some(at) = message.rfind(point) {
            return text::clean(&message[at..], 400);
        }
    }
    text::clean(message, 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bodies as Kubernetes 1.36 sent them.
    const CONFLICT: &str = r#"{"kind":"Status","status":"Failure","message":"Operation cannot be fulfilled on rollouts.argoproj.io \"m\": the object has been modified; please apply your changes to the latest version and try again","reason":"Conflict","code":409}"#;
    const TEST: &str = r#"{"kind":"Status","status":"Failure","message":"the server rejected our request due to an error in our request","reason":"Invalid","details":{},"code":422}"#;
    const UID: &str = r#"{"kind":"Status","message":"Rollout.argoproj.io \"m\" is invalid: metadata.uid: Invalid value: \"x\": field is immutable","reason":"Invalid","details":{"causes":[{"reason":"FieldValueInvalid","message":"Invalid value: \"x\": field is immutable","field":"metadata.uid"}]},"code":422}"#;
    const STRICT: &str = r#"{"kind":"Status","message":" \"\" is invalid: patch: Invalid value: \"{\\\"very long\\\"}\": strict decoding error: unknown field \"spec.pausedd\"","reason":"Invalid","details":{"causes":[{"field":"patch"}]},"code":422}"#;

    #[test]
    fn the_three_ways_of_not_being_done_are_told_apart() {
        let of = |code, body: &str, json| Answer::read(code, body.as_bytes(), None).meaning(json);
        assert_eq!(of(409, CONFLICT, false), Meaning::Conflict);
        assert_eq!(of(422, TEST, true), Meaning::TestFailed);
        assert_eq!(of(422, UID, false), Meaning::OtherObject);
        assert_eq!(of(422, UID, true), Meaning::OtherObject);
        // The same sentence to a merge patch is no test: there was none.
        assert!(matches!(of(422, TEST, false), Meaning::Refused(_)));
        let Meaning::Refused(why) = of(422, STRICT, false) else { panic!("not refused") };
        assert_eq!(why, "the server found it invalid: strict decoding error: unknown field \"spec.pausedd\"");
    }

    #[test]
    fn what_may_have_been_done_is_unknown() {
        for (code, unknown) in [
            (401, false),
            (403, false),
            (404, false),
            (408, true),
            (415, false),
            (429, false),
            (500, true),
            (502, true),
            (503, true),
            (504, true),
            (302, true),
        ] {
            let meaning = Answer::read(code, b"<html>", None).meaning(false);
            assert_eq!(matches!(meaning, Meaning::Unknown(_)), unknown, "{code}: {meaning:?}");
        }
        let busy = Answer::read(429, b"", Some("7")).meaning(false);
        assert_eq!(busy, Meaning::Refused("the server is busy and asks to wait 7 s".into()));
    }
}
