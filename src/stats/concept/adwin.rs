//! Adaptive windowing. Source: Bifet & Gavaldà 2007, with river's conventions.

use std::collections::VecDeque;

/// Buckets of one size before two of them are joined.
const MOST: usize = 5;
/// Observations between two looks.
const CLOCK: u64 = 32;
/// Observations before the first look.
const GRACE: f64 = 10.0;
/// The least length of either part.
const SHORTEST: f64 = 5.0;

/// A bucket of 2^i observations: their sum and the sum of their squared deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    total: f64,
    squares: f64,
}

/// The detector: a window that is cut wherever its older part differs from its newer one.
#[derive(Debug, Clone, PartialEq)]
pub struct Adwin {
    delta: f64,
    ticks: u64,
    width: f64,
    total: f64,
    squares: f64,
    /// Rows of buckets: row i holds those of 2^i observations, the newest first.
    rows: Vec<VecDeque<Bucket>>,
}

impl Adwin {
    /// A detector with confidence `delta`; 0.002 is usual.
    pub fn new(delta: f64) -> Self {
        Self { delta, ticks: 0, width: 0.0, total: 0.0, squares: 0.0, rows: vec![VecDeque::new()] }
    }

    /// Takes one value; `true` when the window was cut.
    pub fn update(&mut self, value: f64) -> bool {
        self.insert(value);
        self.ticks += 1;
        self.ticks.is_multiple_of(CLOCK) && self.width > GRACE && self.cut()
    }

    fn insert(&mut self, value: f64) {
        if self.width > 0.0 {
            let off = value - self.total / self.width;
            self.squares += self.width * off * off / (self.width + 1.0);
        }
        self.width += 1.0;
        self.total += value;
        self.rows[0].push_front(Bucket { total: value, squares: 0.0 });
        let mut row = 0;
        while self.rows[row].len() > MOST {
            let (Some(older), Some(newer)) = (self.rows[row].pop_back(), self.rows[row].pop_back()) else {
                break;
            };
            let size = (row as f64).exp2();
            let off = (older.total - newer.total) / size;
            let joined = Bucket {
                total: older.total + newer.total,
                squares: older.squares + newer.squares + size * size * off * off / (size + size),
            };
            row += 1;
            if row == self.rows.len() {
                self.rows.push(VecDeque::new());
            }
            self.rows[row].push_front(joined);
        }
    }

    fn cut(&mut self) -> bool {
        let mut found = false;
        while self.cut_once() {
            found = true;
        }
        found
    }

    /// Looks at every border between buckets, the oldest first, and drops the oldest bucket at the first
    /// that parts the window.
    fn cut_once(&mut self) -> bool {
        let mut old = (0.0, 0.0);
        for row in (0..self.rows.len()).rev() {
            for bucket in self.rows[row].iter().rev() {
                let size = (row as f64).exp2();
                old = (old.0 + size, old.1 + bucket.total);
                let new = (self.width - old.0, self.total - old.1);
                if new.0 < SHORTEST {
                    return false;
                }
                if old.0 >= SHORTEST && self.parts(old, new) {
                    self.drop_oldest();
                    return true;
                }
            }
        }
        false
    }

    fn parts(&self, old: (f64, f64), new: (f64, f64)) -> bool {
        let apart = (old.1 / old.0 - new.1 / new.0).abs();
        let log = (2.0 * self.width.ln() / self.delta).ln();
        let harmonic = 1.0 / (old.0 - SHORTEST + 1.0) + 1.0 / (new.0 - SHORTEST + 1.0);
        let variance = self.squares / self.width;
        apart > (2.0 * harmonic * variance * log).sqrt() + 2.0 / 3.0 * log * harmonic
    }

    fn drop_oldest(&mut self) {
        while self.rows.len() > 1 && self.rows.last().is_some_and(VecDeque::is_empty) {
            self.rows.pop();
        }
        let size = ((self.rows.len() - 1) as f64).exp2();
        let Some(bucket) = self.rows.last_mut().and_then(VecDeque::pop_back) else { return };
        self.width -= size;
        self.total -= bucket.total;
        let off = bucket.total / size - self.total / self.width.max(1.0);
        self.squares -= bucket.squares + size * self.width * off * off / (size + self.width);
        self.squares = self.squares.max(0.0);
    }
}
