//! Two defences against a baseline whose instances differ by themselves: a sentinel that compares the
//! baseline with itself, and a test by the rank of the canary among the baseline's instances.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Event, Test};
use super::portion::{Portion, Role};
use crate::stats::sequential::rank::RankBlock;
use crate::stats::sequential::{Arm, Block, EProcess, Ranks};
use crate::stats::special::log_mean_exp;

/// A block of the rank test lasts at least this long, seconds.
const RANK_BLOCK_S: f64 = 300.0;
/// Baseline instances that the rank test needs.
const RANK_INSTANCES: usize = 3;

/// The baseline against itself: its halves against each other, both ways round, and each instance against
/// all others. One bad node is averaged away in a half and stands out alone; simulated, healthy canaries on
/// wobbling instances are called worse before the sentinel half as often as with halves alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sentinel {
    channels: Vec<(Event, [Test; 2])>,
    /// The instances of the first block, each with its tests by channel. The set is fixed, as the weights of
    /// a mean of evidence must not depend on what comes; later instances are in the halves only.
    singles: Option<BTreeMap<Arc<str>, Vec<Test>>>,
    /// ln of the largest evidence so far.
    pub max_log_e: f64,
    /// Whether both halves have ever had a request in one block.
    pub is_available: bool,
}

/// Instances that are each compared with the others, at most: more are told apart by halves alone.
const SINGLES: usize = 24;

/// Which half of the baseline an instance belongs to: by a hash of its name alone (FNV-1a, mixed), so that
/// it never changes sides.
fn half(instance: &str) -> bool {
    let hash = instance
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mix(hash) & 1 == 1
}

/// Splitmix64's finaliser.
fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Sentinel {
    /// The same tests as these channels run, on the baseline alone.
    pub fn new(channels: &[Channel]) -> Self {
        let test = |channel: &Channel| channel.test.from_start().fresh();
        let pairs = channels.iter().map(|channel| (channel.event, [test(channel), test(channel)]));
        Self { channels: pairs.collect(), singles: None, max_log_e: 0.0, is_available: false }
    }

    /// Takes in a block; does nothing while instances are not told apart, or there is only one.
    pub fn update(&mut self, portions: &[&Portion]) {
        let named: Vec<(&Portion, &Arc<str>)> = portions
            .iter()
            .filter(|portion| portion.role == Role::Baseline)
            .filter_map(|portion| Some((*portion, portion.instance.as_ref()?)))
            .collect();
        if !named.iter().any(|entry| entry.1 != named[0].1) {
            return;
        }
        self.is_available = true;
        let block = |event: Event, is_canary: &dyn Fn(&Arc<str>) -> bool| {
            let mut block = Block::default();
            for (portion, instance) in &named {
                let role = if is_canary(instance) { Role::Canary } else { Role::Baseline };
                let Some(arm) = event.count(&portion.counts, role) else { continue };
                if role == Role::Canary { block.canary.add(arm) } else { block.baseline.add(arm) }
            }
            block
        };
        // Before this block: a test must not know the block that it judges.
        let fresh: Vec<Test> = self.channels.iter().map(|(_, [test, _])| test.fresh()).collect();
        for (event, tests) in &mut self.channels {
            for (test, turned) in tests.iter_mut().zip([false, true]) {
                test.update(&block(*event, &|instance| half(instance) == turned));
            }
        }
        let singles = self.singles.get_or_insert_with(|| {
            let names: BTreeSet<&Arc<str>> = named.iter().map(|entry| entry.1).collect();
            let few = if names.len() <= SINGLES { names } else { BTreeSet::new() };
            few.into_iter().map(|name| (name.clone(), fresh.clone())).collect()
        });
        for (name, tests) in singles {
            for ((event, _), test) in self.channels.iter().zip(tests) {
                test.update(&block(*event, &|instance| instance == name));
            }
        }
        self.max_log_e = self.max_log_e.max(self.log_e());
    }

    /// ln E now: half of it the mean over the halves, half of it the mean over single instances.
    pub fn log_e(&self) -> f64 {
        let mean = |logs: Vec<f64>| if logs.is_empty() { 0.0 } else { log_mean_exp(&logs) };
        let halves =
            mean(self.channels.iter().flat_map(|(_, tests)| tests.iter().map(EProcess::log_e)).collect());
        let singles = self.singles.iter().flatten().flat_map(|(_, tests)| tests.iter().map(EProcess::log_e));
        let singles: Vec<f64> = singles.collect();
        if singles.is_empty() { halves } else { log_mean_exp(&[halves, mean(singles)]) }
    }
}

/// The canary's rank among the baseline's instances, block by block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankTest {
    event: Event,
    ranks: Ranks,
    begun_s: Option<f64>,
    counts: BTreeMap<(bool, Arc<str>), Arm>,
    drawn: u64,
    /// Blocks that were ranked.
    pub blocks: u64,
    /// ln of the largest evidence so far.
    pub max_log_e: f64,
}

impl RankTest {
    /// A test of this event; `seed` breaks ties.
    pub fn new(event: Event, seed: u64) -> Self {
        Self {
            event,
            ranks: Ranks::default(),
            begun_s: None,
            counts: BTreeMap::new(),
            drawn: seed,
            blocks: 0,
            max_log_e: 0.0,
        }
    }

    /// Takes in the portions of a block that ends at `at_s`.
    pub fn update(&mut self, at_s: f64, portions: &[&Portion]) {
        let begun = *self.begun_s.get_or_insert(at_s);
        for portion in portions {
            let Some(instance) = &portion.instance else { continue };
            // The canary is counted by the baseline's rule: only then is it one of them under the null.
            if let Some(arm) = self.event.count(&portion.counts, Role::Baseline) {
                self.counts.entry((portion.role == Role::Canary, instance.clone())).or_default().add(arm);
            }
        }
        if at_s - begun >= RANK_BLOCK_S {
            self.close();
            self.begun_s = Some(at_s);
        }
    }

    /// ln E now.
    pub fn log_e(&self) -> f64 {
        self.ranks.log_e()
    }

    fn close(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        let rates = |canary: bool| -> Vec<f64> {
            let mine = counts.iter().filter(|((is_canary, _), arm)| *is_canary == canary && arm.trials > 0);
            mine.map(|(_, arm)| arm.rate()).collect()
        };
        let (canary, mut baseline) = (rates(true), rates(false));
        if canary.is_empty() {
            return;
        }
        // Several canary instances: their mean against means of equally many of the baseline.
        baseline.truncate(baseline.len() / canary.len() * canary.len());
        let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
        let groups: Vec<f64> = baseline.chunks(canary.len()).map(mean).collect();
        if groups.len() < RANK_INSTANCES {
            return;
        }
        let mine = mean(&canary);
        self.drawn = mix(self.drawn);
        let block = RankBlock {
            worse: groups.iter().filter(|&&rate| rate > mine).count() as u64,
            ties: groups.iter().filter(|&&rate| rate == mine).count() as u64,
            drawn: ((self.drawn >> 11) as f64 + 0.5) / (1u64 << 53) as f64,
        };
        self.ranks.update(groups.len() as u64, block);
        self.blocks += 1;
        self.max_log_e = self.max_log_e.max(self.ranks.log_e());
    }
}
