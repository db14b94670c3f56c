//! What stands in the blocks of a tape.

use serde::{Deserialize, Serialize};

use super::glance::{Desk, Glance};
use crate::domain::{Event, Report, Time};
use crate::store::Store;

/// What a tape says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of wardroom that recorded it.
    pub wardroom: String,
    /// When the recording began.
    pub begun: Time,
    /// Columns and rows of the recorded terminal.
    pub size: (u16, u16),
    /// The theme.
    pub theme: String,
    /// Whether the room was drawn with ASCII only.
    pub ascii: bool,
    /// Whether names were masked.
    pub masked: bool,
}

/// Everything beside the store that a frame is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The moment.
    pub now: Time,
    /// Where the operator looks.
    pub glance: Glance,
    /// What is known of acts and incidents, and what may be done from here.
    pub desk: Desk,
}

/// The whole state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Whole {
    /// What the tape says of itself.
    pub head: Head,
    /// Since when nothing was recorded, when the recorder could not keep up before this.
    pub gap_since: Option<Time>,
    /// The world.
    pub store: Store,
    /// The screen.
    pub scene: Scene,
}

/// One thing that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A source was polled.
    Report(Box<Report>),
    /// Time passed, and everything was judged anew.
    Tick(Time),
    /// The moment moved.
    Now(Time),
    /// Lines of the timeline that neither a report nor the passing of time wrote.
    Events(Vec<Event>),
    /// The operator looks elsewhere.
    Glance(Box<Glance>),
    /// An act or an incident got further.
    Desk(Box<Desk>),
}

impl Item {
    /// Its moment, when it has one of its own.
    pub fn at(&self) -> Option<Time> {
        match self {
            Self::Report(report) => Some(report.at),
            Self::Tick(at) | Self::Now(at) => Some(*at),
            Self::Events(_) | Self::Glance(_) | Self::Desk(_) => None,
        }
    }
}

/// Takes one thing into the state, as the room did.
pub fn take(store: &mut Store, scene: &mut Scene, item: Item) {
    if let Some(at) = item.at() {
        scene.now = scene.now.max(at);
    }
    match item {
        Item::Report(report) => store.apply(&report),
        Item::Tick(now) => {
            scene.now = now;
            store.tick(now);
        }
        Item::Now(_) => {}
        Item::Events(events) => events.into_iter().for_each(|event| store.record(event)),
        Item::Glance(glance) => scene.glance = *glance,
        Item::Desk(desk) => scene.desk = *desk,
    }
}
