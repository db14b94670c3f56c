//! Reads a registry that lies in files: `<root>/<model>/v<X.Y.Z>/metadata.json` and its neighbours.

mod read;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Config, FileRegistryConfig, Preset};
use crate::domain::text::clean;
use crate::domain::{
    Fact, Fault, FaultKind, Harvest, ModelId, RegisteredModel, SourceGroup, SourceId, SourceInfo, Time,
};
use crate::sources::remarks::Remarks;
use crate::sources::{Polled, Source, model_id};

/// One registry in files.
pub struct Files {
    info: SourceInfo,
    deadline: Duration,
    root: PathBuf,
    /// The folder's name, and the fleet's models that go by it.
    models: BTreeMap<String, Vec<ModelId>>,
    remarks: Remarks,
}

/// One source for each configured registry in files.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    Ok(config.files.iter().map(|files| Box::new(Files::new(config, files)) as Box<dyn Source>).collect())
}

impl Files {
    fn new(config: &Config, files: &FileRegistryConfig) -> Self {
        let mut models: BTreeMap<String, Vec<ModelId>> = BTreeMap::new();
        for model in &config.model {
            let name = model.registry_name.clone().unwrap_or_else(|| model.name.clone());
            models.entry(name).or_default().push(model_id(config, model));
        }
        Self {
            info: SourceInfo {
                id: SourceId::new(&files.name),
                group: SourceGroup::Registry,
                kind: "files".into(),
                place: clean(&files.path.display().to_string(), 200),
                interval_s: config.interval_s(files.interval),
                model: None,
                owes: Vec::new(),
            },
            deadline: config.timeout.0 * 2,
            root: files.path.clone(),
            models,
            remarks: Remarks::default(),
        }
    }

    async fn ask(&mut self) -> Result<Harvest, Fault> {
        let root = self.root.clone();
        let names: Vec<String> = self.models.keys().cloned().collect();
        // A dead mount blocks: not on the threads that poll.
        let read = tokio::task::spawn_blocking(move || read::registry(&root, &names)).await;
        let broke = |_| Fault::new(FaultKind::File, "reading the files broke off");
        let (models, remarks) = read.map_err(broke)??;
        let mut facts: Vec<Fact> = remarks.into_iter().map(Fact::Remark).collect();
        for (name, entry) in models {
            let ids = self.models.get(&name).cloned().unwrap_or_default();
            facts.extend(ids.into_iter().map(|model| Fact::Registered { model, entry: entry.clone() }));
        }
        Ok(Harvest::of(self.remarks.only_new(facts)))
    }
}

/// What was read: folders with their models, and what an operator should know.
type Registry = (Vec<(String, RegisteredModel)>, Vec<String>);

impl Source for Files {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.deadline
    }

    fn poll(&mut self, _: Time) -> Polled<'_> {
        Box::pin(self.ask())
    }
}
