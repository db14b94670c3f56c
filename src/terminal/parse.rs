//! Makes keys, mouse events and pastes of the bytes that a terminal sends.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// The longest sequence that is waited for; longer ones are dropped.
const LONGEST: usize = 64;
/// The longest paste that is kept, bytes.
const LONGEST_PASTE: usize = 64 * 1024;

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// What was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// A bracketed paste.
    Paste(String),
    /// Ctrl-Z.
    Suspend,
    /// The answer to the question about mode 2026.
    Synchronized(bool),
}

/// Bytes that are not understood yet. The same bytes give the same events however they are split.
#[derive(Debug, Default)]
pub struct Parser {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

enum Step {
    /// So many bytes are done.
    Took(usize, Option<Parsed>),
    /// The rest has not come yet.
    More,
}

impl Parser {
    /// Whether something is begun that time may end: a lone escape is the key.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty() && self.paste.is_none()
    }

    /// Takes bytes in.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Parsed>) {
        self.pending.extend_from_slice(bytes);
        self.work(false, out);
    }

    /// Time has passed: what is begun will not be completed.
    pub fn flush(&mut self, out: &mut Vec<Parsed>) {
        self.work(true, out);
    }

    fn work(&mut self, ended: bool, out: &mut Vec<Parsed>) {
        loop {
            if let Some(paste) = &mut self.paste {
                let end = find(&self.pending, PASTE_END);
                // The end may be split: its length less one byte stays behind.
                let take = end.unwrap_or_else(|| self.pending.len().saturating_sub(PASTE_END.len() - 1));
                let room = LONGEST_PASTE.saturating_sub(paste.len());
                paste.extend(self.pending.drain(..take).take(room));
                if end.is_none() {
                    return;
                }
                self.pending.drain(..PASTE_END.len());
                let text = String::from_utf8_lossy(paste).into_owned();
                self.paste = None;
                out.push(Parsed::Paste(text));
                continue;
            }
            if self.pending.is_empty() {
                return;
            }
            if self.pending.starts_with(PASTE_BEGIN) {
                self.pending.drain(..PASTE_BEGIN.len());
                self.paste = Some(Vec::new());
                continue;
            }
            match step(&self.pending, ended) {
                Step::Took(count, parsed) => {
                    self.pending.drain(..count.clamp(1, self.pending.len()));
                    out.extend(parsed);
                }
                Step::More if self.pending.len() > LONGEST => self.pending.clear(),
                Step::More => return,
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Parsed> {
    Some(Parsed::Key(KeyEvent::new(code, modifiers)))
}

fn step(bytes: &[u8], ended: bool) -> Step {
    match bytes {
        [0x1b] if ended => Step::Took(1, key(KeyCode::Esc, KeyModifiers::NONE)),
        [0x1b] => Step::More,
        [0x1b, b'[', rest @ ..] => control(rest, ended),
        [0x1b, b'O', letter, ..] => {
            Step::Took(3, letter_key(*letter).and_then(|c| key(c, KeyModifiers::NONE)))
        }
        [0x1b, b'O'] if !ended => Step::More,
        [0x1b, 0x1b, ..] => Step::Took(1, key(KeyCode::Esc, KeyModifiers::NONE)),
        // Answers in strings (OSC, DCS, APC) end with BEL or ST.
        [0x1b, b']' | b'P' | b'_', rest @ ..] if !ended || rest.len() > 1 => string_end(rest),
        [0x1b, rest @ ..] => match plain(rest, ended) {
            Step::Took(count, Some(Parsed::Key(event))) => {
                Step::Took(count + 1, key(event.code, event.modifiers | KeyModifiers::ALT))
            }
            Step::Took(count, _) => Step::Took(count + 1, None),
            Step::More => Step::More,
        },
        _ => plain(bytes, ended),
    }
}

fn string_end(rest: &[u8]) -> Step {
    let end = rest.iter().position(|&b| b == 0x07).map(|p| p + 1);
    let end = end.or_else(|| find(rest, b"\x1b\\").map(|p| p + 2));
    end.map_or(Step::More, |end| Step::Took(end + 2, None))
}

/// A character or a control key.
fn plain(bytes: &[u8], ended: bool) -> Step {
    let Some(&first) = bytes.first() else { return Step::More };
    let ctrl = |c: u8| key(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let parsed = match first {
        b'\r' | b'\n' => key(KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => key(KeyCode::Tab, KeyModifiers::NONE),
        0x7f | 0x08 => key(KeyCode::Backspace, KeyModifiers::NONE),
        0x1a => Some(Parsed::Suspend),
        0x00 => ctrl(b' '),
        0x01..=0x1a => ctrl(first + b'a' - 1),
        0x1b => key(KeyCode::Esc, KeyModifiers::NONE),
        0x1c..=0x1f => ctrl(first + b'4' - 0x1c),
        _ => return character(bytes, ended),
    };
    Step::Took(1, parsed)
}

fn character(bytes: &[u8], ended: bool) -> Step {
    let length = match bytes[0] {
        0x00..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Step::Took(1, None),
    };
    let Some(encoded) = bytes.get(..length) else {
        let hopeless = ended || bytes.iter().skip(1).any(|b| b & 0xc0 != 0x80);
        return if hopeless { Step::Took(1, None) } else { Step::More };
    };
    match std::str::from_utf8(encoded).ok().and_then(|text| text.chars().next()) {
        Some(c) => {
            let modifiers = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
            Step::Took(length, key(KeyCode::Char(c), modifiers))
        }
        None => Step::Took(1, None),
    }
}

/// What stands after `ESC [`.
fn control(rest: &[u8], ended: bool) -> Step {
    let Some(end) = rest.iter().position(|b| (0x40..=0x7e).contains(b)) else {
        // A byte that no sequence may hold ends it: it begins something new.
        if let Some(wrong) = rest.iter().position(|b| !(0x20..=0x3f).contains(b)) {
            return Step::Took(wrong + 2, None);
        }
        return match (ended, rest.is_empty()) {
            (true, true) => Step::Took(2, key(KeyCode::Char('['), KeyModifiers::ALT)),
            (true, false) => Step::Took(rest.len() + 2, None),
            (false, _) => Step::More,
        };
    };
    if let Some(wrong) = rest[..end].iter().position(|b| !(0x20..=0x3f).contains(b)) {
        return Step::Took(wrong + 2, None);
    }
    let (body, letter) = (&rest[..end], rest[end]);
    Step::Took(end + 3, sequence(body, letter))
}

fn sequence(body: &[u8], letter: u8) -> Option<Parsed> {
    if let Some(mouse) = body.strip_prefix(b"<") {
        return mouse_event(&numbers(mouse), letter == b'M');
    }
    if let Some(report) = body.strip_prefix(b"?2026;").and_then(|rest| rest.strip_suffix(b"$")) {
        return (letter == b'y').then_some(Parsed::Synchronized(matches!(report, b"1" | b"2")));
    }
    if body.first().is_some_and(|b| !b.is_ascii_digit() && *b != b';') {
        return None;
    }
    let numbers = numbers(body);
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
    let code = match letter {
        b'~' => match numbers.first()? {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            n @ 11..=15 => KeyCode::F(u8::try_from(n - 10).ok()?),
            n @ 17..=21 => KeyCode::F(u8::try_from(n - 11).ok()?),
            n @ 23..=24 => KeyCode::F(u8::try_from(n - 12).ok()?),
            _ => return None,
        },
        b'Z' => return key(KeyCode::BackTab, KeyModifiers::SHIFT),
        other => letter_key(other)?,
    };
    key(code, modifiers)
}

fn letter_key(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        b'M' => KeyCode::Enter,
        _ => return None,
    })
}

fn numbers(body: &[u8]) -> Vec<u16> {
    let read = |part: &[u8]| std::str::from_utf8(part).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    body.split(|&b| b == b';').map(read).collect()
}

fn modifiers(number: u16) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, bits & 1 != 0);
    modifiers.set(KeyModifiers::ALT, bits & 2 != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    modifiers
}

fn mouse_event(numbers: &[u16], pressed: bool) -> Option<Parsed> {
    let &[button, column, row] = numbers else { return None };
    let which = match button & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (button & 64 != 0, button & 32 != 0, pressed) {
        (true, _, _) if button & 1 == 0 => MouseEventKind::ScrollUp,
        (true, _, _) => MouseEventKind::ScrollDown,
        (_, true, _) => MouseEventKind::Drag(which),
        (_, _, true) => MouseEventKind::Down(which),
        (_, _, false) => MouseEventKind::Up(which),
    };
    let (column, row) = (column.checked_sub(1)?, row.checked_sub(1)?);
    Some(Parsed::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Parsed> {
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        parser.feed(bytes, &mut out);
        parser.flush(&mut out);
        out
    }

    fn one(bytes: &[u8]) -> Parsed {
        let parsed = all(bytes);
        assert_eq!(parsed.len(), 1, "{bytes:?} gave {parsed:?}");
        parsed[0].clone()
    }

    #[test]
    fn keys_are_understood() {
        let none = KeyModifiers::NONE;
        for (bytes, code, modifiers) in [
            (&b"j"[..], KeyCode::Char('j'), none),
            (b"A", KeyCode::Char('A'), KeyModifiers::SHIFT),
            ("é".as_bytes(), KeyCode::Char('é'), none),
            (b"\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
            (b"\r", KeyCode::Enter, none),
            (b"\x1b", KeyCode::Esc, none),
            (b"\x1b[A", KeyCode::Up, none),
            (b"\x1bOB", KeyCode::Down, none),
            (b"\x1b[1;2C", KeyCode::Right, KeyModifiers::SHIFT),
            (b"\x1b[5~", KeyCode::PageUp, none),
            (b"\x1b[F", KeyCode::End, none),
            (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
            (b"\x1b[24~", KeyCode::F(12), none),
            (b"\x1bOP", KeyCode::F(1), none),
            (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
        ] {
            assert_eq!(one(bytes), Parsed::Key(KeyEvent::new(code, modifiers)), "{bytes:?}");
        }
    }

    #[test]
    fn answers_pastes_and_the_mouse() {
        assert_eq!(one(b"\x1b[?2026;2$y"), Parsed::Synchronized(true));
        assert_eq!(one(b"\x1b[?2026;0$y"), Parsed::Synchronized(false));
        assert_eq!(one(b"\x1b[200~a\x1bb\n\x1b[201~"), Parsed::Paste("a\u{1b}b\n".into()));
        assert_eq!(one(b"\x1a"), Parsed::Suspend);
        assert!(all(b"\x1b[0n\x1b[?62;c\x1b]11;rgb:0/0/0\x1b\\").is_empty(), "answers are not keys");
        let Parsed::Mouse(event) = one(b"\x1b[<0;5;3M") else { panic!("no mouse event") };
        assert_eq!((event.column, event.row), (4, 2));
        let Parsed::Mouse(event) = one(b"\x1b[<65;1;1M") else { panic!("no mouse event") };
        assert_eq!(event.kind, MouseEventKind::ScrollDown);
    }

    #[test]
    fn a_key_right_after_an_escape_is_not_lost() {
        assert_eq!(all(b"\x1b\x1b[A").len(), 2);
        assert_eq!(all(b"jk\x1b[Bq").len(), 4);
    }

    proptest! {
        #[test]
        fn any_bytes_end_and_splitting_changes_nothing(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b'~'), Just(b';')], 0..60),
            at in 0usize..60,
        ) {
            let at = at.min(bytes.len());
            let (mut parser, mut out) = (Parser::default(), Vec::new());
            parser.feed(&bytes[..at], &mut out);
            parser.feed(&bytes[at..], &mut out);
            parser.flush(&mut out);
            prop_assert_eq!(out, all(&bytes));
        }
    }
}
