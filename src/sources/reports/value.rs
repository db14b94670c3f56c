//! Reading of JSON that Python wrote: bare `NaN` and `Infinity`, numbers in texts.

use std::borrow::Cow;

use serde_json::Value;

/// The same JSON with an empty text in the place of each bare `NaN` and `Infinity`, which Python writes and
/// JSON does not know. As long as before, so that lines and columns of errors still hold.
pub fn plain_json(raw: &[u8]) -> Cow<'_, [u8]> {
    const BARE: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut out = Cow::Borrowed(raw);
    let (mut at, mut quoted) = (0, false);
    while let Some(&byte) = raw.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'-' | b'I' | b'N' if !quoted => {
                if let Some(word) = BARE.iter().find(|word| raw[at..].starts_with(word)) {
                    let place = &mut out.to_mut()[at..at + word.len()];
                    place.fill(b' ');
                    place[..2].fill(b'"');
                    at += word.len() - 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    out
}

/// A finite number, also one written as a text.
pub fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

/// A text, also a number or a truth value as its text.
pub fn text(value: Option<&Value>) -> Option<Cow<'_, str>> {
    match value? {
        Value::String(text) => Some(text.into()),
        plain @ (Value::Number(_) | Value::Bool(_)) => Some(plain.to_string().into()),
        _ => None,
    }
}

/// A count of rows.
pub fn count(number: Option<f64>) -> Option<u64> {
    number.filter(|number| (0.0..1e15).contains(number)).map(|number| number.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes_becomes_json() {
        let raw = br#"{"a":NaN,"b":[-Infinity,Infinity,-1.5],"NaN \" NaN":"Infinity"}"#;
        let plain = plain_json(raw);
        assert_eq!(plain.len(), raw.len());
        let value: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(number(value.get("a")), None);
        assert_eq!(value["b"][2], -1.5);
        assert_eq!(value["NaN \" NaN"], "Infinity");
        assert_eq!(number(value.get("NaN \" NaN")), None, "an infinite text is no number");
        assert!(matches!(plain_json(b"{}"), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers_may_be_texts() {
        assert_eq!(number(Some(&Value::from("0.05"))), Some(0.05));
        assert_eq!(number(Some(&Value::from("nan"))), None);
        assert_eq!(number(Some(&Value::Bool(true))), None);
        assert_eq!(count(Some(-1.0)), None);
        assert_eq!(count(Some(200.0)), Some(200));
    }
}
