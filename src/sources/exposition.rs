//! Reads the Prometheus text format and OpenMetrics text: one page of samples. Pure; never panics.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::domain::{Fault, FaultKind};

/// One sample of a page, borrowing from its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// The metric's name, with its suffix (`_bucket`, `_total`).
    pub name: Cow<'a, str>,
    /// Labels in the page's order.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The value; NaN and infinities as they are.
    pub value: f64,
}

impl Sample<'_> {
    /// The value of a label; `None` when absent.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }
}

/// A parsed page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page<'a> {
    /// Its samples; `*_created` series, which only tell a start time, are left out.
    pub samples: Vec<Sample<'a>>,
    /// Lines that did not parse.
    pub skipped: usize,
}

impl Page<'_> {
    /// The names of all samples.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.iter().map(|sample| sample.name.as_ref()).collect()
    }
}

/// Reads a page. Lines that do not parse are skipped and counted; a page of which no line parses and that
/// is not empty is no metrics page, and so an error.
pub fn parse(text: &str) -> Result<Page<'_>, Fault> {
    let mut page = Page::default();
    let mut first_wrong = None;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            if line == "# EOF" {
                break;
            }
            continue;
        }
        match sample(line) {
            Some(sample) if sample.name.ends_with("_created") => {}
            Some(sample) => page.samples.push(sample),
            None => {
                page.skipped += 1;
                first_wrong = first_wrong.or(Some(line));
            }
        }
    }
    match first_wrong {
        Some(line) if page.samples.is_empty() => {
            let start: String = line.chars().take(100).collect();
            Err(Fault::new(FaultKind::Unreadable, format!("not a metrics page: `{start}`"))
                .advise("set `metrics` to the URL that Prometheus scrapes"))
        }
        _ => Ok(page),
    }
}

/// One line: `name{label="value",} value [timestamp] [# exemplar]`, the name optionally quoted in braces.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let mut name = Cow::Borrowed(name);
    let mut labels = Vec::new();
    let mut rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = label_list(inside, &mut name, &mut labels)?;
    }
    if name.is_empty() || !name.chars().all(|c| !c.is_control()) {
        return None;
    }
    let mut words = rest.split_whitespace();
    let value = number(words.next()?)?;
    match words.next() {
        None => {}
        Some(exemplar) if exemplar.starts_with('#') => {}
        Some(timestamp) => {
            timestamp.parse::<f64>().ok()?;
        }
    }
    Some(Sample { name, labels, value })
}

type Labels<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The list after `{`; gives back what follows `}`. A quoted word without `=` is the metric's name.
fn label_list<'a>(mut rest: &'a str, name: &mut Cow<'a, str>, labels: &mut Labels<'a>) -> Option<&'a str> {
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let key = match rest.strip_prefix('"') {
            Some(inside) => {
                let (key, after) = quoted(inside)?;
                rest = after.trim_start();
                key
            }
            None => {
                let end = rest.find(['=', ',', '}', '"'])?;
                let (key, after) = rest.split_at(end);
                rest = after;
                Cow::Borrowed(key.trim_end())
            }
        };
        match rest.strip_prefix('=') {
            Some(after) => {
                let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
                if key.is_empty() {
                    return None;
                }
                labels.push((key, value));
                rest = after.trim_start();
            }
            None if name.is_empty() && !key.is_empty() => *name = key,
            None => return None,
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

/// A quoted text after its opening quote, and what follows the closing one.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let plain = text.find(['"', '\\'])?;
    if text.as_bytes().get(plain) == Some(&b'"') {
        return Some((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut out = String::from(&text[..plain]);
    let mut chars = text[plain..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Cow::Owned(out), &text[plain + at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                escaped @ ('"' | '\\') => out.push(escaped),
                other => out.extend(['\\', other]),
            },
            other => out.push(other),
        }
    }
    None
}

/// A value: Go's floats, with `+Inf` and `NaN`. Rust's parser knows the same words in any case.
fn number(word: &str) -> Option<f64> {
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Sample<'_> {
        sample(line).unwrap_or_else(|| panic!("{line}"))
    }

    #[test]
    fn recorded_pages_parse_completely() {
        for (page, least) in [
            (include_str!("../../fixtures/mlserver/metrics-stable.txt"), 200),
            (include_str!("../../fixtures/mlserver/metrics-canary.txt"), 150),
            (include_str!("../../fixtures/kserve/metrics.txt"), 50),
            (include_str!("../../fixtures/bentoml/metrics.txt"), 100),
            (include_str!("../../fixtures/exporters/evaluation-metrics.txt"), 60),
            (include_str!("../../fixtures/exporters/client-metrics.txt"), 50),
        ] {
            let page = parse(page).unwrap();
            assert_eq!(page.skipped, 0);
            assert!(page.samples.len() >= least, "{}", page.samples.len());
            assert!(page.samples.iter().all(|sample| !sample.name.ends_with("_created")));
        }
    }

    #[test]
    fn every_form_of_a_line() {
        let plain = one("up 1");
        assert_eq!((plain.name.as_ref(), plain.value), ("up", 1.0));
        let comma = one(r#"ts_requests{model_name="a",version="1",} 3 1795204648173"#);
        assert_eq!((comma.label("version"), comma.value), (Some("1"), 3.0));
        let colons = one(r#":tensorflow:serving:request_count{model_name="m"} 4"#);
        assert_eq!(colons.name, ":tensorflow:serving:request_count");
        let escaped = one(r#"a{b="x\"y\\z\n\q",c="}, d=\"{"} 5"#);
        assert_eq!(escaped.label("b"), Some("x\"y\\z\n\\q"));
        assert_eq!(escaped.label("c"), Some("}, d=\"{"));
        let utf8 = one(r#"{"http.server","naïve.label"="心"} 6"#);
        assert_eq!((utf8.name.as_ref(), utf8.label("naïve.label")), ("http.server", Some("心")));
        let exemplar = one(r#"x_bucket{le="0.5"} 7 # {trace="1"} 0.3 1.5"#);
        assert_eq!(exemplar.value, 7.0);
        assert_eq!(one("x { a = \"b\" , c = \"d\" } 1 1.5").label("c"), Some("d"));
        assert!(one("x NaN").value.is_nan());
        assert_eq!(one("x +Inf").value, f64::INFINITY);
        assert_eq!(one("x -Inf").value, f64::NEG_INFINITY);
        assert_eq!(one("x 1.7952056140357373e+09").value, 1_795_205_614.035_737_3);
    }

    #[test]
    fn wrong_lines_are_counted_and_html_is_no_page() {
        let page = parse("a 1\nb{c=\"d} 2\nc{d=e} 3\nd\ne{=\"x\"} 1\nf 1 x\n# EOF\ng 9\n").unwrap();
        assert_eq!((page.samples.len(), page.skipped), (1, 5));
        let fault = parse("<!doctype html>\n<title>Log in</title>").unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreadable);
        assert_eq!(parse("").unwrap(), Page::default(), "an empty page is a page without samples");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[a-z:_{}\",=\\\\ 0-9.eN#\n\\PC]{0,80}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_is_read(name in "[a-z_:][a-z0-9_:]{0,10}", value in "\\PC{0,12}", number in -1e9f64..1e9) {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let line = format!("{name}x{{l=\"{escaped}\"}} {number}");
            let page = parse(&line).unwrap();
            proptest::prop_assert_eq!(page.samples[0].label("l"), Some(value.as_str()));
            proptest::prop_assert_eq!(page.samples[0].value, number);
        }
    }
}
