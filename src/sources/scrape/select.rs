//! Label matchers as PromQL writes them (`path=~".*/infer", code!="200"`), applied to scraped samples.

use regex::Regex;

use crate::domain::{Fault, FaultKind};
use crate::sources::exposition::Sample;

/// Matchers that must all hold.
#[derive(Debug, Clone, Default)]
pub struct Select {
    matchers: Vec<Matcher>,
}

#[derive(Debug, Clone)]
struct Matcher {
    label: String,
    wants: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(String),
    Regex(Regex),
}

impl Select {
    /// Reads matchers separated by commas; the empty text matches everything.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            Fault::new(FaultKind::Refused, format!("`{text}` is no list of label matchers: {why}"))
                .advise("write them as in PromQL: path=~\".*/infer\", code!=\"200\"")
        };
        let mut matchers = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = rest.find(['=', '!']).ok_or_else(|| wrong("no operator"))?;
            let (label, after) = rest.split_at(end);
            let (operator, after) = ["=~", "!~", "!=", "="]
                .into_iter()
                .find_map(|operator| after.strip_prefix(operator).map(|after| (operator, after)))
                .ok_or_else(|| wrong("no operator"))?;
            let inside = after.trim_start().strip_prefix('"').ok_or_else(|| wrong("no quoted value"))?;
            let (value, after) = unquote(inside).ok_or_else(|| wrong("an open quote"))?;
            let test = if operator.ends_with('~') {
                Test::Regex(Regex::new(&format!("^(?s:{value})$")).map_err(|_| wrong("a bad regex"))?)
            } else {
                Test::Equal(value)
            };
            matchers.push(Matcher { label: label.trim().into(), wants: !operator.starts_with('!'), test });
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Ok(Self { matchers })
    }

    /// Whether a sample's labels satisfy all matchers; an absent label is the empty text, as in PromQL.
    pub fn holds(&self, sample: &Sample<'_>) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = sample.label(&matcher.label).unwrap_or_default();
            let met = match &matcher.test {
                Test::Equal(wanted) => wanted == value,
                Test::Regex(regex) => regex.is_match(value),
            };
            met == matcher.wants
        })
    }
}

/// The text up to the closing quote, escapes resolved, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(select: &str, labels: &[(&'static str, &'static str)]) -> bool {
        let labels = labels.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        Select::parse(select).unwrap().holds(&Sample { name: "x".into(), labels, value: 1.0 })
    }

    #[test]
    fn matchers_mean_what_promql_means() {
        let infer = [("path", "/v2/models/{model_name}/infer"), ("code", "500")];
        assert!(matches("", &infer));
        assert!(matches(r#"path=~".*/infer""#, &infer));
        assert!(!matches(r#"path=~"/infer""#, &infer), "a regex matches the whole value");
        assert!(matches(r#"code=~"5..", path!="/v2","#, &infer));
        assert!(!matches(r#"code!~"5..""#, &infer));
        assert!(matches(r#"absent="""#, &infer));
        assert!(matches(r#"path!~"/(livez|readyz|healthz|metrics).*""#, &infer));
        assert!(matches(r#"code=~"5\\d+""#, &infer), "PromQL escapes a backslash");
    }

    #[test]
    fn wrong_matchers_are_refused() {
        for wrong in ["a", "a=b", "a=\"b", "a=~\"(\"", "=~"] {
            assert_eq!(Select::parse(wrong).unwrap_err().kind, FaultKind::Refused, "{wrong}");
        }
    }
}
