//! What a drill does to the fleet from outside: a test version is deployed, something is broken, all is put back.
//! The room learns of it only through the servers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::fleet::Fleet;
use super::position::Position;
use super::story::{DRILLED, Mood};

/// How much a feature seems to drift while a version reads it wrongly, 0…1.
pub const DRIFT: f64 = 0.55;
/// How long labels take in a drill, seconds. In a clinic it is days.
pub const LABELS_LATE_S: f64 = 8.0;

/// What can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The test version answers six times slower.
    Slow,
    /// Every fourth request to the test version fails.
    Failing,
    /// The test version predicts wrongly; only labels tell, and they come late.
    Wrong,
    /// The test version reads features wrongly: its inputs seem to drift.
    Drifting,
    /// The pods of the test version never become ready.
    NeverReady,
    /// The registry calls the version before the test version production.
    AliasAway,
}

/// What is broken now, and since when.
#[derive(Debug, Default)]
pub struct Injected(Mutex<Option<(Trouble, Instant)>>);

impl Injected {
    fn now(&self) -> Option<(Trouble, Duration)> {
        let injected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        injected.map(|(trouble, since)| (trouble, since.elapsed()))
    }

    fn set(&self, trouble: Option<Trouble>) {
        let mut injected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *injected = trouble.map(|trouble| (trouble, Instant::now()));
    }

    /// Whether features seem to drift.
    pub fn drifts(&self) -> bool {
        matches!(self.now(), Some((Trouble::Drifting, _)))
    }

    /// The mood of the test version with what is broken; `told`: quality only as far as labels have come.
    pub fn over(&self, mood: Mood, told: bool) -> Mood {
        let Some((trouble, since)) = self.now() else { return mood };
        let has_labels = since.as_secs_f64() >= LABELS_LATE_S;
        match trouble {
            Trouble::Slow => Mood { slower: 6.0 * mood.slower, ..mood },
            Trouble::Failing => Mood { more_errors: mood.more_errors + 0.25, ..mood },
            Trouble::Wrong if !told || has_labels => Mood { quality: mood.quality - 0.25, ..mood },
            _ => mood,
        }
    }
}

/// The hand behind the stage of a drill. Everything happens at once: nothing here waits.
#[derive(Debug, Clone)]
pub struct StageHand {
    fleet: Arc<Fleet>,
}

impl StageHand {
    pub(super) fn new(fleet: Arc<Fleet>) -> Self {
        Self { fleet }
    }

    /// The model that a drill is done on.
    pub fn model(&self) -> String {
        self.fleet.models.get(DRILLED).map(|model| model.part.name.clone()).unwrap_or_default()
    }

    /// The version that serves before the drill, and the one that it tries.
    pub fn versions(&self) -> (String, String) {
        let name = |version: usize| {
            let part = self.fleet.models.get(DRILLED).map(|model| &model.part);
            part.and_then(|part| part.versions.get(version)).cloned().unwrap_or_default()
        };
        (name(self.stable()), name(self.stable() + 1))
    }

    fn stable(&self) -> usize {
        self.fleet.models.get(DRILLED).map_or(0, |model| model.part.stable)
    }

    /// The test version begins its trial at a quarter of the traffic.
    pub fn try_out(&self) {
        let (test, pods_s) = (self.stable() + 1, self.fleet.pods_s());
        self.moved(|position, t| position.trying(test, t, pods_s));
    }

    /// The test version gets all the traffic.
    pub fn put_in_service(&self) {
        let test = self.stable() + 1;
        self.moved(|position, t| position.in_service(test, t, "promoted"));
    }

    /// Breaks something.
    pub fn inject(&self, trouble: Trouble) {
        self.fleet.injected.set(Some(trouble));
        let (stable, test) = (self.stable(), self.stable() + 1);
        match trouble {
            Trouble::NeverReady => self.moved(|position, t| position.never_ready(test, t)),
            Trouble::AliasAway => {
                let (served, _) = self.fleet.serving(DRILLED);
                self.fleet.shelf.move_champion(DRILLED, stable, served);
            }
            _ => {}
        }
    }

    /// Puts everything back as it was before the drill.
    pub fn clear(&self) {
        self.fleet.injected.set(None);
        self.fleet.shelf.forget_aliases(DRILLED);
        let stable = self.stable();
        self.moved(|position, t| position.in_service(stable, t, "in service"));
    }

    /// Whether everything is as it was before the drill; what is not, in words.
    ///
    /// # Errors
    /// What is left of the drill.
    pub fn is_clear(&self) -> Result<(), String> {
        let (serving, trial) = self.fleet.serving(DRILLED);
        match (self.fleet.injected.now(), trial) {
            (Some((trouble, _)), _) => Err(format!("{trouble:?} is still injected")),
            (_, Some(_)) => Err("the test version is still on trial".into()),
            _ if serving != self.stable() => Err("another version than before serves".into()),
            _ => Ok(()),
        }
    }

    fn moved(&self, to: impl FnOnce(Position, f64) -> Position) {
        self.fleet.rollout(DRILLED, |track, position, t| {
            track.take(to(position, t));
            // Looking at it again moves the generation, and begins the count of its share.
            let arrived = || self.fleet.models.get(DRILLED).map(|state| state.arrived()).unwrap_or_default();
            track.look(None, t, self.fleet.pods_s(), arrived)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{DemoOptions, Scenario};
    use crate::domain::Situation;

    fn hand() -> StageHand {
        let options = DemoOptions { scenario: Scenario::Drill, models: 6, ..DemoOptions::default() };
        StageHand::new(Arc::new(Fleet::new(&options)))
    }

    fn position(hand: &StageHand) -> Position {
        hand.fleet.position(DRILLED).unwrap()
    }

    #[test]
    fn a_test_version_is_tried_broken_and_put_away() {
        let hand = hand();
        assert_eq!((position(&hand).stable, position(&hand).trial()), (1, None));
        assert_eq!(hand.is_clear(), Ok(()));
        hand.try_out();
        assert_eq!(position(&hand).trial(), Some((2, 0.25)));
        hand.inject(Trouble::Slow);
        let slower = |version| hand.fleet.mood(DRILLED, version, 1.0, true).slower;
        assert_eq!((slower(1), slower(2)), (1.0, 6.0), "stable stays well");
        assert!(hand.is_clear().is_err());
        hand.clear();
        assert_eq!(hand.is_clear(), Ok(()));
        assert_eq!((slower(2), position(&hand).situation), (1.0, Situation::Complete));
    }

    #[test]
    fn quality_is_lost_at_once_and_told_when_labels_come() {
        let hand = hand();
        hand.try_out();
        hand.inject(Trouble::Wrong);
        let quality = |told| hand.fleet.mood(DRILLED, 2, 1.0, told).quality;
        assert!(quality(false) < -0.2);
        assert_eq!(quality(true), 0.0);
    }

    #[test]
    fn inputs_drift_only_while_the_version_is_used() {
        let hand = hand();
        hand.try_out();
        hand.inject(Trouble::Drifting);
        assert!(hand.fleet.drift(DRILLED, 0, 1.0) > 0.5);
        assert!(hand.fleet.drift(DRILLED - 1, 0, 1.0) < 0.1);
        hand.inject(Trouble::NeverReady);
        assert_eq!(position(&hand).situation, Situation::Degraded);
        assert!(hand.fleet.drift(DRILLED, 0, 1.0) < 0.1);
    }

    #[test]
    fn a_registry_that_was_led_astray_is_led_back() {
        let hand = hand();
        hand.put_in_service();
        assert_eq!(position(&hand).stable, 2);
        let champion = || super::super::shelf::aliases(&hand.fleet, DRILLED)["champion"];
        assert_eq!(champion(), 2);
        hand.inject(Trouble::AliasAway);
        assert_eq!(champion(), 1);
        hand.clear();
        assert_eq!((champion(), position(&hand).stable), (1, 1));
    }
}
