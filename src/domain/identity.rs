//! Who is meant: a model in its environment, a version, a source.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::text::clean_name;

/// A model where it runs. Two models of one name in two environments or namespaces are two models.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelId {
    /// The environment of the config, `prod-eu`.
    pub environment: Arc<str>,
    /// The cluster, empty outside clusters.
    pub cluster: Arc<str>,
    /// The namespace, empty outside clusters.
    pub namespace: Arc<str>,
    /// The model's name, cleaned.
    pub name: Arc<str>,
}

impl ModelId {
    /// A model outside any cluster.
    pub fn new(environment: &str, name: &str) -> Self {
        Self {
            environment: environment.into(),
            cluster: "".into(),
            namespace: "".into(),
            name: clean_name(name).into(),
        }
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A version's name as its owner writes it: `1.2.0`, `3`, `v2`. Orders by numbers, so 10 comes after 9.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub Arc<str>);

impl Version {
    /// A version of this name, cleaned.
    pub fn new(name: &str) -> Self {
        Self(clean_name(name).into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Numbers and words in turn, so that `v1.10.0-rc1` compares part by part.
    fn parts(&self) -> Vec<Part<'_>> {
        let text = self.0.strip_prefix(['v', 'V']).unwrap_or(&self.0);
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (part, tail) = rest.split_at(end);
            match (digits, part.trim_matches(['.', '-', '_', '+'])) {
                (true, number) => parts.push(Part::Number(number.parse().unwrap_or(u64::MAX))),
                (false, "") => {}
                (false, word) => parts.push(Part::Word(word)),
            }
            rest = tail;
        }
        parts
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Word(&'a str),
    Number(u64),
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (mine, theirs) = (self.parts(), other.parts());
        for (a, b) in mine.iter().zip(&theirs) {
            match a.cmp(b) {
                std::cmp::Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        // 1.2.0-rc1 is before 1.2.0, but 1.2 is before 1.2.1.
        let longer_is_word = |tail: &[Part<'_>]| matches!(tail.first(), Some(Part::Word(_)));
        let by_length = match mine.len().cmp(&theirs.len()) {
            std::cmp::Ordering::Greater if longer_is_word(&mine[theirs.len()..]) => std::cmp::Ordering::Less,
            std::cmp::Ordering::Less if longer_is_word(&theirs[mine.len()..]) => std::cmp::Ordering::Greater,
            plain => plain,
        };
        by_length.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a configured source, unique in the config: `prometheus`, `mlflow`, `als-2`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(pub Arc<str>);

impl SourceId {
    /// A source of this name, cleaned.
    pub fn new(name: &str) -> Self {
        Self(clean_name(name).into())
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_as_numbers() {
        let mut all: Vec<Version> =
            ["10", "9", "1.2.0", "1.10.0", "v1.2.1", "1.2.0-rc1", "2"].map(Version::new).to_vec();
        all.sort();
        let names: Vec<&str> = all.iter().map(Version::as_str).collect();
        assert_eq!(names, ["1.2.0-rc1", "1.2.0", "v1.2.1", "1.10.0", "2", "9", "10"]);
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_total(a in "[v0-9.a-c-]{0,8}", b in "[v0-9.a-c-]{0,8}", c in "[v0-9.a-c-]{0,8}") {
            let (a, b, c) = (Version::new(&a), Version::new(&b), Version::new(&c));
            proptest::prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                proptest::prop_assert!(a <= c, "{} {} {}", a, b, c);
            }
        }
    }
}
