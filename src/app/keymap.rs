//! Which key does what: defaults from the action table, changed by the config; conflicts are errors.

use std::collections::{BTreeMap, HashMap};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{ACTIONS, Action};

/// A key press, as the terminal tells it.
pub type Press = KeyEvent;

/// A key as it is written: `A`, `Ctrl-l`, `Enter`, `F5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
    /// Only of the arrows: elsewhere Shift is part of the character.
    shift: bool,
}

const NAMES: [(&str, KeyCode); 17] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("BackTab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Insert", KeyCode::Insert),
    ("Delete", KeyCode::Delete),
    ("Null", KeyCode::Null),
];

fn is_arrow(code: KeyCode) -> bool {
    matches!(code, KeyCode::Left | KeyCode::Right | KeyCode::Up | KeyCode::Down)
}

impl Chord {
    /// Reads a written key.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut rest, mut ctrl, mut alt, mut shift) = (text.trim(), false, false, false);
        loop {
            if let Some(tail) = rest.strip_prefix("Ctrl-") {
                (ctrl, rest) = (true, tail);
            } else if let Some(tail) = rest.strip_prefix("Alt-") {
                (alt, rest) = (true, tail);
            } else if let Some(tail) = rest.strip_prefix("Shift-") {
                (shift, rest) = (true, tail);
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(if ctrl { c.to_ascii_lowercase() } else { c }),
            (Some('F'), Some(_)) if rest[1..].parse::<u8>().is_ok() => KeyCode::F(rest[1..].parse().ok()?),
            _ => NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest))?.1,
        };
        (!shift || is_arrow(code)).then_some(Self { code, ctrl, alt, shift })
    }

    /// The key press that this chord is.
    pub fn press(self) -> KeyEvent {
        let mut modifiers = KeyModifiers::NONE;
        modifiers.set(KeyModifiers::CONTROL, self.ctrl);
        modifiers.set(KeyModifiers::ALT, self.alt);
        modifiers.set(KeyModifiers::SHIFT, self.shift);
        KeyEvent::new(self.code, modifiers)
    }

    /// The chord of a key press.
    pub fn of(key: &KeyEvent) -> Self {
        let shift = key.modifiers.contains(KeyModifiers::SHIFT) && is_arrow(key.code);
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let code = match key.code {
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Self { code, ctrl, alt: key.modifiers.contains(KeyModifiers::ALT), shift }
    }
}

impl std::fmt::Display for Chord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Why a key table of a config cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// There is no such action.
    #[error("keys.{0}: there is no action `{0}`; `wardroom config schema` lists them")]
    NoAction(String),
    /// The key cannot be read.
    #[error("keys.{action}: `{key}` is not a key; write a character, Enter, Tab, F5, Ctrl-x or Alt-x")]
    NoKey {
        /// Of which action.
        action: String,
        /// As written.
        key: String,
    },
    /// Two actions want one key.
    #[error("keys.{action}: `{key}` already does `{other}`; give one of them another key")]
    Conflict {
        /// The action that came second.
        action: String,
        /// The key.
        key: String,
        /// The action that has it.
        other: String,
    },
}

/// Which key does what.
#[derive(Debug, Clone)]
pub struct KeyMap {
    by_chord: HashMap<Chord, Action>,
    by_action: HashMap<Action, Vec<Chord>>,
}

impl KeyMap {
    /// The defaults with a config's changes: action name to keys, separated by blanks. A changed action
    /// gives up its default keys.
    ///
    /// # Errors
    /// See [`KeyMapError`].
    pub fn new(changes: &BTreeMap<String, String>) -> Result<Self, KeyMapError> {
        let mut map = Self { by_chord: HashMap::new(), by_action: HashMap::new() };
        if let Some(unknown) = changes.keys().find(|name| Action::from_name(name).is_none()) {
            return Err(KeyMapError::NoAction(unknown.clone()));
        }
        // Changed actions first, so that a conflict names the config's entry and not a default.
        let changed_first = ACTIONS.iter().filter(|row| changes.contains_key(row.name));
        let unchanged = ACTIONS.iter().filter(|row| !changes.contains_key(row.name));
        let default_owner = |chord: Chord| {
            ACTIONS.iter().find(|row| {
                !changes.contains_key(row.name) && row.keys.iter().any(|key| Chord::parse(key) == Some(chord))
            })
        };
        for row in changed_first.chain(unchanged) {
            let keys: Vec<String> = match changes.get(row.name) {
                Some(text) => text.split_whitespace().map(str::to_owned).collect(),
                None => row.keys.iter().map(|&key| key.to_owned()).collect(),
            };
            for key in keys {
                let Some(chord) = Chord::parse(&key) else {
                    return Err(KeyMapError::NoKey { action: row.name.into(), key });
                };
                let taken = map.by_chord.get(&chord).map(|other| other.row().name);
                let taken = taken.or_else(|| {
                    changes
                        .contains_key(row.name)
                        .then(|| default_owner(chord).map(|owner| owner.name))
                        .flatten()
                });
                if let Some(other) = taken {
                    return Err(KeyMapError::Conflict { action: row.name.into(), key, other: other.into() });
                }
                map.by_chord.insert(chord, row.action);
                map.by_action.entry(row.action).or_default().push(chord);
            }
        }
        Ok(map)
    }

    /// What a key press does.
    pub fn action(&self, key: &KeyEvent) -> Option<Action> {
        self.by_chord.get(&Chord::of(key)).copied()
    }

    /// The keys of an action, as written.
    pub fn keys(&self, action: Action) -> Vec<String> {
        self.by_action
            .get(&action)
            .map_or_else(Vec::new, |chords| chords.iter().map(ToString::to_string).collect())
    }

    /// The first key of an action, as written; empty when it has none.
    pub fn key(&self, action: Action) -> String {
        self.keys(action).into_iter().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    #[test]
    fn the_defaults_do_not_conflict() {
        let map = KeyMap::new(&BTreeMap::new()).unwrap();
        assert_eq!(map.action(&KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)), Some(Action::Quit));
        assert_eq!(map.action(&KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Action::Quit));
        assert_eq!(map.action(&KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT)), Some(Action::Abort));
    }

    #[test]
    fn a_conflict_names_both_actions() {
        let error = KeyMap::new(&changes(&[("sort", "q")])).unwrap_err();
        assert_eq!(error.to_string(), "keys.sort: `q` already does `quit`; give one of them another key");
        assert!(KeyMap::new(&changes(&[("quit", "x"), ("sort", "q")])).is_ok(), "a freed key is free");
        let error = KeyMap::new(&changes(&[("sort", "z"), ("copy", "z")])).unwrap_err();
        assert!(matches!(error, KeyMapError::Conflict { .. }));
    }

    #[test]
    fn unknown_actions_and_keys_are_errors() {
        assert!(matches!(KeyMap::new(&changes(&[("dance", "x")])), Err(KeyMapError::NoAction(_))));
        assert!(matches!(KeyMap::new(&changes(&[("sort", "Hyper-x")])), Err(KeyMapError::NoKey { .. })));
    }
}
