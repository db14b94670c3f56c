//! The state of the screen, apart from the world's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tui_input::Input;

use super::acting::{ActDialog, Acting};
use super::checklist::{ChecklistDialog, Checks};
use super::filter::Filter;
use super::incident::{IncidentDialog, Incidents};
use super::keymap::KeyMap;
use super::time::TimeTravel;
use crate::domain::{DriftScale, Level, ModelId, Time};

/// The panes for the selected model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Pane {
    /// Percentiles over time.
    Latency,
    /// Quality scores.
    Quality,
    /// Features over time.
    Drift,
    /// Steps, weights, state.
    Canary,
    /// Versions and aliases.
    Registry,
    /// What happened.
    Timeline,
    /// What wardroom itself does.
    Log,
}

impl Pane {
    /// Every pane in the order of the keys 1–6 and 0.
    pub const ALL: [Self; 7] =
        [Self::Latency, Self::Quality, Self::Drift, Self::Canary, Self::Registry, Self::Timeline, Self::Log];

    /// The key's digit.
    pub fn digit(self) -> char {
        match self {
            Self::Latency => '1',
            Self::Quality => '2',
            Self::Drift => '3',
            Self::Canary => '4',
            Self::Registry => '5',
            Self::Timeline => '6',
            Self::Log => '0',
        }
    }

    /// The title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Latency => "Latency",
            Self::Quality => "Quality",
            Self::Drift => "Drift",
            Self::Canary => "Canary",
            Self::Registry => "Registry",
            Self::Timeline => "Timeline",
            Self::Log => "Log",
        }
    }
}

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Focus {
    /// The fleet table.
    Fleet,
    /// A pane.
    Pane(Pane),
}

/// What the fleet is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Sort {
    /// The worst first, then the order of the config.
    #[default]
    Worst,
    /// By name.
    Name,
    /// By p95, the slowest first.
    LatencyP95,
    /// By error rate, the highest first.
    ErrorRate,
    /// By drift, the most first.
    Drift,
    /// By requests a second, the busiest first.
    Throughput,
}

impl Sort {
    /// Every order, in the turn of the key.
    pub const ALL: [Self; 6] =
        [Self::Worst, Self::Name, Self::LatencyP95, Self::ErrorRate, Self::Drift, Self::Throughput];

    /// The words on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Name => "by name",
            Self::LatencyP95 => "by p95",
            Self::ErrorRate => "by errors",
            Self::Drift => "by drift",
            Self::Throughput => "by requests",
        }
    }

    /// The next in turn.
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|&sort| sort == self).unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }
}

/// What lies over the panes, if anything.
#[derive(Debug, Clone, Default)]
pub enum Dialog {
    /// Nothing.
    #[default]
    None,
    /// The filter is being written.
    Filter(Input),
    /// A command is being written; matching names of commands are shown.
    Command(Input),
    /// The help, scrolled by so many lines.
    Help(u16),
    /// Everything known of the selected model, scrolled by so many lines.
    Describe(u16),
    /// A note for the timeline is being written.
    Note(Input),
    /// An act: its plan, its confirmation, its progress.
    Act(Box<ActDialog>),
    /// What waits for a person, with the chosen line.
    Waits(usize),
    /// Acts that an earlier process left unfinished, with the chosen one.
    Unfinished(usize),
    /// The incident: declaring, joining, its state, what is written into it.
    Incident(Box<IncidentDialog>),
    /// The checklists.
    Checklist(Box<ChecklistDialog>),
}

/// A word to the operator in the footer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The words.
    pub text: String,
    /// How bad.
    pub level: Level,
    /// Until when it stands.
    pub until: Time,
}

/// The state of the screen.
#[derive(Debug, Clone)]
pub struct App {
    /// The moment that is shown. Only the loop moves it.
    pub now: Time,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Where keys go.
    pub focus: Focus,
    /// Whether the focused pane fills the screen.
    pub zoomed: bool,
    /// The pane shown where only one has room.
    pub tab: Pane,
    /// The pane that stands in the lower left of a wide screen: quality or registry.
    pub lower_left: Pane,
    /// The selected model.
    pub selected: Option<ModelId>,
    /// First row of the fleet that is shown. Kept by the view's rule in [`super::rows::scroll`].
    pub fleet_offset: usize,
    /// Scroll of the focused pane, lines.
    pub pane_offset: u16,
    /// The filter that holds.
    pub filter: Filter,
    /// The order of the fleet.
    pub sort: Sort,
    /// What lies over the panes.
    pub dialog: Dialog,
    /// A word to the operator.
    pub message: Option<Message>,
    /// Which key does what.
    pub keymap: KeyMap,
    /// The drift method chosen by key; without one, the method that says most.
    pub drift_scale: Option<DriftScale>,
    /// Whether the mouse is taken from the terminal.
    pub mouse: bool,
    /// Plans and acts, and how far they got.
    pub acting: Acting,
    /// Which moment is shown.
    pub time: TimeTravel,
    /// Incidents that are known.
    pub incidents: Incidents,
    /// The daily, weekly and monthly checks as they stand.
    pub checks: Checks,
    /// Whether nothing may be planned or sent: a setting of the config.
    pub read_only: bool,
    /// Whether this room only looks: nothing is planned, sent or written.
    pub spectator: bool,
    /// When a key was pressed last.
    pub touched: Option<Time>,
    /// Models on which wardroom acts by itself when their canary is judged bad: `auto abort armed`.
    pub armed: BTreeMap<ModelId, String>,
    /// Who sits here: `sre@bastion`.
    pub operator: String,
    /// A line above the last one, while a drill runs; empty without one.
    pub bar: String,
    /// Whether to draw with ASCII only.
    pub ascii: bool,
    /// The name of the theme.
    pub theme: String,
    /// What the header says instead of `LIVE`: `REPLAY x2`.
    pub mark: Option<String>,
    /// Set when the screen is to be left.
    pub leaving: bool,
}

impl App {
    /// A screen of this size at this moment, with nothing selected.
    pub fn new(now: Time, size: (u16, u16), keymap: KeyMap) -> Self {
        Self {
            now,
            size,
            focus: Focus::Fleet,
            zoomed: false,
            tab: Pane::Latency,
            lower_left: Pane::Quality,
            selected: None,
            fleet_offset: 0,
            pane_offset: 0,
            filter: Filter::default(),
            sort: Sort::default(),
            dialog: Dialog::None,
            message: None,
            keymap,
            drift_scale: None,
            mouse: false,
            acting: Acting::default(),
            time: TimeTravel::default(),
            incidents: Incidents::default(),
            checks: Checks::default(),
            read_only: false,
            spectator: false,
            touched: None,
            armed: BTreeMap::new(),
            operator: String::new(),
            bar: String::new(),
            ascii: false,
            theme: "default".into(),
            mark: None,
            leaving: false,
        }
    }

    /// Says a word to the operator for some seconds.
    pub fn say(&mut self, text: impl Into<String>, level: Level) {
        let until = self.clock() + chrono::TimeDelta::seconds(if level >= Level::Warning { 8 } else { 4 });
        self.message = Some(Message { text: text.into(), level, until });
    }

    /// Whether a box lies over the panes, which takes all keys.
    pub fn has_box(&self) -> bool {
        matches!(
            self.dialog,
            Dialog::Act(_)
                | Dialog::Waits(_)
                | Dialog::Unfinished(_)
                | Dialog::Incident(_)
                | Dialog::Checklist(_)
        )
    }

    /// Whether keys are text now.
    pub fn is_typing(&self) -> bool {
        matches!(self.dialog, Dialog::Filter(_) | Dialog::Command(_) | Dialog::Note(_))
    }
}
