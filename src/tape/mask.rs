//! A copy of a recording in which names are masked: the same name is the same stand-in everywhere, numbers stay.
//!
//! Masked: environments, clusters, contexts, namespaces, models, instances and sources, objects of controllers, users
//! and hosts, images, addresses; texts and labels of alerts, silences, descriptions, tags, facts and approvals of
//! registries, and what people wrote. In the words of servers and controllers the names that are known from elsewhere
//! and addresses are replaced; other words of theirs stay. Not masked: versions, KPIs, names of alerts' rules, features
//! of drift, limits, weights, moments and every other number: who knows the fleet may recognise it by these.

mod names;
mod quill;

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::block::{self, Kind};
use super::item::{Item, Whole};
use super::read::Tape;
use super::write::Draft;
use crate::domain::{Event, EventKind, Time};
use names::Names;

/// What a masked copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// How many blocks.
    pub blocks: usize,
    /// How many names have a stand-in.
    pub names: usize,
    /// Why the recording ended before its file did, if it did.
    pub cut: Option<String>,
}

/// Writes a copy of a recording with its names masked to a new file. Reads the recording twice: names are collected
/// first, so that one that comes late is masked from the start.
///
/// # Errors
/// A recording that cannot be played, a file that is there already or cannot be written.
pub fn mask(from: &Path, to: &Path) -> Result<Masked, String> {
    let mut tape = Tape::open(from).map_err(|error| format!("replay: {error}"))?;
    let mut names = Names::default();
    let mut blocks = 0;
    for block in 0..tape.len() {
        let read = match tape.kind(block) {
            Some(Kind::Whole) => tape.whole(block).map(|whole| names.learn_whole(&whole)),
            _ => tape.items(block).map(|items| items.iter().for_each(|item| names.learn_item(item))),
        };
        match read {
            Ok(()) => blocks += 1,
            Err(why) if block == 0 => return Err(format!("replay: {}: {why}", from.display())),
            Err(why) => {
                tape.end_before(block, &why);
                break;
            }
        }
    }
    names.settle();
    let draft = Draft::create_as("--mask", to)?;
    let wrong = |why: String| format!("--mask {}: {why}; the copy is not complete", to.display());
    let mut file = draft.into_file().ok_or_else(|| wrong("the file is gone".into()))?;
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(|error| wrong(error.to_string()));
    put(&block::preface())?;
    for block in 0..blocks {
        let at = tape.at(block).unwrap_or_default();
        let bytes = match tape.kind(block) {
            Some(Kind::Whole) => {
                let mut whole = tape.whole(block).map_err(wrong)?;
                whole.head.masked = true;
                whole.head.theme = "default".into();
                whole.store.timeline.iter_mut().for_each(hush);
                masked::<Whole>(Kind::Whole, at, &whole, &names)
            }
            _ => {
                let mut items = tape.items(block).map_err(wrong)?;
                for item in &mut items {
                    if let Item::Events(events) = item {
                        events.iter_mut().for_each(hush);
                    }
                }
                masked::<Vec<Item>>(Kind::Items, at, &items, &names)
            }
        };
        put(&bytes.map_err(wrong)?)?;
    }
    Ok(Masked { blocks, names: names.len(), cut: tape.cut().map(str::to_owned) })
}

/// A block with masked contents, read again once: a copy that cannot be played is never written.
fn masked<T: Serialize + serde::de::DeserializeOwned>(
    kind: Kind,
    at: Time,
    contents: &T,
    names: &Names,
) -> Result<Vec<u8>, String> {
    let plain = quill::write(contents, names)?;
    let bytes = block::encode_plain(kind, at, &plain)?;
    block::decode::<T>(&bytes[block::HEAD..])?;
    Ok(bytes)
}

/// What a person wrote is not for others.
fn hush(event: &mut Event) {
    if event.kind == EventKind::Note {
        event.what = names::MASKED.into();
    }
}
