//! What an engine is made of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Controller, Registry, Sight, register};
use crate::config::Config;
use crate::domain::Time;
use crate::domain::act::Who;
use crate::records::{self, Ledger};

/// Reads the time.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;
/// Makes numbers that were not used before.
pub type Fresh = Arc<dyn Fn() -> u32 + Send + Sync>;

/// How often the engine looks.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two questions whether a request may be sent.
    pub ready: Duration,
    /// Between two looks just after the requests.
    pub soon: Duration,
    /// Between two looks later.
    pub later: Duration,
    /// Between two looks of the watch.
    pub watch: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            ready: Duration::from_millis(250),
            soon: Duration::from_millis(300),
            later: Duration::from_secs(1),
            watch: Duration::from_secs(5),
        }
    }
}

/// Everything an engine is made of.
pub struct Parts {
    /// Who can act on rollouts.
    pub controllers: Vec<Box<dyn Controller>>,
    /// Who moves the registry along.
    pub registry: Option<Box<dyn Registry>>,
    /// The journal and the audit trail.
    pub ledger: Arc<Ledger>,
    /// The clock.
    pub clock: Clock,
    /// The maker of names.
    pub fresh: Fresh,
    /// Who acts.
    pub who: Who,
    /// The settings.
    pub config: Arc<Config>,
    /// What is known of the world, renewed at every tick.
    pub sight: watch::Receiver<Arc<Sight>>,
    /// Whether it takes over the watch of acts that an earlier process left, and acts by itself where the config
    /// says so: a room does, a single command does not.
    pub resident: bool,
    /// How often it looks.
    pub pace: Pace,
}

impl Parts {
    /// The parts that a config asks for. Only a room is `resident`.
    ///
    /// # Errors
    /// A journal that cannot be opened, a controller or a registry that cannot be set up.
    pub fn of(
        config: Arc<Config>,
        who: Who,
        clock: fn() -> Time,
        sight: watch::Receiver<Arc<Sight>>,
        resident: bool,
    ) -> Result<Self, String> {
        Ok(Self {
            ledger: ledger(&config)?,
            controllers: register::controllers(&config).map_err(|fault| fault.to_string())?,
            registry: register::registry(&config).map_err(|fault| fault.to_string())?,
            clock: Arc::new(clock),
            fresh: random_names(),
            who,
            config,
            sight,
            resident,
            pace: Pace::default(),
        })
    }
}

/// Opens the journal of a config.
///
/// # Errors
/// A folder that cannot be written, a key that cannot be read.
pub fn ledger(config: &Config) -> Result<Arc<Ledger>, String> {
    let folder = records::folder(config.control.folder.as_deref()).map_err(|error| error.to_string())?;
    let ledger = Ledger::open(&folder, config.control.age_identity.as_deref());
    ledger.map(Arc::new).map_err(|error| error.to_string())
}

/// Numbers from the system's random source.
pub fn random_names() -> Fresh {
    Arc::new(rand::random::<u32>)
}
