//! The demo as the real program records it: replayed, cut, masked.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use wardroom::tape::{Player, block};

use crate::pty::{PATIENCE, Session};
use crate::said::said;
use crate::{later, payloads};

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let folder = std::env::temp_dir();
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(words)
        .current_dir(&folder)
        .env_remove("WARDROOM_CONFIG")
        .env("XDG_CONFIG_HOME", folder.join("no-such-folder"))
        .output()
        .unwrap();
    said(&output)
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Records the demo until alzheimer's canary and some blocks are on the tape.
fn record(file: &Path) {
    let path = file.to_str().unwrap();
    let mut session = Session::start(&["demo", "--record", path], (160, 45), &[("USER", "florence")]);
    session.wait_text("gait_speed");
    wait_until("five blocks", || {
        let Ok(player) = Player::open(file) else { return false };
        player.ends() > later(player.begins(), 4_000)
    });
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

/// The texts of any value.
#[derive(Default)]
struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Self, E> {
        self.0.push(text.to_lowercase());
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self, A::Error> {
        while let Some(Self(texts)) = seq.next_element()? {
            self.0.extend(texts);
        }
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((Self(keys), Self(values))) = map.next_entry()? {
            self.0.extend(keys);
            self.0.extend(values);
        }
        Ok(self)
    }
}

/// Every text of a recording, unpacked, in small letters.
fn unpacked(file: &Path) -> BTreeSet<String> {
    let bytes = std::fs::read(file).unwrap();
    payloads(&bytes).into_iter().flat_map(|place| block::decode::<Texts>(&bytes[place]).unwrap().0).collect()
}

#[test]
fn the_demo_is_recorded_replayed_cut_and_masked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.tape");
    record(&file);
    let path = file.to_str().unwrap();

    // Only its owner may read it, and it is never written over.
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut again = Session::start(&["demo", "--record", path], (80, 24), &[]);
    again.wait_text("there already");
    assert_eq!(again.end().0, 2);

    // The last frame.
    let (code, out, err) = run(&["replay", path, "--snapshot", "--size", "120x36"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("alzheimer") && out.contains("REPLAY"), "{out}");
    assert_eq!(out.lines().count(), 36);
    let (_, out, _) = run(&["replay", path, "--snapshot"]);
    assert!(out.contains("gait_speed") && out.contains("florence") && out.lines().count() == 45, "{out}");
    // The first one, before anything answered.
    let (code, out, _) = run(&["replay", path, "--snapshot", "--at", "0"]);
    assert_eq!(code, Some(0));
    assert!(!out.contains("gait_speed"), "{out}");

    // Cut in the middle of a block.
    let bytes = std::fs::read(&file).unwrap();
    let cut = folder.path().join("cut.tape");
    std::fs::write(&cut, &bytes[..bytes.len() - 5]).unwrap();
    let (code, out, err) = run(&["replay", cut.to_str().unwrap(), "--snapshot"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("alzheimer") && err.contains("cut off"), "{err}");

    // Not a recording.
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, [7u8; 4_096]).unwrap();
    let (code, out, err) = run(&["replay", garbage.to_str().unwrap(), "--snapshot"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("is not a recording"), "{err}");
    std::fs::write(&garbage, &bytes[..40]).unwrap();
    assert_eq!(run(&["replay", garbage.to_str().unwrap()]).0, Some(2));

    // In a terminal.
    let mut session = Session::start(&["replay", path, "--speed", "4"], (140, 40), &[]);
    session.wait_text("REPLAY 4x");
    session.wait_text("alzheimer");
    session.keys("A");
    session.wait_text("this is a recording");
    session.keys(" ");
    session
        .wait_for("the pause or the end", |screen| screen.contains("4x paused") || screen.contains("4x end"));
    session.keys("\x1b[F");
    session.wait_text("REPLAY 4x end");
    session.wait_text("gait_speed");
    session.keys("d");
    session.wait_for("a view of the viewer's own", |screen| screen.contains("guide"));
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();

    // Masked.
    let masked = folder.path().join("masked.tape");
    let (code, _, err) = run(&["replay", path, "--mask", masked.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{err}");
    let (originals, texts) = (unpacked(&file), unpacked(&masked));
    let mut player = Player::open(&file).unwrap();
    player.go_to_end();
    let operator = player.scene().desk.operator().to_owned();
    let (user, host) = operator.split_once('@').unwrap_or((&operator, "127.0.0.1"));
    assert_eq!(user, "florence");
    let names = player.store().models.iter().map(|model| model.id.name.to_lowercase());
    let places = player.store().sources.iter().map(|source| source.info.place.to_lowercase());
    for name in names.chain(places).chain(["127.0.0.1", user, host].map(str::to_lowercase)) {
        let stands_in = |text: &&String| {
            text.match_indices(&name).any(|(at, _)| {
                let alone = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
                let after = text[at + name.len()..].chars().next();
                name.len() >= 5 || alone(text[..at].chars().next_back()) && alone(after)
            })
        };
        assert_eq!(texts.iter().find(stands_in), None, "{name} is in the masked copy");
        let plain = originals.iter().any(|text| stands_in(&text));
        assert!(plain || name == "127.0.0.1", "{name} is not in the recording: the test looks for nothing");
    }
    let (code, out, err) = run(&["replay", masked.to_str().unwrap(), "--snapshot"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("model-1") && out.contains("gait_speed"), "{out}");
}
