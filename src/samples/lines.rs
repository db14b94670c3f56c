//! JSON lines: one object a line, its keys the columns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cell::Cell;
use super::sink::Sink;
use super::{MAX_COLUMNS, Options, SampleError};

/// The keys seen so far.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    wanted: Option<Vec<String>>,
    numbers: HashMap<Arc<str>, usize>,
    keys: Vec<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    name: Arc<str>,
    /// The sink's column; `None`: nobody wants it.
    column: Option<usize>,
    /// The last row that had the key: a second one in the same row is dropped.
    row: u64,
}

/// Where a reading of lines stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    /// Lines before, blank ones too.
    pub(super) line: u64,
    /// Bytes before.
    pub(super) offset: u64,
    /// Rows before.
    pub(super) row: u64,
}

impl Lines {
    pub(super) fn new(options: &Options) -> Self {
        Self { wanted: options.columns.clone(), numbers: HashMap::new(), keys: Vec::new() }
    }

    /// Reads a whole file. A last line without an end that is no JSON is left out with a remark.
    pub(super) fn read_all(
        &mut self,
        path: &Path,
        bytes: &[u8],
        options: &Options,
        sink: &mut impl Sink,
    ) -> Result<(), SampleError> {
        let first = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        // The shortest cell is `"":1,`: five bytes.
        let cells = bytes.get(..first).unwrap_or_default().iter().filter(|&&byte| byte == b':').count();
        let rows = (bytes.len() / first.max(1)).min(bytes.len() / (5 * cells.max(1)));
        sink.expect(usize::try_from(options.max_rows).unwrap_or(usize::MAX).min(rows + rows / 16 + 1));
        let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let (whole, rest) = bytes.split_at(end);
        let mut at = At::default();
        self.rows(path, whole, &mut at, options.max_rows, sink)?;
        if at.row < options.max_rows || rest.trim_ascii().is_empty() {
            if let Err(error) = self.rows(path, rest, &mut at, options.max_rows, sink) {
                // Alone in the file it is rather another format than a cut line.
                if at.row == 0 {
                    return Err(error);
                }
                sink.remark(format!("the last line ({}) is left out: it is cut", at.line));
            }
        } else {
            sink.remark(format!("only the first {} rows are read", options.max_rows));
        }
        Ok(())
    }

    /// Reads lines. On an error `at` stands behind the line that cannot be read.
    pub(super) fn rows(
        &mut self,
        path: &Path,
        bytes: &[u8],
        at: &mut At,
        max_rows: u64,
        sink: &mut impl Sink,
    ) -> Result<(), SampleError> {
        for raw in bytes.split_inclusive(|&byte| byte == b'\n') {
            let offset = at.offset;
            at.line += 1;
            at.offset += raw.len() as u64;
            let line = raw.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if at.row == max_rows {
                sink.remark(format!("only the first {max_rows} rows are read"));
                return Ok(());
            }
            let text = String::from_utf8_lossy(line);
            let cells = self.parse(&text).map_err(|error| SampleError::Line {
                path: path.into(),
                line: at.line,
                offset,
                what: crate::domain::text::clean(&error.to_string(), 200),
                remedy: remedy(line),
            })?;
            at.row += 1;
            self.put(cells, at.row, sink);
        }
        Ok(())
    }

    /// Parses first and puts afterwards: a line that is broken in its middle leaves nothing behind.
    fn parse<'de>(&self, text: &'de str) -> Result<Vec<(Name<'de>, Value<'de>)>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let cells = deserializer.deserialize_map(Row(self))?;
        deserializer.end()?;
        Ok(cells)
    }

    fn put(&mut self, cells: Vec<(Name<'_>, Value<'_>)>, row: u64, sink: &mut impl Sink) {
        for (name, value) in cells {
            let number = match name {
                Name::Known(number) => Some(number),
                // A new key may come twice in its first row.
                Name::New(name) => self.numbers.get(&*name).copied().or_else(|| self.add(&name, sink)),
            };
            let Some(key) = number.and_then(|number| self.keys.get_mut(number)) else { continue };
            if key.row == row {
                continue;
            }
            key.row = row;
            if let Some(column) = key.column {
                sink.push(column, value.cell());
            }
        }
        sink.row(false);
    }

    fn add(&mut self, name: &str, sink: &mut impl Sink) -> Option<usize> {
        if self.keys.len() >= MAX_COLUMNS {
            sink.remark(format!("only the first {MAX_COLUMNS} columns are read"));
            return None;
        }
        let wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|want| want == name));
        let name: Arc<str> = name.into();
        let column = wanted.then(|| sink.column(name.clone()));
        self.numbers.insert(name.clone(), self.keys.len());
        self.keys.push(Key { name, column, row: 0 });
        Some(self.keys.len() - 1)
    }
}

fn remedy(line: &[u8]) -> &'static str {
    if line.starts_with(b"[") {
        "write one object a line (jq -c '.[]')"
    } else if line == b"{" {
        "write each object on one line (jq -c .)"
    } else if line.windows(3).any(|part| part == b"NaN") || line.windows(8).any(|part| part == b"Infinity") {
        "JSON has no NaN and no Infinity: write null"
    } else {
        "write one JSON object a line, or remove this one"
    }
}

enum Name<'de> {
    Known(usize),
    New(Cow<'de, str>),
}

enum Value<'de> {
    Null,
    Number(f64),
    Text(Cow<'de, str>),
    Nested,
}

impl Value<'_> {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Missing,
            Self::Number(number) => Cell::Number(*number),
            Self::Text(text) => Cell::Text(text),
            Self::Nested => Cell::Nested,
        }
    }
}

struct Row<'a>(&'a Lines);

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Vec<(Name<'de>, Value<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells = Vec::with_capacity(self.0.keys.len());
        let mut expected = 0;
        while let Some(name) = map.next_key_seed(NameSeed { lines: self.0, expected })? {
            expected = if let Name::Known(number) = name { number + 1 } else { 0 };
            cells.push((name, map.next_value_seed(ValueSeed)?));
        }
        Ok(cells)
    }
}

/// Finds a key. Mostly rows have the same keys in the same order: the next one is tried first.
struct NameSeed<'a> {
    lines: &'a Lines,
    expected: usize,
}

impl NameSeed<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        if self.lines.keys.get(self.expected).is_some_and(|key| *key.name == *name) {
            return Some(self.expected);
        }
        self.lines.numbers.get(name).copied()
    }
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Name<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed<'_> {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(self.find(name).map_or(Name::New(Cow::Borrowed(name)), Name::Known))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.find(name).map_or_else(|| Name::New(Cow::Owned(name.to_owned())), Name::Known))
    }
}

struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }
}
