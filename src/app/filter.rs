//! The fleet's filter: a regex, its inverse, or a fuzzy match.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use regex::{Regex, RegexBuilder};

/// What a filter does.
#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    All,
    Regex {
        regex: Regex,
        inverse: bool,
    },
    Fuzzy(Pattern),
}

/// A filter as written, and ready to use.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    text: String,
    kind: Kind,
}

impl Filter {
    /// Reads a filter: `text` is a regex (case only matters when capitals are used), `!text` keeps what
    /// does not match, `-f text` matches fuzzily, nothing keeps all.
    ///
    /// # Errors
    /// A regex that cannot be read: says what is wrong with it and what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        let kind = if trimmed.is_empty() {
            Kind::All
        } else if let Some(fuzzy) = trimmed.strip_prefix("-f") {
            match fuzzy.trim() {
                "" => Kind::All,
                pattern => Kind::Fuzzy(Pattern::parse(pattern, CaseMatching::Smart, Normalization::Smart)),
            }
        } else {
            let (inverse, pattern) = match trimmed.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, trimmed),
            };
            let regex = RegexBuilder::new(pattern)
                .case_insensitive(!pattern.chars().any(char::is_uppercase))
                .size_limit(1 << 20)
                .build()
                .map_err(|error| bad_regex(pattern, &error))?;
            if pattern.is_empty() { Kind::All } else { Kind::Regex { regex, inverse } }
        };
        Ok(Self { text: trimmed.to_owned(), kind })
    }

    /// The filter as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it keeps everything.
    pub fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::All)
    }

    /// Whether any of these texts passes (for an inverse filter: none matches).
    pub fn passes(&self, texts: &[&str]) -> bool {
        match &self.kind {
            Kind::All => true,
            Kind::Regex { regex, inverse } => texts.iter().any(|text| regex.is_match(text)) != *inverse,
            Kind::Fuzzy(pattern) => {
                let mut matcher = Matcher::new(Config::DEFAULT);
                let mut buffer = Vec::new();
                texts
                    .iter()
                    .any(|text| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher).is_some())
            }
        }
    }
}

fn bad_regex(pattern: &str, error: &regex::Error) -> String {
    let reason = match error {
        regex::Error::CompiledTooBig(_) => "it is too big".to_owned(),
        // The last line of the parser's message is the reason; the lines before draw a caret.
        other => {
            other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    };
    format!("filter `{pattern}`: {reason}; put a backslash before ( [ * + ? . or use -f for a fuzzy match")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_inverse_and_fuzzy() {
        let passes = |filter: &str, text: &str| Filter::parse(filter).unwrap().passes(&[text]);
        assert!(passes("alz", "alzheimer") && !passes("alz", "als"));
        assert!(passes("ALZ", "ALZ") && !passes("ALZ", "alzheimer"), "capitals mean case matters");
        assert!(passes("!alz", "als") && !passes("!alz", "alzheimer"));
        assert!(passes("-f hds", "heart-disease") && !passes("-f hds", "als"));
        assert!(passes("", "x") && passes("!", "x") && passes("-f ", "x"));
        assert!(!Filter::parse("!crit").unwrap().passes(&["als", "critical"]), "inverse: none may match");
    }

    #[test]
    fn a_bad_regex_says_what_and_what_to_do() {
        let error = Filter::parse("al(").unwrap_err();
        assert!(error.contains("al(") && error.contains("unclosed group") && error.contains("-f"), "{error}");
    }
}
