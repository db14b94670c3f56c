//! Where the operator looks, as data that can be written down and followed by another room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tui_input::Input;

use crate::app::acting::{ActDialog, ActStage, Field, Proposal};
use crate::app::{App, Dialog, Filter, Focus, Message, Pane, Sort};
use crate::domain::act::{Act, ActId, Operation, Plan, Refusal};
use crate::domain::incident::{Entry, EntryId, Incident};
use crate::domain::{DriftScale, ModelId, Revision, Rollout, Time};

/// Where the operator looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    size: (u16, u16),
    focus: Focus,
    zoomed: bool,
    tab: Pane,
    lower_left: Pane,
    selected: Option<ModelId>,
    fleet_offset: usize,
    pane_offset: u16,
    filter: String,
    sort: Sort,
    drift_scale: Option<DriftScale>,
    message: Option<Message>,
    over: Over,
}

/// What is known of acts and incidents, and what may be done from here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Desk {
    acts: Vec<Act>,
    unfinished: Vec<Act>,
    trouble: Option<String>,
    read_only: bool,
    armed: BTreeMap<ModelId, String>,
    operator: String,
    spectator: bool,
    /// Incidents that are open, those that are over, and entries that were not durable yet.
    open: Vec<Incident>,
    over: Vec<Incident>,
    pending: BTreeMap<EntryId, Entry>,
    /// Why incidents are kept in the session only.
    alone: Option<String>,
}

/// A text that is being written, with the place of its cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Written(String, usize);

impl From<&Input> for Written {
    fn from(input: &Input) -> Self {
        Self(input.value().to_owned(), input.cursor())
    }
}

impl From<Written> for Input {
    fn from(Written(text, cursor): Written) -> Self {
        Self::new(text).with_cursor(cursor)
    }
}

/// What lies over the panes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Over {
    Nothing,
    Filter(Written),
    Command(Written),
    Note(Written),
    Help(u16),
    Describe(u16),
    Act { model: ModelId, stage: Box<Stage>, seen: Option<Box<Rollout>>, scroll: u16 },
    Waits(usize),
    Unfinished(usize),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Stage {
    Versions { list: Vec<Revision>, cursor: usize },
    Weight(Written),
    Asking { number: u64, operation: Operation, since: Time },
    Refused { operation: Operation, refusal: Refusal },
    Planned { plan: Box<Plan>, reason: Written, typed: Written, focus: Field },
    Following(ActId),
}

impl Glance {
    /// Where the operator of this room looks.
    pub fn of(app: &App) -> Self {
        Self {
            size: app.size,
            focus: app.focus,
            zoomed: app.zoomed,
            tab: app.tab,
            lower_left: app.lower_left,
            selected: app.selected.clone(),
            fleet_offset: app.fleet_offset,
            pane_offset: app.pane_offset,
            filter: app.filter.text().to_owned(),
            sort: app.sort,
            drift_scale: app.drift_scale,
            message: app.message.clone(),
            over: Over::of(&app.dialog),
        }
    }

    /// Columns and rows of the recorded terminal.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Lets a room look there. Its size stays its own.
    pub fn onto(&self, app: &mut App) {
        app.focus = self.focus;
        app.zoomed = self.zoomed;
        app.tab = self.tab;
        app.lower_left = self.lower_left;
        app.selected.clone_from(&self.selected);
        app.fleet_offset = self.fleet_offset;
        app.pane_offset = self.pane_offset;
        if app.filter.text() != self.filter {
            // It was read once already; a filter that an other version cannot read keeps everything.
            app.filter = Filter::parse(&self.filter).unwrap_or_default();
        }
        app.sort = self.sort;
        app.drift_scale = self.drift_scale;
        app.message.clone_from(&self.message);
        app.dialog = self.over.clone().into();
    }
}

impl Desk {
    /// The desk of this room.
    pub fn of(app: &App) -> Self {
        Self {
            acts: app.acting.acts.clone(),
            unfinished: app.acting.unfinished.clone(),
            trouble: app.acting.trouble.clone(),
            read_only: app.read_only,
            armed: app.armed.clone(),
            operator: app.operator.clone(),
            spectator: app.spectator,
            open: app.incidents.open.clone(),
            over: app.incidents.over.clone(),
            pending: app.incidents.pending.clone(),
            alone: app.incidents.alone.clone(),
        }
    }

    /// Who sat there.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Every act on it.
    pub fn all_acts(&self) -> impl Iterator<Item = &Act> {
        self.acts.iter().chain(&self.unfinished)
    }

    /// Every entry of an incident on it.
    pub fn all_entries(&self) -> impl Iterator<Item = &Entry> {
        let incidents = self.open.iter().chain(&self.over);
        incidents.flat_map(|incident| &incident.entries).chain(self.pending.values())
    }

    /// Whether the room's desk is still this, without copying it.
    pub fn is_of(&self, app: &App) -> bool {
        self.acts == app.acting.acts
            && self.unfinished == app.acting.unfinished
            && self.trouble == app.acting.trouble
            && self.read_only == app.read_only
            && self.armed == app.armed
            && self.operator == app.operator
            && self.spectator == app.spectator
            && self.open == app.incidents.open
            && self.over == app.incidents.over
            && self.pending == app.incidents.pending
            && self.alone == app.incidents.alone
    }

    /// Gives a room this desk.
    pub fn onto(&self, app: &mut App) {
        if self.is_of(app) {
            return;
        }
        app.acting.acts.clone_from(&self.acts);
        app.acting.unfinished.clone_from(&self.unfinished);
        app.acting.trouble.clone_from(&self.trouble);
        app.read_only = self.read_only;
        app.armed.clone_from(&self.armed);
        app.operator.clone_from(&self.operator);
        app.spectator = self.spectator;
        app.incidents.open.clone_from(&self.open);
        app.incidents.over.clone_from(&self.over);
        app.incidents.pending.clone_from(&self.pending);
        app.incidents.alone.clone_from(&self.alone);
    }
}

impl Over {
    fn of(dialog: &Dialog) -> Self {
        match dialog {
            Dialog::Filter(input) => Self::Filter(input.into()),
            Dialog::Command(input) => Self::Command(input.into()),
            Dialog::Note(input) => Self::Note(input.into()),
            Dialog::Help(offset) => Self::Help(*offset),
            Dialog::Describe(offset) => Self::Describe(*offset),
            Dialog::Act(dialog) => Self::Act {
                model: dialog.model.clone(),
                stage: Box::new(Stage::of(&dialog.stage)),
                seen: dialog.seen.clone(),
                scroll: dialog.scroll,
            },
            Dialog::Waits(line) => Self::Waits(*line),
            Dialog::Unfinished(line) => Self::Unfinished(*line),
            // The boxes of incidents and checklists are not kept.
            _ => Self::Nothing,
        }
    }
}

impl From<Over> for Dialog {
    fn from(over: Over) -> Self {
        match over {
            Over::Nothing => Self::None,
            Over::Filter(text) => Self::Filter(text.into()),
            Over::Command(text) => Self::Command(text.into()),
            Over::Note(text) => Self::Note(text.into()),
            Over::Help(offset) => Self::Help(offset),
            Over::Describe(offset) => Self::Describe(offset),
            Over::Act { model, stage, seen, scroll } => {
                Self::Act(Box::new(ActDialog { model, stage: (*stage).into(), seen, scroll }))
            }
            Over::Waits(line) => Self::Waits(line),
            Over::Unfinished(line) => Self::Unfinished(line),
        }
    }
}

impl Stage {
    fn of(stage: &ActStage) -> Self {
        match stage {
            ActStage::Versions { list, cursor } => Self::Versions { list: list.clone(), cursor: *cursor },
            ActStage::Weight(input) => Self::Weight(input.into()),
            ActStage::Asking { number, operation, since } => {
                Self::Asking { number: *number, operation: operation.clone(), since: *since }
            }
            ActStage::Refused { operation, refusal } => {
                Self::Refused { operation: operation.clone(), refusal: refusal.clone() }
            }
            ActStage::Planned(proposal) => Self::Planned {
                plan: proposal.plan.clone(),
                reason: (&proposal.reason).into(),
                typed: (&proposal.typed).into(),
                focus: proposal.focus,
            },
            ActStage::Following(id) => Self::Following(id.clone()),
        }
    }
}

impl From<Stage> for ActStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Versions { list, cursor } => Self::Versions { list, cursor },
            Stage::Weight(text) => Self::Weight(text.into()),
            Stage::Asking { number, operation, since } => Self::Asking { number, operation, since },
            Stage::Refused { operation, refusal } => Self::Refused { operation, refusal },
            Stage::Planned { plan, reason, typed, focus } => {
                Self::Planned(Proposal { plan, reason: reason.into(), typed: typed.into(), focus })
            }
            Stage::Following(id) => Self::Following(id),
        }
    }
}
