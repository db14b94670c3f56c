//! A small fleet, and fingers, for the tests of what keys do.

use std::sync::Arc;

use super::keymap::Chord;
use super::{App, Effect, Msg, update};
use crate::domain::{Limits, ModelId, ModelKind};
use crate::store::{ModelSpec, Store};

/// Models of these names, of which nothing is known yet.
pub fn fleet<const N: usize>(names: [&str; N]) -> Store {
    let limits = Arc::new(Limits::guide(ModelKind::Classification));
    let spec = |name: &str| ModelSpec {
        id: ModelId::new("test", name),
        kind: ModelKind::Classification,
        limits: limits.clone(),
    };
    Store::new("test", names.map(spec).to_vec())
}

/// Presses keys one after the other.
pub fn press(app: &mut App, store: &mut Store, keys: &[&str]) -> Vec<Effect> {
    let mut press = |key: &&str| update(app, store, Msg::Key(Chord::parse(key).unwrap().press()));
    keys.iter().flat_map(&mut press).collect()
}
