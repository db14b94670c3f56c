//! The geometry of a chart over time: its window, its ticks, its lines of dots, its gaps.

use ratatui::style::Style;

use crate::store::Series;

/// Lengths of the window, seconds.
const WINDOWS: [i64; 4] = [120, 300, 900, 3_600];
/// Missing for so many times the usual spacing of points, and it is a gap.
const GAP: i64 = 3;

/// The shortest window that covers everything since `first_s`.
pub fn window_s(first_s: Option<i64>, now_s: i64) -> i64 {
    let age = first_s.map_or(0, |first| now_s - first);
    WINDOWS.into_iter().find(|&length| age <= length).unwrap_or(WINDOWS[WINDOWS.len() - 1])
}

/// A window of time cut into cells. Its edges lie on whole cells, so that the picture stands still until
/// a new cell begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its begin, seconds.
    pub from: i64,
    /// Its end, seconds; now lies in its last cell.
    pub to: i64,
    /// Cells.
    pub cells: usize,
}

impl Window {
    /// A window of at least `length_s` up to now in so many cells.
    pub fn ending(now_s: i64, length_s: i64, cells: usize) -> Self {
        let count = i64::try_from(cells.max(1)).unwrap_or(1);
        let step = ((length_s + count - 1) / count).max(1);
        let to = (now_s.div_euclid(step) + 1) * step;
        Self { from: to - step * count, to, cells: cells.max(1) }
    }

    /// The cell of a moment.
    pub fn cell(&self, at_s: i64) -> Option<usize> {
        self.place(at_s, self.cells)
    }

    /// The place of a moment when the window is cut into `parts`.
    fn place(&self, at_s: i64, parts: usize) -> Option<usize> {
        if at_s < self.from || at_s >= self.to {
            return None;
        }
        let part = (at_s - self.from) as f64 / (self.to - self.from).max(1) as f64;
        Some(((part * parts as f64) as usize).min(parts.saturating_sub(1)))
    }
}

/// The points of one column of dots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// The highest: a chart of latency must not hide a peak.
    pub value: f64,
    /// The moment of its first point.
    pub first_s: i64,
    /// The moment of its last point.
    pub last_s: i64,
}

/// A line: a column for each column of dots, and what is a gap in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Two for each cell.
    pub columns: Vec<Option<Column>>,
    /// Further apart than this, two points are not joined, seconds.
    pub gap_s: i64,
}

impl Trace {
    /// The points of a series that lie in a window.
    pub fn of(series: &Series, window: Window) -> Self {
        let parts = window.cells * 2;
        let mut columns: Vec<Option<Column>> = vec![None; parts];
        let mut spacings = Vec::new();
        let mut before: Option<i64> = None;
        for (at, value) in series.points() {
            let Some(column) = window.place(at, parts).and_then(|place| columns.get_mut(place)) else {
                continue;
            };
            spacings.extend(before.map(|before| at - before));
            before = Some(at);
            let old = column.get_or_insert(Column { value, first_s: at, last_s: at });
            old.value = old.value.max(value);
            old.last_s = at;
        }
        spacings.sort_unstable();
        let usual = spacings.get(spacings.len() / 2).copied().unwrap_or(0);
        Self { columns, gap_s: usual.max(1) * GAP }
    }

    /// The highest value.
    pub fn highest(&self) -> Option<f64> {
        self.columns.iter().flatten().map(|column| column.value).reduce(f64::max)
    }

    /// The dots of the line, `(column, row from the top)`, on `dots` rows that reach up to `top`.
    pub fn dots(&self, top: f64, dots: usize) -> Vec<(usize, usize)> {
        let mut drawn = Vec::new();
        let mut before: Option<(usize, Column)> = None;
        for (x, column) in self.columns.iter().enumerate() {
            let Some(column) = column else { continue };
            let y = row(column.value, top, dots);
            drawn.push((x, y));
            if let Some((old_x, old)) = before
                && column.first_s - old.last_s <= self.gap_s
            {
                let (old_y, width) = (row(old.value, top, dots), (x - old_x) as f64);
                let at = |step: usize| {
                    let part = step as f64 / width;
                    (old_y as f64 + part * (y as f64 - old_y as f64)).round() as usize
                };
                for step in 1..=x - old_x {
                    let (a, b) = (at(step - 1), at(step));
                    let strokes = if a < b { a + 1..b + 1 } else { b..a.max(b + 1) };
                    drawn.extend(strokes.map(|y| (old_x + step, y)));
                }
            }
            before = Some((x, *column));
        }
        drawn
    }
}

/// The row from the top, of `rows`, in which a value lies.
pub fn row(value: f64, top: f64, rows: usize) -> usize {
    let last = rows.saturating_sub(1);
    let part = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
    // NaN is at the bottom.
    last - ((part * last as f64).round() as usize).min(last)
}

/// Round numbers from 0 until `highest` is covered, about `wanted` of them.
pub fn ticks(highest: f64, wanted: usize) -> Vec<f64> {
    let highest = if highest.is_finite() && highest > 0.0 { highest.min(1e15) } else { 1.0 };
    let raw = highest / wanted.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(10.0 * power);
    let count = (highest / step - 1e-9).ceil().max(1.0) as usize;
    (0..=count).map(|n| n as f64 * step).collect()
}

/// How a tick is written beside the others.
pub fn tick_text(value: f64, step: f64) -> String {
    let decimals = if step >= 1.0 && step.fract() == 0.0 {
        0
    } else {
        (1.0 - step.log10().floor()).clamp(1.0, 6.0) as usize
    };
    format!("{value:.decimals$}")
}

/// Gives each wish the nearest free row within `reach`, the first wishes first.
pub fn settle(wishes: &[usize], rows: usize, reach: usize) -> Vec<Option<usize>> {
    let mut taken = vec![false; rows];
    wishes
        .iter()
        .map(|&wish| {
            let near = (0..=reach).flat_map(|by| [wish.checked_add(by), wish.checked_sub(by)]).flatten();
            let place = near.into_iter().find(|&place| taken.get(place) == Some(&false))?;
            taken[place] = true;
            Some(place)
        })
        .collect()
}

/// Cells of dots: braille with 2×4 dots a cell, or one character a cell where there is no braille.
pub struct Grid {
    cells: usize,
    bits: Vec<(u8, Option<(char, Style)>)>,
    braille: bool,
}

impl Grid {
    /// An empty grid.
    pub fn new(cells: usize, rows: usize, braille: bool) -> Self {
        Self { cells, bits: vec![(0, None); cells * rows], braille }
    }

    /// Rows of dots in so many rows of cells.
    pub fn dot_rows(&self) -> usize {
        self.bits.len() / self.cells.max(1) * 4
    }

    /// Puts dots in; `mark` stands for them without braille. The last to touch a cell gives its style.
    pub fn plot(&mut self, dots: &[(usize, usize)], mark: char, style: Style) {
        const BITS: [[u8; 4]; 2] = [[1, 2, 4, 64], [8, 16, 32, 128]];
        for &(x, y) in dots {
            if x / 2 >= self.cells {
                continue;
            }
            if let Some(cell) = self.bits.get_mut(y / 4 * self.cells + x / 2) {
                cell.0 |= BITS[x % 2][y % 4];
                cell.1 = Some((mark, style));
            }
        }
    }

    /// The filled cells: column, row, character, style.
    pub fn filled(&self) -> impl Iterator<Item = (usize, usize, char, Style)> + '_ {
        self.bits.iter().enumerate().filter_map(|(place, (bits, top))| {
            let (mark, style) = (*top)?;
            let dots = char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(mark);
            let c = if self.braille { dots } else { mark };
            Some((place % self.cells, place / self.cells, c, style))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Time;

    fn series(points: &[(i64, f64)]) -> Series {
        let mut series = Series::default();
        for &(at, value) in points {
            series.push(Time::from_timestamp(at, 0).unwrap(), value, 1_000);
        }
        series
    }

    #[test]
    fn the_window_grows_with_the_data() {
        assert_eq!(
            [None, Some(990), Some(700), Some(699), Some(0)].map(|first| window_s(first, 1_000)),
            [120, 120, 300, 900, 3_600]
        );
        let window = Window::ending(1_000, 120, 50);
        assert_eq!(window, Window { from: 852, to: 1_002, cells: 50 });
        assert_eq!(Window::ending(1_001, 120, 50), window, "it stands still within a cell");
        assert_eq!((window.cell(1_001), window.cell(1_002), window.cell(851)), (Some(49), None, None));
    }

    #[test]
    fn ticks_are_round_and_cover() {
        assert_eq!(ticks(880.0, 4), [0.0, 250.0, 500.0, 750.0, 1_000.0]);
        assert_eq!(ticks(1.0, 2), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(f64::NAN, 0), [0.0, 1.0]);
        assert_eq!(
            (tick_text(250.0, 250.0), tick_text(2.5, 2.5), tick_text(0.5, 0.5)),
            ("250".into(), "2.5".into(), "0.50".into())
        );
    }

    #[test]
    fn a_line_is_not_drawn_across_a_gap() {
        let window = Window { from: 0, to: 40, cells: 10 };
        let near = series(&[(0, 0.0), (4, 100.0), (8, 100.0), (12, 100.0)]);
        let dots = Trace::of(&near, window).dots(100.0, 8);
        assert!((0..8).all(|y| dots.iter().any(|dot| dot.1 == y)), "a steep line has no holes: {dots:?}");
        let torn = series(&[(0, 100.0), (2, 100.0), (4, 100.0), (36, 100.0)]);
        let trace = Trace::of(&torn, window);
        assert_eq!(trace.gap_s, 6);
        let columns: Vec<usize> = trace.dots(100.0, 8).iter().map(|dot| dot.0).collect();
        assert!(columns.contains(&18) && !columns.iter().any(|x| (4..18).contains(x)), "{columns:?}");
    }

    #[test]
    fn rows_and_labels_have_their_places() {
        assert_eq!([0.0, 50.0, 100.0, 900.0, f64::NAN].map(|v| row(v, 100.0, 11)), [10, 5, 0, 0, 10]);
        assert_eq!(settle(&[2, 2, 2, 9], 4, 1), [Some(2), Some(3), Some(1), None]);
        let mut grid = Grid::new(2, 1, true);
        grid.plot(&[(0, 0), (1, 3), (9, 9)], '*', Style::new());
        assert_eq!(grid.filled().map(|cell| cell.2).collect::<String>(), "⢁");
        assert_eq!(grid.dot_rows(), 4);
    }

    proptest::proptest! {
        #[test]
        fn ticks_always_cover(highest in 1e-6f64..1e9, wanted in 1usize..12) {
            let ticks = ticks(highest, wanted);
            proptest::prop_assert!(ticks.last().is_some_and(|last| *last >= highest * 0.999_999));
            proptest::prop_assert!(ticks.len() <= wanted + 2);
        }

        #[test]
        fn dots_stay_in_the_grid(points in proptest::collection::vec((0i64..4_000, 0.0f64..2_000.0), 0..50)) {
            let window = Window::ending(3_900, 3_600, 20);
            for (x, y) in Trace::of(&series(&points), window).dots(1_000.0, 16) {
                proptest::prop_assert!(x < 40 && y < 16);
            }
        }
    }
}
