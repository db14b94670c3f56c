//! Where each key of a config file stands: key path to line.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Key paths (`model[1].kind`) with the byte range of their value and their line.
#[derive(Debug, Clone, Default)]
pub struct Places {
    file: String,
    lines: BTreeMap<String, usize>,
    ranges: Vec<(String, Range<usize>)>,
}

impl Places {
    /// The places of a text; empty when it is not TOML at all.
    pub fn of(file: &str, text: &str) -> Self {
        let mut places = Self { file: file.to_owned(), ..Self::default() };
        let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        if let Ok(table) = DeTable::parse(text) {
            places.walk_table("", table.get_ref(), &starts);
        }
        places
    }

    fn walk_table(&mut self, prefix: &str, table: &DeTable<'_>, starts: &[usize]) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
            let start = key.span().start;
            self.lines.insert(path.clone(), line_among(starts, start));
            self.ranges.push((path.clone(), start..value.span().end.max(key.span().end)));
            self.walk(&path, value.get_ref(), starts);
        }
    }

    fn walk(&mut self, path: &str, value: &DeValue<'_>, starts: &[usize]) {
        match value {
            DeValue::Table(table) => self.walk_table(path, table, starts),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.lines.insert(path.clone(), line_among(starts, item.span().start));
                    self.ranges.push((path.clone(), item.span()));
                    self.walk(&path, item.get_ref(), starts);
                }
            }
            _ => {}
        }
    }

    /// The place of a key, or of the nearest key above it: `wardroom.toml:12, model[1].kind`.
    pub fn place(&self, path: &str) -> String {
        let mut above = path;
        loop {
            if let Some(line) = self.lines.get(above) {
                return format!("{}:{line}, {path}", self.file);
            }
            match above.rfind(['.', '[']) {
                Some(end) => above = &above[..end],
                None if path.is_empty() => return self.file.clone(),
                None => return format!("{}, {path}", self.file),
            }
        }
    }

    /// `file:line` of a key that the file sets.
    pub fn origin(&self, path: &str) -> Option<String> {
        self.lines.get(path).map(|line| format!("{}:{line}", self.file))
    }

    /// The key whose text holds this byte: the innermost.
    pub fn key_at(&self, byte: usize) -> Option<&str> {
        let holds = self.ranges.iter().filter(|(_, range)| range.start <= byte && byte <= range.end);
        holds.min_by_key(|(_, range)| range.end - range.start).map(|(path, _)| path.as_str())
    }
}

/// The line of a byte, from 1, by where the lines after the first begin.
fn line_among(starts: &[usize], byte: usize) -> usize {
    starts.partition_point(|&start| start <= byte) + 1
}

/// The line of a byte, from 1.
pub fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|&b| b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines() {
        let text = "refresh = \"5s\"\n[[model]]\nname = \"a\"\n[[model]]\nname = \"b\"\nkind = \"x\"\n";
        let places = Places::of("w.toml", text);
        assert_eq!(places.place("model[1].kind"), "w.toml:6, model[1].kind");
        assert_eq!(places.place("model[1].endpoint[0].url"), "w.toml:4, model[1].endpoint[0].url");
        assert_eq!(places.origin("refresh").as_deref(), Some("w.toml:1"));
        assert_eq!(places.origin("theme"), None);
        assert_eq!(places.key_at(text.find("\"x\"").unwrap()), Some("model[1].kind"));
    }
}
