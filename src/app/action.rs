//! The table of actions: names, words, default keys. Key bar, help, commands and manual come from it.

use std::borrow::Cow;

use super::acting;
use super::state::{App, Pane};
use super::time;
use crate::store::Store;

/// What an operator can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// One row or line up.
    Up,
    /// One row or line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Zoom the focused pane; from the fleet, the pane last used.
    Open,
    /// Close a dialog, leave a zoom, drop a filter.
    Back,
    /// Focus the next pane.
    NextPane,
    /// Focus the pane before.
    PreviousPane,
    /// Focus a pane.
    Show(Pane),
    /// Write a filter.
    Filter,
    /// Write a command.
    Command,
    /// Show the help.
    Help,
    /// Show everything known of the selected model.
    Describe,
    /// The next order of the fleet.
    Sort,
    /// Copy the selected model's state.
    Copy,
    /// Write a note into the timeline.
    Note,
    /// Take the mouse, or give it back to the terminal.
    Mouse,
    /// Ask every source now.
    Refresh,
    /// Draw everything again.
    Redraw,
    /// Hold or release a canary.
    Hold,
    /// Promote by one step.
    Promote,
    /// Promote to all traffic.
    PromoteFull,
    /// Abort: back to stable.
    Abort,
    /// Roll back to a version.
    RollBack,
    /// Try an aborted canary again.
    Retry,
    /// Set the canary's weight.
    Weight,
    /// List what waits for a person.
    Waits,
    /// Show the act in flight, or the last one.
    Acts,
    /// The next drift method.
    DriftMethod,
    /// One step back in time.
    Earlier,
    /// One step forward in time.
    Later,
    /// A big step back in time.
    MuchEarlier,
    /// A big step forward in time.
    MuchLater,
    /// Back to now.
    Live,
    /// Declare or join an incident, or show the one that is open.
    Incident,
    /// Show the checklists.
    Checklist,
    /// Leave.
    Quit,
}

/// Whether an action can be done now, with the reason when not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Yes,
    /// It cannot, because; and what to do instead.
    No(Cow<'static, str>),
}

/// One row of the table.
#[derive(Debug)]
pub struct ActionRow {
    /// The action.
    pub action: Action,
    /// Its name in configs and commands.
    pub name: &'static str,
    /// What it does, in a few words.
    pub words: &'static str,
    /// Its keys unless the config says otherwise.
    pub keys: &'static [&'static str],
    /// A word for the key bar; empty when it does not stand there.
    pub bar: &'static str,
    /// The group in the help.
    pub group: &'static str,
}

macro_rules! rows {
    ($($group:literal { $($action:expr, $name:literal, $keys:expr, $bar:literal, $words:literal;)* })*) => {
        /// Every action.
        pub const ACTIONS: &[ActionRow] = &[
            $($(ActionRow { action: $action, name: $name, words: $words, keys: &$keys, bar: $bar, group: $group },)*)*
        ];
    };
}

rows! {
    "act" {
        Action::Abort, "abort", ["A"], "abort", "abort the canary: all traffic back to stable";
        Action::Hold, "hold", ["H"], "hold", "hold the canary, or release it";
        Action::Promote, "promote", ["P"], "promote", "promote the canary by one step";
        Action::PromoteFull, "promote-full", ["F"], "", "promote the canary to all traffic";
        Action::RollBack, "rollback", ["R"], "roll back", "roll back to a version: opens the list";
        Action::Retry, "retry", ["Y"], "", "try an aborted canary again";
        Action::Weight, "weight", ["W"], "", "set the canary's share of traffic";
    }
    "look" {
        Action::Show(Pane::Latency), "latency", ["1"], "", "latency percentiles over time";
        Action::Show(Pane::Quality), "quality", ["2"], "", "quality scores against their limits";
        Action::Show(Pane::Drift), "drift", ["3"], "", "drift of the features";
        Action::Show(Pane::Canary), "canary", ["4"], "", "the rollout: steps, weights, state";
        Action::Show(Pane::Registry), "registry", ["5"], "", "versions, aliases and stages";
        Action::Show(Pane::Timeline), "timeline", ["6"], "", "what happened";
        Action::Show(Pane::Log), "log", ["0"], "", "what wardroom itself does";
        Action::Open, "open", ["Enter"], "zoom", "let the focused pane fill the screen";
        Action::Back, "back", ["Esc"], "", "close a dialog, leave a zoom, drop the filter";
        Action::NextPane, "next-pane", ["Tab"], "", "focus the next pane";
        Action::PreviousPane, "previous-pane", ["BackTab"], "", "focus the pane before";
        Action::Describe, "describe", ["d"], "describe", "everything known of the selected model";
        Action::DriftMethod, "drift-method", ["v"], "", "the next drift method: KS, PSI, KL, JS, Wasserstein";
        Action::Waits, "waits", ["w"], "", "what waits for a person, in every cluster";
        Action::Acts, "acts", ["e"], "", "the act in flight, or the last one";
        Action::Filter, "filter", ["/"], "filter", "filter the fleet: regex, !inverse, -f fuzzy";
        Action::Sort, "sort", ["s"], "sort", "the next order of the fleet";
        Action::Copy, "copy", ["c"], "", "copy the selected model's state to the clipboard (OSC 52)";
        Action::Note, "note", ["n"], "note", "write a note into the timeline";
        Action::Incident, "incident", ["i"], "", "declare or join an incident, or show the open one";
        Action::Checklist, "checklist", ["l"], "", "the daily, weekly and monthly checks";
    }
    "time" {
        Action::Earlier, "earlier", ["Left"], "", "the whole room 15 s back in time; further while held";
        Action::Later, "later", ["Right"], "", "15 s forward in time";
        Action::MuchEarlier, "much-earlier", ["Shift-Left"], "", "5 min back in time; further while held";
        Action::MuchLater, "much-later", ["Shift-Right"], "", "5 min forward in time";
        Action::Live, "live", ["End"], "", "back to now";
    }
    "move" {
        Action::Up, "up", ["Up", "k"], "", "one row up";
        Action::Down, "down", ["Down", "j"], "", "one row down";
        Action::PageUp, "page-up", ["PageUp", "Ctrl-u"], "", "one page up";
        Action::PageDown, "page-down", ["PageDown", "Ctrl-d"], "", "one page down";
        Action::First, "first", ["Home", "g"], "", "to the first row";
        Action::Last, "last", ["G"], "", "to the last row";
    }
    "wardroom" {
        Action::Command, "command", [":"], "command", "write a command";
        Action::Help, "help", ["?"], "help", "this help";
        Action::Refresh, "refresh", ["r"], "", "ask every source now";
        Action::Mouse, "mouse", ["m"], "", "take the mouse, or give it back to the terminal";
        Action::Redraw, "redraw", ["Ctrl-l"], "", "draw everything again";
        Action::Quit, "quit", ["q", "Ctrl-c"], "quit", "leave at once";
    }
}

impl Action {
    /// Its row of the table.
    pub fn row(self) -> &'static ActionRow {
        // Every variant has a row; a test holds it. The first row is only a fallback for the compiler.
        ACTIONS.iter().find(|row| row.action == self).unwrap_or(&ACTIONS[0])
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|row| row.name == name).map(|row| row.action)
    }

    /// Whether it acts on the world.
    pub fn acts(self) -> bool {
        self.row().group == "act"
    }

    /// Whether it can be done now.
    pub fn availability(self, app: &App, store: &Store) -> Availability {
        if let Some(why) = time::forbids(app, self) {
            return Availability::No(why.into());
        }
        if self.acts() { acting::availability(self, app, store) } else { Availability::Yes }
    }

    /// Its word in the key bar now.
    pub fn bar_word(self, app: &App, store: &Store) -> &'static str {
        acting::bar_word(self, app, store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for row in ACTIONS {
            assert_eq!(Action::from_name(row.name), Some(row.action), "{}", row.name);
            assert_eq!(row.action.row().name, row.name);
            assert!(!row.keys.is_empty() && !row.words.is_empty(), "{}", row.name);
        }
    }
}
