//! The embedded fleet as a stage: real servers on loopback, a controller that obeys, load that is generated.

use crate::config::{Config, duration::Span};
use crate::demo::{StageHand, Trouble};
use crate::domain::{ModelId, Version};
use crate::drill::scenario::Scenario;
use crate::store::Store;

use super::{Doing, Stage, function};

/// Requests of the canary that must be counted before anything breaks: it was well first.
const WELL: u64 = 100;
/// How long the room learns what is normal before the test version comes, seconds: two looks of the judge.
const LEARNS_S: f64 = 7.0;
/// How long a version in service is watched before anything breaks, seconds: the registry is asked every five.
const IN_SERVICE_S: f64 = 8.0;
/// The window of rates and percentiles in a drill, seconds.
const WINDOW_S: u64 = 8;

/// The embedded fleet.
pub struct DemoStage {
    hand: StageHand,
    config: Config,
    folder: std::path::PathBuf,
}

impl DemoStage {
    /// A stage on a demo of the drill's story; `config` is that of its room, `folder` what the demo wrote.
    pub fn new(hand: StageHand, mut config: Config, folder: std::path::PathBuf) -> Self {
        config.window = Span::seconds(WINDOW_S);
        Self { hand, config, folder }
    }
}

/// Removes the files of a fleet that ended with its process.
pub(super) fn undo(written: &serde_json::Value) -> String {
    let folder = std::path::PathBuf::from(written["folder"].as_str().unwrap_or_default());
    let is_ours = folder.starts_with(std::env::temp_dir())
        && folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wardroom-demo-"));
    match is_ours && std::fs::remove_dir_all(&folder).is_ok() {
        true => "its fleet ended with it, and its files are removed".into(),
        false => "its fleet ended with it, and nothing was left".into(),
    }
}

impl Stage for DemoStage {
    fn name(&self) -> String {
        "demo".into()
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn model(&self) -> ModelId {
        ModelId::new(&self.config.environment, &self.hand.model())
    }

    fn versions(&self) -> (Version, Version) {
        let (stable, test) = self.hand.versions();
        (Version::new(&stable), Version::new(&test))
    }

    fn undo(&self) -> serde_json::Value {
        // The fleet ends with this process; only its files may stay.
        serde_json::json!({ "kind": "demo", "folder": self.folder })
    }

    fn is_ready(
        &self,
        scenario: Scenario,
        store: &Store,
        deployed: bool,
        waited_s: f64,
    ) -> Result<(), String> {
        let (stable, test) = self.versions();
        let model = store.model(&self.model()).ok_or("the model is not watched")?;
        let rollout = model.rollout.as_ref().ok_or("no controller has told of the rollout")?;
        if !deployed || scenario.breaks_by_deploying() {
            let counts = model.counted.rows().any(|row| row.version == stable);
            return match waited_s >= LEARNS_S && counts {
                true => Ok(()),
                false => Err(format!("the room learns what {stable} is like")),
            };
        }
        if scenario.is_after_promotion() {
            return match rollout.stable == test && waited_s >= IN_SERVICE_S {
                true => Ok(()),
                false => Err(format!("{test} comes into service")),
            };
        }
        let requests = model.verdict().map_or(0, |verdict| verdict.canary_requests);
        match requests >= WELL {
            true => Ok(()),
            false => Err(format!("{requests} of {WELL} requests to {test}, all well so far")),
        }
    }

    fn deploy(&self, scenario: Scenario) -> Doing<'_, ()> {
        if scenario.is_after_promotion() {
            self.hand.put_in_service();
        } else if !scenario.breaks_by_deploying() {
            self.hand.try_out();
        }
        Box::pin(async { Ok(()) })
    }

    fn inject(&self, scenario: Scenario) -> Doing<'_, ()> {
        self.hand.inject(match scenario {
            Scenario::LatencyRegression => Trouble::Slow,
            Scenario::ErrorBurst => Trouble::Failing,
            Scenario::SilentQualityLoss => Trouble::Wrong,
            Scenario::Drift => Trouble::Drifting,
            Scenario::NeverReady => Trouble::NeverReady,
            Scenario::RegistryMismatch => Trouble::AliasAway,
        });
        Box::pin(async { Ok(()) })
    }

    fn function_test(&self) -> Doing<'_, String> {
        Box::pin(async {
            let (stable, _) = self.versions();
            function::test(&self.config, &self.model(), &stable).await
        })
    }

    fn clean_up(&self) -> Doing<'_, ()> {
        self.hand.clear();
        Box::pin(async { Ok(()) })
    }

    fn is_clean(&self) -> Doing<'_, ()> {
        Box::pin(async { self.hand.is_clear() })
    }

    fn limits(&self, scenario: Scenario) -> Vec<String> {
        let mut limits = vec![
            "no cluster took part: the demo's controller moves traffic at once, real pods and routers take longer"
                .to_owned(),
            "no permission, admission policy, GitOps controller or autoscaler stood in the way".into(),
            "traffic was generated, 60 requests a second to one model: evidence comes later where there is less".into(),
            format!("rates are over {WINDOW_S} s here; a production window is minutes, so metrics settle later"),
            "nobody was called: the minutes until a person sits down are not in these numbers".into(),
        ];
        limits.extend(match scenario {
            Scenario::SilentQualityLoss => Some("labels came after 8 s; in a clinic they take days".to_owned()),
            Scenario::Drift => Some(
                "the drift ended with the version; drift of the patients themselves is not undone by a rollback".into(),
            ),
            Scenario::RegistryMismatch => Some("one registry, asked every 5 s".into()),
            _ => None,
        });
        limits
    }
}
