//! Numbers in words: odds, shares, latencies, counts, durations.

/// An e-value as odds: `86:1`, `1.3:1`, `>999:1`, `<1:1`.
pub fn odds(log_e: f64) -> String {
    match log_e.exp() {
        e if e.is_nan() => "--".into(),
        e if e >= 999.5 => ">999:1".into(),
        e if e >= 9.95 => format!("{e:.0}:1"),
        e if e >= 1.0 => format!("{e:.1}:1"),
        _ => "<1:1".into(),
    }
}

/// A share in percent with the digits it needs: `0.5%`, `12.3%`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        p if p.is_nan() => "--".into(),
        p if p >= 0.095 || p == 0.0 => format!("{percent:.1}%"),
        p if p >= 0.009 => format!("{percent:.2}%"),
        _ => format!("{percent:.4}%"),
    }
}

/// A latency: `612ms`, `1.25s`.
pub fn latency(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0}ms", 1e3 * seconds) } else { format!("{seconds:.2}s") }
}

pub(super) fn times(ratio: f64) -> String {
    if ratio >= 9.95 { format!("{ratio:.0}x") } else { format!("{ratio:.1}x") }
}

pub(super) fn counted(count: u64) -> String {
    let digits = count.to_string();
    let head = digits.len() % 3;
    let mut words = digits[..head].to_owned();
    for (place, digit) in digits[head..].chars().enumerate() {
        if place % 3 == 0 && !words.is_empty() {
            words.push(',');
        }
        words.push(digit);
    }
    words
}

pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}
