//! Spans of time as Kubernetes objects write them: whole seconds, digits in a text, or Go's `1h2m3.5s`.

use serde_json::Value;

/// The length in seconds; `None` when it is not a span of time, or a negative one.
pub(super) fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64().filter(|seconds| (0.0..=3.2e9).contains(seconds)),
        Value::String(text) => of_text(text.trim()),
        _ => None,
    }
}

fn of_text(text: &str) -> Option<f64> {
    if text.is_empty() || text.len() > 40 {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|seconds| *seconds <= 3.2e9);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number * unit;
        rest = &rest[end..];
    }
    (sum <= 3.2e9).then_some(sum)
}

/// The words: `10 min`, `1 h 30 min`, `45 s`.
pub(super) fn words(seconds: f64) -> String {
    let whole = seconds.max(0.0).round();
    let (hours, minutes, rest) = ((whole / 3_600.0).floor(), (whole / 60.0).floor() % 60.0, whole % 60.0);
    match (hours > 0.0, minutes > 0.0) {
        (true, true) => format!("{hours:.0} h {minutes:.0} min"),
        (true, false) => format!("{hours:.0} h"),
        (false, true) if rest > 0.0 => format!("{minutes:.0} min {rest:.0} s"),
        (false, true) => format!("{minutes:.0} min"),
        (false, false) => format!("{rest:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_three_ways_of_writing_a_pause() {
        let of = |value| seconds(&value);
        assert_eq!(of(json!(600)), Some(600.0));
        assert_eq!(of(json!("30")), Some(30.0));
        assert_eq!(of(json!("10m")), Some(600.0));
        assert_eq!(of(json!("1h2m3.5s")), Some(3_723.5));
        assert_eq!(of(json!("500ms")), Some(0.5));
        for odd in
            [json!(null), json!(""), json!("10"), json!("-5s"), json!("5 parsecs"), json!("m"), json!(-1)]
        {
            let expected = (odd == json!("10")).then_some(10.0);
            assert_eq!(of(odd.clone()), expected, "{odd}");
        }
        assert_eq!(of(json!("9".repeat(39))), None, "longer than anybody lives");
    }

    #[test]
    fn spans_in_words() {
        assert_eq!(
            [600.0, 5_400.0, 45.0, 3_600.0, 90.0].map(words),
            ["10 min", "1 h 30 min", "45 s", "1 h", "1 min 30 s"]
        );
    }
}
