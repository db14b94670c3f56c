//! One golden case: its input, what it expects, and how near is near enough.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub stat: String,
    pub input: Value,
    pub expect: Map<String, Value>,
    #[serde(default)]
    pub tol: Value,
    #[serde(default)]
    pub optional: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tolerance {
    abs: f64,
    rel: f64,
    optional: bool,
}

/// One value that differs.
pub struct Judged {
    text: String,
    optional: bool,
}

impl Judged {
    pub fn is_fatal(&self) -> bool {
        !self.optional
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.optional { "optional " } else { "" };
        write!(f, "{word}{}", self.text)
    }
}

/// A number as the files write it: the non-finite ones are words.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// A number as the files write it.
pub fn json(value: f64) -> Value {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        value.into()
    }
}

pub fn list(values: impl IntoIterator<Item = f64>) -> Value {
    Value::Array(values.into_iter().map(json).collect())
}

/// Numbers of an input: an array, or made by the generator that the README of the files describes.
pub fn numbers(input: &Value) -> Vec<f64> {
    if let Some(values) = input.as_array() {
        return values.iter().map(|value| number(value).unwrap()).collect();
    }
    let of = |key: &str| input[key].as_f64().unwrap_or_else(|| panic!("generator without {key}: {input}"));
    let mut state = input["seed"].as_u64().unwrap();
    let mut uniform = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    };
    let kind = input["gen"].as_str().unwrap();
    (0..input["n"].as_u64().unwrap())
        .map(|_| match kind {
            "uniform" => of("a") + of("b") * uniform(),
            "irwin_hall" => {
                let sum = (0..12).fold(0.0, |sum, _| sum + uniform());
                of("a") + of("b") * (sum - 6.0)
            }
            "floor" => (of("k") * uniform()).floor(),
            other => panic!("unknown generator {other}"),
        })
        .collect()
}

impl Case {
    fn tolerance(&self, name: &str) -> Tolerance {
        let read = |value: &Value| Tolerance {
            abs: value["abs"].as_f64().unwrap_or(0.0),
            rel: value["rel"].as_f64().unwrap_or(0.0),
            optional: value["optional"].as_bool().unwrap_or(false),
        };
        let found = if let Some(own) = self.tol.get(name).filter(|own| own.is_object()) {
            read(own)
        } else if let Some(default) = self.tol.get("default") {
            read(default)
        } else {
            read(&self.tol)
        };
        Tolerance { optional: found.optional || self.optional, ..found }
    }

    /// What differs between the expected and the computed values.
    pub fn judge(&self, got: &Map<String, Value>) -> Vec<Judged> {
        let mut findings = Vec::new();
        for (name, want) in &self.expect {
            let tolerance = self.tolerance(name);
            let mine = got.get(name).unwrap_or(&Value::Null);
            if !matches(want, mine, tolerance) {
                let cut = |value: &Value| {
                    let text = value.to_string();
                    text.chars().take(120).collect::<String>()
                };
                let text = format!("mismatch {}: {name} got {} want {}", self.id, cut(mine), cut(want));
                findings.push(Judged { text, optional: tolerance.optional });
            }
        }
        findings
    }
}

fn matches(want: &Value, got: &Value, tolerance: Tolerance) -> bool {
    if let (Some(want), Some(got)) = (want.as_array(), got.as_array()) {
        return want.len() == got.len()
            && want.iter().zip(got).all(|(want, got)| matches(want, got, tolerance));
    }
    match (number(want), number(got)) {
        (Some(want), Some(got)) if want.is_finite() && got.is_finite() => {
            (got - want).abs() <= tolerance.abs + tolerance.rel * want.abs()
        }
        (Some(want), Some(got)) => want == got || want.is_nan() && got.is_nan(),
        _ => want == got,
    }
}
