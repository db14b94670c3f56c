//! One cell, and how the text of a CSV cell is read.

/// One cell of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing is there.
    Missing,
    /// A number, maybe not finite.
    Number(f64),
    /// A category.
    Text(&'a str),
    /// An object or a list: its column is no feature.
    Nested,
}

/// A cell of a CSV file. Its text outlives only the buffer when it is no UTF-8.
pub(super) fn with_delimited<R>(raw: &[u8], then: impl FnOnce(Cell<'_>) -> R) -> R {
    let raw = raw.trim_ascii();
    let Some(first) = raw.first() else {
        return then(Cell::Missing);
    };
    match std::str::from_utf8(raw) {
        Ok(text) => then(delimited(*first, text)),
        Err(_) => then(Cell::Text(&String::from_utf8_lossy(raw))),
    }
}

fn delimited(first: u8, text: &str) -> Cell<'_> {
    // What a number, `inf`, `NaN` or a word for nothing can begin with: most categories are told here.
    if !matches!(first, b'0'..=b'9' | b'-' | b'+' | b'.' | b'i' | b'I' | b'n' | b'N') {
        return Cell::Text(text);
    }
    match text {
        "null" | "NULL" | "NA" | "None" => Cell::Missing,
        _ => text.parse().map_or(Cell::Text(text), Cell::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(raw: &[u8], cell: Cell<'_>) -> bool {
        with_delimited(raw, |found| found == cell)
    }

    #[test]
    fn texts_of_cells() {
        for missing in ["", "  ", "null", "NULL", "NA", "None", " NA "] {
            assert!(is(missing.as_bytes(), Cell::Missing), "{missing}");
        }
        for (text, number) in [("1", 1.0), (" -2.5e3 ", -2500.0), ("+.5", 0.5), ("1e999", f64::INFINITY)] {
            assert!(is(text.as_bytes(), Cell::Number(number)), "{text}");
        }
        for not_finite in ["NaN", "nan", "inf", "-inf", "Infinity", "+INF"] {
            assert!(with_delimited(
                not_finite.as_bytes(),
                |cell| matches!(cell, Cell::Number(n) if !n.is_finite())
            ));
        }
        for text in ["no", "Nancy", "1,5", "0x10", "1_000", "-", "infra", "none of it", "a"] {
            assert!(is(text.as_bytes(), Cell::Text(text)), "{text}");
        }
        assert!(is(b"\xff", Cell::Text("\u{fffd}")));
    }
}
