//! Themes: TOML tables of roles and their colours. Five are built in, more can be files.

use std::path::Path;

use ratatui::style::{Color, Modifier};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::colour;
use super::look::Role;

const BUILT_IN: [(&str, &str); 5] = [
    ("default", include_str!("../../themes/default.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

const ATTRIBUTES: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// Why a theme cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// There is neither such a theme nor such a file.
    #[error(
        "there is no theme `{0}`: write default, light, colour-blind, high-contrast, mono, or the path of a theme file"
    )]
    NoTheme(String),
    /// The file cannot be read.
    #[error("theme {path}: {why}; check the path and its permissions")]
    NoFile {
        /// The path as written.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Something in the file is wrong.
    #[error("theme {file}, line {line}, {key}: {why}; {remedy}")]
    Wrong {
        /// The theme's name or path.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key: `roles.critical.fg`.
        key: String,
        /// What is wrong.
        why: String,
        /// What is allowed.
        remedy: String,
    },
}

/// The colours and attributes of a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paint {
    /// The colour of the text; the terminal's own when absent.
    pub fg: Option<Color>,
    /// The colour behind it; the terminal's own when absent.
    pub bg: Option<Color>,
    attributes: Modifier,
}

impl Paint {
    /// Bold, dim, italic, underline, reverse.
    pub fn attributes(&self) -> Modifier {
        self.attributes
    }
}

/// A theme as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name or path.
    pub name: String,
    paints: Vec<Paint>,
}

impl Theme {
    /// The themes that are built in.
    pub const NAMES: [&'static str; 5] = ["default", "light", "colour-blind", "high-contrast", "mono"];

    /// A built-in theme, or a theme file.
    ///
    /// # Errors
    /// See [`ThemeError`].
    pub fn load(name_or_path: &str) -> Result<Self, ThemeError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name, text);
        }
        let looks_like_path = name_or_path.contains(['/', '\\', '.']);
        if !looks_like_path && !Path::new(name_or_path).is_file() {
            return Err(ThemeError::NoTheme(name_or_path.to_owned()));
        }
        let text = std::fs::read_to_string(name_or_path)
            .map_err(|why| ThemeError::NoFile { path: name_or_path.to_owned(), why: why.to_string() })?;
        Self::parse(name_or_path, &text)
    }

    /// The default theme; tests hold that it can be read.
    pub fn fallback() -> Self {
        Self::parse(BUILT_IN[0].0, BUILT_IN[0].1).unwrap_or_else(|_| Self::blank())
    }

    /// The theme without colours.
    pub fn mono() -> Self {
        Self::parse(BUILT_IN[4].0, BUILT_IN[4].1).unwrap_or_else(|_| Self::blank())
    }

    fn blank() -> Self {
        Self { name: "blank".into(), paints: vec![Paint::default(); Role::ALL.len()] }
    }

    /// A role's paint.
    pub fn paint(&self, role: Role) -> &Paint {
        const BARE: &Paint = &Paint { fg: None, bg: None, attributes: Modifier::empty() };
        self.paints.get(role as usize).unwrap_or(BARE)
    }

    /// Reads a theme. Roles that it does not name are as in the default theme.
    ///
    /// # Errors
    /// The first thing that is wrong: [`ThemeError::Wrong`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ThemeError> {
        let reader = Reader { name, text };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            reader.wrong(
                at,
                "syntax",
                error.message(),
                "write TOML: [roles] and lines such as critical = { fg = \"red\" }",
            )
        })?;
        let mut theme = if name == BUILT_IN[0].0 { Self::blank() } else { Self::fallback() };
        theme.name = name.to_owned();
        for (key, value) in table.get_ref() {
            if key.get_ref() != "roles" {
                return Err(reader.wrong(
                    key.span().start,
                    key.get_ref(),
                    "is not a key of themes",
                    "only [roles] is",
                ));
            }
            for (key, value) in reader.table("roles", value)? {
                let Some(role) = Role::from_name(key.get_ref()) else {
                    let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
                    let place = format!("roles.{}", key.get_ref());
                    let remedy = format!("the roles are {}", names.join(", "));
                    return Err(reader.wrong(key.span().start, &place, "there is no such role", &remedy));
                };
                theme.paints[role as usize] = reader.paint(role, value)?;
            }
        }
        Ok(theme)
    }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn wrong(&self, at: usize, key: &str, why: &str, remedy: &str) -> ThemeError {
        let line = 1 + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count();
        let (file, key) = (self.name.to_owned(), key.to_owned());
        let why = why.lines().collect::<Vec<_>>().join(" ");
        ThemeError::Wrong { file, line, key, why, remedy: remedy.to_owned() }
    }

    fn table<'v, 'i>(
        &self,
        key: &str,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Result<&'v DeTable<'i>, ThemeError> {
        value.get_ref().as_table().ok_or_else(|| {
            self.wrong(value.span().start, key, "is not a table", "write { fg = \"red\", bold = true }")
        })
    }

    fn paint(&self, role: Role, value: &Spanned<DeValue<'_>>) -> Result<Paint, ThemeError> {
        let place = format!("roles.{}", role.name());
        let mut paint = Paint::default();
        for (key, value) in self.table(&place, value)? {
            let at = value.span().start;
            let place = format!("{place}.{}", key.get_ref());
            let name: &str = key.get_ref();
            match (name, value.get_ref()) {
                ("fg", colour) => paint.fg = Some(self.colour(&place, at, colour)?),
                ("bg", colour) => paint.bg = Some(self.colour(&place, at, colour)?),
                (name, value) => {
                    let Some((_, attribute)) = ATTRIBUTES.iter().find(|(other, _)| *other == name) else {
                        let remedy = "write fg, bg, bold, dim, italic, underline or reverse";
                        return Err(self.wrong(key.span().start, &place, "is not known", remedy));
                    };
                    let Some(on) = value.as_bool() else {
                        return Err(self.wrong(
                            at,
                            &place,
                            "is neither true nor false",
                            "write true or false",
                        ));
                    };
                    paint.attributes.set(*attribute, on);
                }
            }
        }
        Ok(paint)
    }

    fn colour(&self, place: &str, at: usize, value: &DeValue<'_>) -> Result<Color, ThemeError> {
        let written = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => {
                return Err(self.wrong(
                    at,
                    place,
                    "is not a colour",
                    &format!("write {}", colour::allowed()),
                ));
            }
        };
        colour::parse(&written).ok_or_else(|| {
            self.wrong(
                at,
                place,
                &format!("`{written}` is not a colour"),
                &format!("write {}", colour::allowed()),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_themes_are_whole() {
        for (name, text) in BUILT_IN {
            Theme::parse(name, text).unwrap();
            for role in Role::ALL {
                assert!(text.contains(&format!("\n{} = ", role.name())), "{name} lacks {}", role.name());
            }
        }
        assert_eq!(BUILT_IN.map(|(name, _)| name), Theme::NAMES);
    }

    #[test]
    fn errors_name_line_key_and_remedy() {
        for (text, line, key, part) in [
            ("[roles]\ncritical = { fg = \"ruby\" }", 2, "roles.critical.fg", "light-red"),
            ("[roles]\n\ncritcal = { fg = \"red\" }", 3, "roles.critcal", "critical"),
            ("[roles]\nok = { bold = 1 }", 2, "roles.ok.bold", "true or false"),
            ("[roles]\nok = { blink = true }", 2, "roles.ok.blink", "underline"),
            ("[roles]\nok = \"red\"", 2, "roles.ok", "bold = true"),
            ("[colours]\n", 1, "colours", "[roles]"),
            ("[roles]\nok = { fg = 256 }", 2, "roles.ok.fg", "255"),
            ("[roles]\nok = { fg = ", 2, "syntax", "TOML"),
        ] {
            let error = Theme::parse("mine.toml", text).unwrap_err();
            let words = error.to_string();
            let ThemeError::Wrong { line: l, key: k, .. } = error else { panic!("{words}") };
            assert_eq!((l, k.as_str()), (line, key), "{words}");
            assert!(words.contains(part) && words.contains("mine.toml"), "{words}");
        }
        assert!(Theme::load("sunset").unwrap_err().to_string().contains("colour-blind"));
        assert!(matches!(Theme::load("/nowhere/x.toml"), Err(ThemeError::NoFile { .. })));
    }

    #[test]
    fn a_theme_file_changes_only_what_it_names() {
        let theme = Theme::parse("mine.toml", "[roles]\ncritical = { fg = 208, bold = true }").unwrap();
        assert_eq!(theme.paint(Role::Critical).fg, Some(Color::Indexed(208)));
        assert_eq!(theme.paint(Role::Warning), Theme::fallback().paint(Role::Warning));
    }
}
