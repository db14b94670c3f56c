//! Requests and failed ones, counted from their rates.

use super::Traffic;

/// Two points further apart than this have a gap between them, seconds.
const GAP_S: i64 = 900;

/// Counts the requests of a model from its rate (requests a second) and its error rate (percent), points in order of
/// time in seconds since 1970. Each point counts until the next one; gaps count nothing. Failed ones are not known where
/// the error rate is not.
pub fn traffic(model: &str, rate: &[(i64, f64)], errors: &[(i64, f64)], from: &str) -> Traffic {
    let (mut requests, mut failed, mut is_known) = (0.0, 0.0, !errors.is_empty());
    for pair in rate.windows(2) {
        let [(at, value), (next, _)] = *pair else { continue };
        if next - at > GAP_S {
            continue;
        }
        let count = value * (next - at) as f64;
        requests += count;
        let end = errors.partition_point(|(seen, _)| *seen <= at);
        match errors[..end].last().filter(|(seen, _)| at - seen <= GAP_S) {
            Some((_, percent)) => failed += count * percent / 100.0,
            None => is_known = false,
        }
    }
    let is_measured = rate.len() > 1;
    Traffic {
        model: model.to_owned(),
        requests: is_measured.then_some(requests),
        errors: (is_measured && is_known).then_some(failed),
        from: from.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_from_rates_and_gaps_count_nothing() {
        let rate = [(0, 10.0), (60, 20.0), (120, 20.0), (9_000, 20.0), (9_060, 0.0)];
        let errors = [(0, 0.0), (60, 5.0), (9_000, 0.0)];
        let found = traffic("alz", &rate, &errors, "history");
        assert_eq!((found.requests, found.errors), (Some(600.0 + 1_200.0 + 1_200.0), Some(60.0)));
        assert_eq!(traffic("alz", &rate, &[], "").errors, None, "not measured is not none");
        assert_eq!(traffic("alz", &rate[..1], &errors, "").requests, None);
    }
}
