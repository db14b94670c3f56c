//! Writes PromQL: selectors, `by` clauses, and one query for each thing that is asked of a group.

use std::fmt::Write;

/// A selector: the metric with matchers of several origins, `a="b"` each, braces and commas forgiven.
pub fn selector(metric: &str, matchers: &[&str]) -> String {
    let inner: Vec<&str> = matchers.iter().map(|text| bare(text)).filter(|text| !text.is_empty()).collect();
    let inner = inner.join(",");
    match (is_plain(metric), inner.is_empty()) {
        (true, true) => metric.to_owned(),
        (true, false) => format!("{metric}{{{inner}}}"),
        (false, true) => format!("{{{}}}", quoted(metric)),
        (false, false) => format!("{{{},{inner}}}", quoted(metric)),
    }
}

/// A selector of any of these metrics.
pub fn any_of(metrics: &[&str], matchers: &[&str]) -> String {
    let names: Vec<String> = metrics.iter().map(|name| literal(name)).collect();
    let mut all = vec![format!("__name__=~{}", quoted(&names.join("|")))];
    all.extend(matchers.iter().map(|text| bare(text).to_owned()).filter(|text| !text.is_empty()));
    format!("{{{}}}", all.join(","))
}

/// A matcher of a label with any of these values.
pub fn one_of(label: &str, values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
    format!("{}=~{}", label_name(label), quoted(&values.join("|")))
}

/// `sum by (labels) (inner)`, with any aggregation.
pub fn by(aggregation: &str, labels: &[&str], inner: &str) -> String {
    let labels: Vec<String> = labels.iter().map(|label| label_name(label)).collect();
    format!("{aggregation} by ({}) ({inner})", labels.join(", "))
}

/// `rate(selector[window])`.
pub fn rate(selector: &str, window_s: u32) -> String {
    format!("rate({selector}[{window_s}s])")
}

/// When the newest sample within the window was taken, even when its target is gone since: a rate goes on
/// answering from old samples, and this tells so.
pub fn newest(labels: &[&str], selector: &str, window_s: u32, scrape_s: u32) -> String {
    by("max", labels, &format!("max_over_time(timestamp({selector})[{window_s}s:{}s])", scrape_s.max(1)))
}

/// A text in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // Other control characters in a name are no accident; PromQL takes them escaped.
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text that a regular expression takes as it is.
fn literal(text: &str) -> String {
    regex::escape(text)
}

/// Matchers without the braces and commas that people leave around them.
fn bare(matchers: &str) -> &str {
    let text = matchers.trim();
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
    text.trim_matches([',', ' ', '\t', '\n', '\r'])
}

/// Whether a name may stand outside quotes in PromQL.
fn is_plain(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn label_name(name: &str) -> String {
    if is_plain(name) && !name.contains(':') { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_of_several_origins_are_joined() {
        assert_eq!(selector("up", &["", " "]), "up");
        assert_eq!(
            selector("x_total", &["{job=\"a\"}", "code=~\"5..\","]),
            "x_total{job=\"a\",code=~\"5..\"}"
        );
        assert_eq!(selector(":tensorflow:serving:request_count", &[]), ":tensorflow:serving:request_count");
        assert_eq!(selector("http.server.duration", &["a=\"b\""]), "{\"http.server.duration\",a=\"b\"}");
    }

    #[test]
    fn names_and_values_cannot_break_out() {
        assert_eq!(one_of("model", &["a\"b".into(), "c.d".into()]), r#"model=~"a\"b|c\\.d""#);
        assert_eq!(any_of(&["a", "b:c"], &["job=\"x\""]), "{__name__=~\"a|b:c\",job=\"x\"}");
    }

    #[test]
    fn aggregations_keep_their_labels() {
        let query = by("sum", &["le", "model"], &rate("x_bucket", 60));
        assert_eq!(query, "sum by (le, model) (rate(x_bucket[60s]))");
        let age = newest(&["job", "instance"], "x_count", 300, 15);
        assert_eq!(age, "max by (job, instance) (max_over_time(timestamp(x_count)[300s:15s]))");
    }
}
