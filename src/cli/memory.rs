//! The room's way to the history: what was seen, on a thread that owns the file.

use tokio::sync::mpsc;

use crate::config::Config;
use crate::domain::Time;
use crate::history::{History, Keep, Kept, Settings, Tier};
use crate::records;
use crate::store::Store;

/// What the history tells before the room listens.
const WORDS: usize = 256;

/// The history as the room has it; none when the config switches it off.
pub struct Memory {
    history: Option<History>,
    told: mpsc::Receiver<Kept>,
}

impl Memory {
    /// Opens the history of a config, and asks it to fill the charts of a room whose store begins as `empty`. Never
    /// waits for the disk.
    pub fn of(config: &Config, empty: &Store) -> Self {
        let (tell, told) = mpsc::channel(WORDS);
        if config.history.off {
            return Self { history: None, told };
        }
        match settings(config) {
            Ok(settings) => {
                // The thread of the history waits when the room is slow to listen; nobody else does.
                let history = History::open(settings, move |kept| drop(tell.blocking_send(kept)));
                history.ask(Keep::Fill(Box::new(empty.clone())));
                Self { history: Some(history), told }
            }
            Err(why) => {
                // The channel is empty: there is room for one.
                let _ = tell.try_send(Kept::Trouble(why));
                Self { history: None, told }
            }
        }
    }

    /// What the history tells next; never ready without one.
    pub async fn told(&mut self) -> Option<Kept> {
        self.told.recv().await
    }

    /// Shows the history what the room shows.
    pub fn observe(&mut self, store: &Store, now: Time) {
        if let Some(history) = &mut self.history {
            history.observe(store, now);
        }
    }

    /// Asks the history.
    ///
    /// # Errors
    /// There is none, or it has too much to do.
    pub fn ask(&self, what: Keep) -> Result<(), String> {
        match &self.history {
            None => Err("no history is kept here (history.off, or see the log: 0)".into()),
            Some(history) if history.ask(what) => Ok(()),
            Some(_) => Err("the history is busy; try again".into()),
        }
    }
}

/// How a config wants its history kept.
///
/// # Errors
/// No folder to be had; resolutions that are none.
pub fn settings(config: &Config) -> Result<Settings, String> {
    let wanted = config.history.folder.as_deref().or(config.control.folder.as_deref());
    let folder = records::folder(wanted).map_err(|error| error.to_string())?;
    let seconds = |span: crate::config::duration::Span| u32::try_from(span.0.as_secs()).unwrap_or(u32::MAX);
    let tiers = config.history.tier.iter();
    let tiers: Vec<Tier> =
        tiers.map(|tier| Tier { step_s: seconds(tier.step), keep_s: seconds(tier.keep) }).collect();
    fit(&tiers)?;
    Ok(Settings {
        folder,
        max_bytes: config.history.max_mib.saturating_mul(1 << 20),
        tiers,
        frame_s: config.history.frame.as_secs_f64(),
        environment: config.environment.clone(),
    })
}

/// Whether the resolutions can be made of one another.
fn fit(tiers: &[Tier]) -> Result<(), String> {
    let wrong = |what: String| {
        Err(format!("history.tier: {what}; write the finest first, such as step = \"15s\", keep = \"1d\""))
    };
    if tiers.is_empty() {
        return wrong("there is none".into());
    }
    if let Some(tier) = tiers.iter().find(|tier| tier.step_s == 0 || tier.keep_s / 2 < tier.step_s) {
        return wrong(format!("{} s for {} s keeps nothing", tier.step_s, tier.keep_s));
    }
    for pair in tiers.windows(2) {
        let (finer, coarser) = (pair[0], pair[1]);
        if coarser.step_s <= finer.step_s || coarser.step_s % finer.step_s != 0 {
            return wrong(format!("{} s is no multiple of {} s", coarser.step_s, finer.step_s));
        }
        if coarser.keep_s < finer.keep_s || finer.keep_s / 2 < coarser.step_s {
            return wrong(format!("{} s must be kept longer than {} s", coarser.step_s, finer.step_s));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_made_of_one_another() {
        let tiers = |list: &[(u32, u32)]| -> Vec<Tier> {
            list.iter().map(|&(step_s, keep_s)| Tier { step_s, keep_s }).collect()
        };
        assert_eq!(fit(&tiers(&[(15, 86_400), (60, 1_209_600), (600, 7_776_000)])), Ok(()));
        let bad: [&[(u32, u32)]; 5] = [
            &[],
            &[(0, 60)],
            &[(60, 3_600), (15, 7_200)],
            &[(15, 3_600), (40, 7_200)],
            &[(15, 60), (60, 600)],
        ];
        for list in bad {
            let why = fit(&tiers(list)).unwrap_err();
            assert!(why.contains("history.tier"), "{list:?}: {why}");
        }
    }
}
