//! What the dialog of an incident holds at each of its stages.

use tui_input::Input;

use crate::domain::incident::{EntryId, IncidentId, Severity};

/// Roles that can be taken, in the order of the key.
pub const ROLES: [&str; 4] = ["commander", "operations", "communication", "scribe"];

/// The dialog.
#[derive(Debug, Clone)]
pub struct IncidentDialog {
    /// How far it got.
    pub stage: IncidentStage,
    /// Scroll of the entries, lines.
    pub scroll: u16,
}

/// The stages of the dialog.
#[derive(Debug, Clone)]
pub enum IncidentStage {
    /// A new one is being declared.
    Declare(Box<Declaration>),
    /// One of several is chosen, or one to join; the line after the last declares a new one.
    Choose {
        /// The chosen line.
        cursor: usize,
    },
    /// How one stands, with what is asked about it now.
    Sheet {
        /// Which.
        id: IncidentId,
        /// What is asked, if anything.
        ask: Option<Ask>,
    },
}

impl IncidentStage {
    /// The sheet of an incident with nothing asked.
    pub fn sheet(id: IncidentId) -> Self {
        Self::Sheet { id, ask: None }
    }
}

/// Which models an incident is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// In words: `all abnormal`.
    pub words: String,
    /// The names; empty: all.
    pub models: Vec<String>,
}

/// Where keys go while an incident is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclareField {
    /// The title is being written.
    Title,
    /// Left and right choose the severity.
    Severity,
    /// Left and right choose the models.
    Models,
}

/// An incident that is being declared.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// What it is about.
    pub title: Input,
    /// How bad.
    pub severity: Severity,
    /// What models there are to choose from.
    pub scopes: Vec<Scope>,
    /// The chosen ones.
    pub scope: usize,
    /// Where keys go.
    pub field: DeclareField,
}

/// What is asked in the sheet.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What.
    pub what: Asked,
    /// The words as far as they are written.
    pub input: Input,
}

/// The kinds of questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A note.
    Note,
    /// What others are told.
    Update,
    /// What is thought to be the cause.
    Hypothesis,
    /// A role is chosen: its place in [`ROLES`].
    Role(usize),
    /// The severity is chosen: its place in `Severity::ALL`.
    Severity(usize),
    /// Minutes and what is to be decided then.
    Decision,
    /// A milestone is chosen, its place in `Milestone::ALL`, and its evidence written.
    Milestone(usize),
    /// An entry to be corrected is chosen, 0 the newest.
    Choosing(usize),
    /// What is right instead of this entry.
    Correction(EntryId),
    /// Something to do afterwards.
    FollowUp,
}

impl Asked {
    /// Whether words are written.
    pub fn is_text(&self) -> bool {
        !matches!(self, Self::Role(_) | Self::Severity(_) | Self::Choosing(_))
    }
}
