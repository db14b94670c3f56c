//! The past: which moment is asked for, which is shown, and what may be done meanwhile. While a past moment is shown,
//! [`App::now`] is that moment and keys go to its store; the present goes on behind it.

mod held;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;

use super::action::Action;
use super::effect::Effect;
use super::state::{App, Dialog};
use crate::domain::{Level, Time};
use crate::store::{Past, Store};

pub use held::{BIG_S, Held, SMALL_S};

/// Nobody has a history of more, days: a key that is held stops there.
const FURTHEST_DAYS: i64 = 3_650;
/// More questions than this are not remembered: a history that answers none of them is stuck.
const AWAITED: usize = 256;

/// Which moment is shown.
#[derive(Debug, Clone, Default)]
pub struct TimeTravel {
    /// The moment that was asked for; `None`: now.
    pub asked: Option<Time>,
    /// The room as it was then, once it has come.
    pub past: Option<Box<Past>>,
    /// The present, while the past is shown.
    pub now: Option<Time>,
    /// Moments that the history was asked for and has not shown yet, in the order of asking.
    awaited: Vec<Time>,
    /// The oldest moment that is known.
    oldest: Option<Time>,
    held: Held,
}

impl TimeTravel {
    /// The moment that is being read, while another one stands on the screen.
    pub fn reading(&self) -> Option<Time> {
        self.asked.filter(|asked| self.past.as_ref().is_none_or(|past| past.asked != *asked))
    }
}

impl App {
    /// Whether the past is shown.
    pub fn is_past(&self) -> bool {
        self.time.now.is_some()
    }

    /// The present, whatever moment is shown.
    pub fn clock(&self) -> Time {
        self.time.now.map_or(self.now, |now| now.max(self.now))
    }

    /// Moves the clock of the present on. A past moment that is shown stays.
    pub fn wake(&mut self, now: Time) {
        let clock = self.time.now.as_mut().unwrap_or(&mut self.now);
        *clock = now.max(*clock);
    }

    /// What is shown: the live store, or that of the past.
    pub fn shown<'a>(&'a self, live: &'a Store) -> &'a Store {
        self.time.past.as_ref().map_or(live, |past| &past.store)
    }
}

/// Why an action cannot be done while the past is shown: whatever would act, or write something down.
pub fn forbids(app: &App, action: Action) -> Option<String> {
    let writes = matches!(action, Action::Note | Action::Acts | Action::Incident | Action::Checklist);
    (app.is_past() && (action.acts() || writes)).then(|| refusal(app))
}

/// Why nothing can be done.
pub fn refusal(app: &App) -> String {
    format!("the past: {} returns to now", app.keymap.key(Action::Live))
}

/// Does something with the store that is shown.
pub(super) fn on_shown<T>(
    app: &mut App,
    live: &mut Store,
    work: impl FnOnce(&mut App, &mut Store) -> T,
) -> T {
    let Some(mut past) = app.time.past.take() else { return work(app, live) };
    let done = work(app, &mut past.store);
    // A key may have led back to now.
    if app.is_past() {
        app.time.past = Some(past);
    }
    done
}

/// Does something in the present: what comes from outside comes now, whatever is shown.
pub(super) fn on_live<T>(app: &mut App, work: impl FnOnce(&mut App) -> T) -> T {
    let Some(now) = app.time.now else { return work(app) };
    let then = std::mem::replace(&mut app.now, now);
    let done = work(app);
    app.time.now = Some(app.now);
    app.now = then;
    done
}

/// Moves the whole room in time.
pub fn travel(app: &mut App, action: Action) -> Vec<Effect> {
    let live = app.clock();
    if action == Action::Live {
        return home(app);
    }
    let step = TimeDelta::seconds(app.time.held.step_s(action, live));
    let here = app.time.asked.unwrap_or(live);
    let back = matches!(action, Action::Earlier | Action::MuchEarlier);
    let there = match back {
        // The moment shown may be older than the one asked for: each step back shows something else.
        true => here.min(app.now).checked_sub_signed(step),
        false => here.checked_add_signed(step),
    };
    let there = there.unwrap_or(live).max(live - TimeDelta::days(FURTHEST_DAYS));
    if there >= live {
        return home(app);
    }
    let there = match app.time.oldest.filter(|&oldest| back && there < oldest) {
        Some(oldest) if here <= oldest || app.now <= oldest => {
            let moment = oldest.format("%Y-%m-%d %H:%M:%SZ");
            app.say(format!("nothing older than {moment} is known"), Level::Ok);
            return Vec::new();
        }
        Some(oldest) => oldest,
        None => there,
    };
    app.time.asked = Some(there);
    if app.time.awaited.len() == AWAITED {
        app.time.awaited.remove(0);
    }
    app.time.awaited.push(there);
    vec![Effect::Past(Some(there))]
}

/// Back to now, at once.
fn home(app: &mut App) -> Vec<Effect> {
    if !app.is_past() && app.time.asked.is_none() {
        app.say("this is now", Level::Ok);
        return Vec::new();
    }
    forget(app);
    vec![Effect::Past(None)]
}

fn forget(app: &mut App) {
    if let Some(now) = app.time.now.take() {
        app.now = now.max(app.now);
    }
    let time = &mut app.time;
    (time.asked, time.past) = (None, None);
    time.awaited.clear();
    time.held = Held::default();
}

/// A past moment came, or the reason why it did not. An answer that nobody waits for any more changes nothing; one that a
/// newer question has overtaken is shown until the newer one comes, so that a key that is held shows the way.
pub fn arrived(app: &mut App, past: Result<Box<Past>, String>) {
    let mut past = match past {
        Ok(past) => past,
        Err(why) => {
            // The old moment stays. An answer that is still under way is welcome.
            app.time.asked = app.time.past.as_ref().map(|past| past.asked);
            app.say(why, Level::Warning);
            return;
        }
    };
    let Some(place) = app.time.awaited.iter().position(|&asked| asked == past.asked) else { return };
    app.time.awaited.drain(..=place);
    if !app.is_past() && (app.has_box() || matches!(app.dialog, Dialog::Note(_))) {
        // Whoever is about to act or to write works in the present.
        forget(app);
        app.say("the room stays now: a dialog is open", Level::Ok);
        return;
    }
    past.store.judge_unjudged(past.at);
    let live = app.clock();
    app.time.now = Some(live);
    app.time.asked = app.time.asked.or(Some(past.asked));
    app.time.oldest = Some(past.oldest);
    app.now = past.at.min(live);
    app.time.past = Some(past);
}

/// Lays what was known before under a room that has just begun.
pub fn fill(store: &mut Store, past: &Store) {
    store.lay_under(past);
    store.lay_events_under(past);
}
