//! What the values of a Parquet column mean: their physical type and how it is to be read.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::schema::types::ColumnDescriptor;

use super::cell::Cell;

/// How a column's values are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// As they are: numbers, or text.
    Plain,
    /// Integers without a sign.
    Unsigned,
    /// Numbers, or bytes of a signed integer (most significant first), divided by this: decimals, and
    /// timestamps by their parts of a second.
    Divided(f64),
    /// Two bytes of a float.
    Half,
    /// Bytes that are no text: shown in hexadecimal digits.
    Hex,
}

impl Meaning {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let parts = |unit: &TimeUnit| {
            Self::Divided(match unit {
                TimeUnit::MILLIS => 1e3,
                TimeUnit::MICROS => 1e6,
                TimeUnit::NANOS => 1e9,
            })
        };
        match column.logical_type_ref() {
            Some(LogicalType::Decimal(decimal)) => return Self::Divided(10_f64.powi(decimal.scale)),
            Some(LogicalType::Timestamp(time)) => return parts(&time.unit),
            Some(LogicalType::Time(time)) => return parts(&time.unit),
            Some(LogicalType::Integer(int)) if !int.is_signed => return Self::Unsigned,
            Some(LogicalType::Float16) => return Self::Half,
            Some(LogicalType::Uuid) => return Self::Hex,
            _ => {}
        }
        match column.converted_type() {
            ConvertedType::DECIMAL => Self::Divided(10_f64.powi(column.type_scale())),
            ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIME_MILLIS => Self::Divided(1e3),
            ConvertedType::TIMESTAMP_MICROS | ConvertedType::TIME_MICROS => Self::Divided(1e6),
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Self::Unsigned,
            ConvertedType::INTERVAL => Self::Hex,
            _ => Self::Plain,
        }
    }
}

/// A value of a physical type.
pub(super) trait Decode {
    /// Hands the value over as a cell.
    fn decode<R>(&self, meaning: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R;
}

impl Decode for bool {
    fn decode<R>(&self, _: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        then(Cell::Text(if *self { "true" } else { "false" }))
    }
}

impl Decode for i32 {
    fn decode<R>(&self, meaning: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        then(Cell::Number(match meaning {
            Meaning::Unsigned => f64::from(*self as u32),
            Meaning::Divided(by) => f64::from(*self) / by,
            _ => f64::from(*self),
        }))
    }
}

impl Decode for i64 {
    fn decode<R>(&self, meaning: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        then(Cell::Number(match meaning {
            Meaning::Unsigned => *self as u64 as f64,
            Meaning::Divided(by) => *self as f64 / by,
            _ => *self as f64,
        }))
    }
}

impl Decode for Int96 {
    /// The old timestamp: a Julian day and nanoseconds.
    fn decode<R>(&self, _: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        let &[low, high, day] = self.data() else { return then(Cell::Missing) };
        let nanos = (u64::from(high) << 32 | u64::from(low)) as i64;
        let days = f64::from(day as i32) - 2_440_588.0;
        then(Cell::Number(days * 86_400.0 + nanos as f64 / 1e9))
    }
}

impl Decode for f32 {
    fn decode<R>(&self, _: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        then(Cell::Number(f64::from(*self)))
    }
}

impl Decode for f64 {
    fn decode<R>(&self, _: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        then(Cell::Number(*self))
    }
}

impl Decode for ByteArray {
    fn decode<R>(&self, meaning: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        bytes(self.data(), meaning, then)
    }
}

impl Decode for FixedLenByteArray {
    fn decode<R>(&self, meaning: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
        bytes(self.data(), meaning, then)
    }
}

fn bytes<R>(raw: &[u8], meaning: Meaning, then: impl FnOnce(Cell<'_>) -> R) -> R {
    match (meaning, raw) {
        (Meaning::Divided(by), _) => then(Cell::Number(big_endian(raw) / by)),
        (Meaning::Half, &[low, high]) => then(Cell::Number(half(u16::from_le_bytes([low, high])))),
        (Meaning::Hex, _) => {
            then(Cell::Text(&raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        }
        _ => match std::str::from_utf8(raw) {
            Ok(text) => then(Cell::Text(text)),
            Err(_) => then(Cell::Text(&String::from_utf8_lossy(raw))),
        },
    }
}

/// A signed integer of any length, as near as an `f64` comes.
fn big_endian(raw: &[u8]) -> f64 {
    let negative = raw.first().is_some_and(|byte| byte & 0x80 != 0);
    // Of a negative number the complement is summed: its digits are not lost in a large offset.
    let flip = if negative { 0xff } else { 0 };
    let size = raw.iter().fold(0.0, |sum, byte| sum * 256.0 + f64::from(byte ^ flip));
    if negative { -size - 1.0 } else { size }
}

fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3ff);
    match i32::from(bits >> 10 & 0x1f) {
        0 => sign * fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_bytes() {
        for number in [0_i64, 1, -1, 127, -128, 128, 1 << 40, -(1 << 40)] {
            assert_eq!(big_endian(&number.to_be_bytes()), number as f64);
        }
        assert_eq!(big_endian(&[0xff; 16]), -1.0);
        assert_eq!(big_endian(&[]), 0.0);
    }

    #[test]
    fn floats_of_two_bytes() {
        for (bits, number) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.33325195), (1, 5.960464477539063e-8)]
        {
            assert!((half(bits) - number).abs() < 1e-8, "{bits:x}");
        }
        assert_eq!(half(0xfc00), f64::NEG_INFINITY);
        assert!(half(0x7e00).is_nan());
    }
}
