//! The room's recording: what the loop hands to the recorder, and what it says to the operator.

use std::path::Path;

use super::out;
use crate::app::{App, Effect, Msg, update};
use crate::domain::Level;
use crate::store::Store;
use crate::tape::write::Word;
use crate::tape::{Draft, Recorder};

/// The recording of a room; none unless it was asked for.
pub struct Recording(Option<Recorder>);

impl Recording {
    /// Makes the file of `--record`, before the terminal is taken.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn draft(file: Option<&Path>) -> Result<Option<Draft>, String> {
        file.map(Draft::create).transpose()
    }

    /// Begins with the whole state.
    pub fn begin(draft: Option<Draft>, app: &App, store: &Store) -> Self {
        Self(draft.and_then(|draft| draft.begin(app, store)))
    }

    /// Lets the room take a message in, and keeps it.
    pub fn update(&mut self, app: &mut App, store: &mut Store, msg: Msg) -> Vec<Effect> {
        let note = self.0.as_ref().map(|_| Recorder::note(&msg, store));
        let effects = update(app, store, msg);
        if let (Some(recorder), Some(note)) = (&mut self.0, note) {
            recorder.keep(note, app, store);
        }
        effects
    }

    /// Keeps where the operator looks, with every frame.
    pub fn look(&mut self, app: &App) {
        if let Some(recorder) = &mut self.0 {
            recorder.look(app);
        }
    }

    /// Every second: says how the recording is doing, when there is something to say.
    pub fn keep_up(&mut self, app: &mut App, store: &Store) {
        let Some(word) = self.0.as_mut().and_then(|recorder| recorder.keep_up(app, store)) else { return };
        let (Word::Behind(words) | Word::GoesOn(words) | Word::Ended(words)) = &word;
        tracing::warn!(target: "room", "{words}");
        app.say(words.clone(), Level::Warning);
        if matches!(word, Word::Ended(_)) {
            self.0 = None;
        }
    }

    /// Ends it, once the terminal is given back.
    pub fn end(&mut self) {
        if let Some(Err(why)) = self.0.take().map(Recorder::end) {
            out::complain(&why);
        }
    }
}
