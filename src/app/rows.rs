//! Which models the fleet shows, in which order.

use super::state::{App, Sort};
use crate::domain::{Kpi, Level};
use crate::store::{ModelState, Store};

/// Indexes of the models that pass the filter, in order.
pub fn fleet_rows(app: &App, store: &Store) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..store.models.len())
        .filter(|&index| {
            let model = &store.models[index];
            app.filter.is_empty()
                || app.filter.passes(&[&model.id.name, model.level.word(), model.kind.word(), &model.why])
        })
        .collect();
    let descending = |kpi: Kpi| {
        let mut keyed: Vec<(f64, usize)> = rows
            .iter()
            .map(|&index| (store.models[index].value(kpi).unwrap_or(f64::NEG_INFINITY), index))
            .collect();
        keyed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        keyed.into_iter().map(|(_, index)| index).collect()
    };
    match app.sort {
        Sort::Worst => {
            rows.sort_by_key(|&index| (std::cmp::Reverse(concern(&store.models[index])), index));
            rows
        }
        Sort::Name => {
            rows.sort_by(|&a, &b| store.models[a].id.name.cmp(&store.models[b].id.name));
            rows
        }
        Sort::LatencyP95 => descending(Kpi::LatencyP95),
        Sort::ErrorRate => descending(Kpi::ErrorRate),
        Sort::Drift => descending(Kpi::DataDrift),
        Sort::Throughput => descending(Kpi::Throughput),
    }
}

/// Whatever is not abnormal keeps the order of the config.
fn concern(model: &ModelState) -> Level {
    if model.level >= Level::Unknown { model.level } else { Level::Ok }
}

/// The first row to show, so that the selected one is in view and the table moves as little as possible.
pub fn scroll(offset: usize, selected: Option<usize>, rows: usize, height: usize) -> usize {
    let last = rows.saturating_sub(height);
    let Some(selected) = selected else { return offset.min(last) };
    if height == 0 {
        return 0;
    }
    offset.clamp((selected + 1).saturating_sub(height), selected).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_stays_in_view() {
        for (offset, selected, rows, height, expected) in [
            (0, Some(0), 10, 3, 0),
            (0, Some(3), 10, 3, 1),
            (5, Some(3), 10, 3, 3),
            (9, Some(9), 10, 3, 7),
            (0, Some(5), 10, 0, 0),
            (9, None, 4, 3, 1),
        ] {
            assert_eq!(scroll(offset, selected, rows, height), expected, "{offset} {selected:?}");
        }
    }
}
