//! What the terminal can do, from its name and the locale. Nothing is asked of it.

use std::io::IsTerminal;

/// How many colours may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colours {
    /// The sixteen named ones.
    Ansi16,
    /// The 256 of the usual palette.
    Indexed256,
    /// Any.
    Rgb,
}

/// What the terminal can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// How many colours.
    pub colours: Colours,
    /// Whether characters beyond ASCII come out right.
    pub unicode: bool,
    /// `TERM`.
    pub term: String,
    /// Whether tmux or screen stands between.
    pub multiplexed: bool,
}

/// Why there is no terminal to draw on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; use `wardroom check` for an answer with an exit code, or `wardroom snapshot` for a picture of the screen"
)]
pub struct Refusal(String);

/// What this process's terminal can do.
///
/// # Errors
/// See [`detect`].
pub fn detect_here(variable: &dyn Fn(&str) -> Option<String>) -> Result<Capabilities, Refusal> {
    detect(variable, std::io::stdin().is_terminal(), std::io::stdout().is_terminal())
}

/// What a terminal of these environment variables can do. `TERM` names with `256` have 256 colours, any
/// only with `COLORTERM`, all others sixteen; a locale that is not UTF-8 means ASCII.
///
/// # Errors
/// Standard input or output is no terminal, or `TERM` is `dumb`.
pub fn detect(
    variable: &dyn Fn(&str) -> Option<String>,
    stdin_is_tty: bool,
    stdout_is_tty: bool,
) -> Result<Capabilities, Refusal> {
    if !stdout_is_tty {
        return Err(Refusal("standard output is not a terminal".into()));
    }
    if !stdin_is_tty {
        return Err(Refusal("standard input is not a terminal".into()));
    }
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let term = set("TERM").unwrap_or_default();
    if term == "dumb" {
        return Err(Refusal("the terminal is dumb (TERM=dumb)".into()));
    }
    let rgb = set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit");
    let colours = match () {
        () if term == "linux" => Colours::Ansi16,
        () if rgb => Colours::Rgb,
        () if term.contains("256") => Colours::Indexed256,
        () => Colours::Ansi16,
    };
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    let unicode = locale.contains("utf-8") || locale.contains("utf8");
    let multiplexed = set("TMUX").is_some() || term.starts_with("screen") || term.starts_with("tmux");
    Ok(Capabilities { colours, unicode, term, multiplexed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Capabilities, Refusal> {
        detect(
            &|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()),
            true,
            true,
        )
    }

    #[test]
    fn names_decide_the_colours() {
        for (term, colorterm, colours) in [
            ("xterm", "", Colours::Ansi16),
            ("xterm-256color", "", Colours::Indexed256),
            ("xterm-256color", "truecolor", Colours::Rgb),
            ("screen", "", Colours::Ansi16),
            ("linux", "truecolor", Colours::Ansi16),
            ("", "", Colours::Ansi16),
        ] {
            let found = with(&[("TERM", term), ("COLORTERM", colorterm)]).unwrap();
            assert_eq!(found.colours, colours, "{term} {colorterm}");
        }
    }

    #[test]
    fn the_locale_decides_the_characters() {
        assert!(with(&[("LANG", "en_US.UTF-8")]).unwrap().unicode);
        assert!(with(&[("LANG", "C"), ("LC_ALL", "C.utf8")]).unwrap().unicode);
        assert!(!with(&[("LANG", "C")]).unwrap().unicode);
        assert!(!with(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "POSIX")]).unwrap().unicode);
    }

    #[test]
    fn no_terminal_is_refused_with_advice() {
        for refusal in [with(&[("TERM", "dumb")]).unwrap_err(), detect(&|_| None, true, false).unwrap_err()] {
            assert!(refusal.to_string().contains("wardroom check"), "{refusal}");
            assert!(refusal.to_string().contains("wardroom snapshot"), "{refusal}");
        }
    }
}
