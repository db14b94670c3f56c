//! How the screen looks: a theme's styles made ready for the terminal's colours, and the glyphs.

use std::sync::Arc;

use ratatui::style::{Color, Modifier, Style};

use super::colour::reduce;
use super::glyphs::{ASCII, Glyphs, UNICODE};
use super::theme::{Paint, Theme, ThemeError};
use crate::domain::{DriftLevel, Level};

/// How many colours the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// None: bold, reverse, underline and dim only.
    Mono,
    /// The sixteen colours of the terminal's own palette.
    #[default]
    Ansi16,
    /// 256 colours.
    Indexed256,
    /// All colours.
    Rgb,
}

macro_rules! roles {
    ($($variant:ident $name:literal $words:literal;)*) => {
        /// What a text is, from which its colour follows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role { $(#[doc = $words] $variant,)* }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its key in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

roles! {
    Text "text" "Plain text.";
    Dim "dim" "What is well, and words of little weight.";
    Faint "faint" "Frames and grids.";
    Title "title" "The name in a frame.";
    Heading "heading" "Heads of columns.";
    Strong "strong" "Text that matters.";
    Environment "environment" "The environment's name.";
    Critical "critical" "Critical.";
    Warning "warning" "A warning.";
    BelowTarget "below-target" "Between target and warning.";
    Ok "ok" "Well.";
    Unknown "unknown" "Unknown or stale.";
    Canary "canary" "Canaries: versions, weights, bars.";
    Limit "limit" "Limits.";
    Link "link" "Places: addresses and references.";
    Mark "mark" "Moments in charts: a deploy, a weight.";
    Selected "selected" "The mark of the selected row.";
    Focused "focused" "The frame that keys go to.";
    Key "key" "A key in the key bar and the help.";
    Input "input" "Text that is being written.";
    LatencyP50 "latency-p50" "The line of p50.";
    LatencyP95 "latency-p95" "The line of p95.";
    LatencyP99 "latency-p99" "The line of p99.";
    Heat0 "heat-minimal" "Minimal drift.";
    Heat1 "heat-low" "Low drift.";
    Heat2 "heat-moderate" "Moderate drift.";
    Heat3 "heat-high" "High drift.";
    Heat4 "heat-critical" "Critical drift.";
    Badge "badge" "A word that must be seen.";
    Error "error" "Something does not work.";
}

impl Role {
    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// The role of a level.
    pub fn of(level: Level) -> Self {
        match level {
            Level::Critical => Self::Critical,
            Level::Warning => Self::Warning,
            Level::Unknown => Self::Unknown,
            Level::BelowTarget => Self::BelowTarget,
            Level::Ok => Self::Ok,
            Level::NotMeasured => Self::Dim,
        }
    }
}

/// A theme ready to draw with.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    name: String,
    styles: Arc<[Style]>,
    glyphs: Glyphs,
    depth: Depth,
}

impl Default for Look {
    /// The default theme in sixteen colours with Unicode glyphs.
    fn default() -> Self {
        Self::of(&Theme::fallback(), Depth::default(), false)
    }
}

impl Look {
    /// A theme by its name, or by the path of a theme file.
    ///
    /// # Errors
    /// See [`ThemeError`].
    pub fn load(name_or_path: &str, depth: Depth, ascii: bool) -> Result<Self, ThemeError> {
        Theme::load(name_or_path).map(|theme| Self::of(&theme, depth, ascii))
    }

    /// A theme made ready.
    pub fn of(theme: &Theme, depth: Depth, ascii: bool) -> Self {
        let mono = Theme::mono();
        let styles =
            Role::ALL.iter().map(|&role| style_of(theme.paint(role), mono.paint(role), depth)).collect();
        Self { name: theme.name.clone(), styles, glyphs: if ascii { ASCII } else { UNICODE }, depth }
    }

    /// The theme's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many colours it uses.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The glyphs.
    pub fn glyphs(&self) -> &Glyphs {
        &self.glyphs
    }

    /// A level's glyph and style.
    pub fn level(&self, level: Level) -> (&'static str, Style) {
        let g = &self.glyphs;
        let glyph = match level {
            Level::Critical => g.critical,
            Level::Warning => g.warning,
            Level::Unknown => g.stale,
            Level::BelowTarget | Level::Ok => g.ok,
            Level::NotMeasured => g.unknown,
        };
        (glyph, self.style(Role::of(level)))
    }

    /// The style of a heat cell; `None` is a score that says nothing about size.
    pub fn drift(&self, level: Option<DriftLevel>) -> Style {
        self.style(match level {
            None => Role::Dim,
            Some(DriftLevel::Minimal) => Role::Heat0,
            Some(DriftLevel::Low) => Role::Heat1,
            Some(DriftLevel::Moderate) => Role::Heat2,
            Some(DriftLevel::High) => Role::Heat3,
            Some(DriftLevel::Critical) => Role::Heat4,
        })
    }
}

/// A role's style at this depth. Without colours a paint keeps its attributes; one that was only a colour
/// takes those of the mono theme, so that nothing loses its meaning.
fn style_of(paint: &Paint, mono: &Paint, depth: Depth) -> Style {
    let paint = match depth {
        Depth::Mono if paint.attributes().is_empty() => mono,
        _ => paint,
    };
    let mut style = Style::new().add_modifier(paint.attributes());
    if depth != Depth::Mono {
        style.fg = paint.fg.map(|colour| reduce(colour, depth)).filter(|&colour| colour != Color::Reset);
        style.bg = paint.bg.map(|colour| reduce(colour, depth)).filter(|&colour| colour != Color::Reset);
        style.sub_modifier = Modifier::empty();
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_are_in_order() {
        for (index, &role) in Role::ALL.iter().enumerate() {
            assert_eq!(role as usize, index);
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }

    #[test]
    fn every_theme_without_colour_keeps_severity() {
        for name in Theme::NAMES {
            let look = Look::load(name, Depth::Mono, true).unwrap();
            for &role in Role::ALL {
                let style = look.style(role);
                assert_eq!((style.fg, style.bg), (None, None), "{name} {}", role.name());
            }
            for role in
                [Role::Critical, Role::Warning, Role::Unknown, Role::Selected, Role::Badge, Role::Focused]
            {
                assert_ne!(look.style(role), Style::new(), "{name} {}", role.name());
            }
            assert_ne!(look.style(Role::Critical), look.style(Role::Warning), "{name}");
        }
    }

    #[test]
    fn depth_bounds_the_colours() {
        for name in Theme::NAMES {
            for depth in [Depth::Ansi16, Depth::Indexed256] {
                let look = Look::load(name, depth, false).unwrap();
                for &role in Role::ALL {
                    for colour in [look.style(role).fg, look.style(role).bg].into_iter().flatten() {
                        assert!(!matches!(colour, Color::Rgb(..)), "{name} {}", role.name());
                        assert!(depth != Depth::Ansi16 || !matches!(colour, Color::Indexed(_)));
                    }
                }
            }
        }
    }
}
