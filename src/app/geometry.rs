//! How the screen is divided at each size: shared by the view that draws and the keys that page.

/// The three shapes of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Fleet above, four panes below, timeline at the foot.
    Wide,
    /// Fleet above, one pane with tabs below.
    Narrow,
    /// One line a model.
    Lines,
}

/// Columns and rows from which the screen is wide.
const WIDE: (u16, u16) = (110, 32);
/// Columns and rows from which the screen is narrow; below it is lines.
const NARROW: (u16, u16) = (60, 15);

/// The division of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// The shape.
    pub shape: Shape,
    /// Lines of the header.
    pub header: u16,
    /// Lines of the fleet with its frame, heading and footer.
    pub fleet: u16,
    /// Models that the fleet shows at once.
    pub fleet_rows: usize,
    /// Screen row of the first model.
    pub first_row: u16,
    /// Lines of the timeline with its frame, 0 when it has no place of its own.
    pub timeline: u16,
}

impl Geometry {
    /// The division of a screen of so many columns and rows.
    pub fn of(columns: u16, rows: u16) -> Self {
        if columns >= WIDE.0 && rows >= WIDE.1 {
            let models = (rows / 6).clamp(4, 20);
            let timeline = if rows >= 44 { 6 } else { 4 };
            let (shape, header, fleet) = (Shape::Wide, 2, models + 4);
            return Self { shape, header, fleet, fleet_rows: models.into(), first_row: header + 2, timeline };
        }
        if columns >= NARROW.0 && rows >= NARROW.1 {
            let models = (rows / 4).clamp(3, 12);
            let (shape, header, fleet) = (Shape::Narrow, 1, models + 1);
            return Self {
                shape,
                header,
                fleet,
                fleet_rows: models.into(),
                first_row: header + 1,
                timeline: 0,
            };
        }
        let header = u16::from(rows > 2);
        let fleet = rows.saturating_sub(header);
        Self { shape: Shape::Lines, header, fleet, fleet_rows: fleet.into(), first_row: header, timeline: 0 }
    }

    /// The division with one more line under the header, where an open incident has its bar.
    pub fn with_bar(mut self, bar: bool) -> Self {
        if bar && self.shape != Shape::Lines {
            self.header += 1;
            self.first_row += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_their_shapes() {
        for (columns, rows, shape, models) in [
            (200, 50, Shape::Wide, 8),
            (160, 45, Shape::Wide, 7),
            (120, 36, Shape::Wide, 6),
            (80, 24, Shape::Narrow, 6),
            (59, 24, Shape::Lines, 23),
            (1, 1, Shape::Lines, 1),
            (0, 0, Shape::Lines, 0),
        ] {
            let geometry = Geometry::of(columns, rows);
            assert_eq!((geometry.shape, geometry.fleet_rows), (shape, models), "{columns}x{rows}");
            let geometry = geometry.with_bar(true);
            assert!(geometry.header + geometry.fleet + geometry.timeline <= rows);
        }
    }
}
