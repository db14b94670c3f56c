//! The models that a config names, ready for the store.

use std::collections::HashMap;
use std::sync::Arc;

use super::model::{Config, ModelConfig};
use super::validate::limits_of;
use crate::domain::{Limits, ModelId};
use crate::store::ModelSpec;

/// Every model of the config, in its order. Models of equal limits share them.
pub fn specs(config: &Config) -> Vec<ModelSpec> {
    let mut shared: HashMap<String, Arc<Limits>> = HashMap::new();
    let mut spec = |(index, model): (usize, &ModelConfig)| {
        let plain = model.limits.is_empty() && config.rule.iter().all(|rule| rule.models.is_empty());
        let limits = if plain {
            shared
                .entry(model.kind.word().into())
                .or_insert_with(|| Arc::new(limits_of(config, index)))
                .clone()
        } else {
            Arc::new(limits_of(config, index))
        };
        ModelSpec { id: model_id(config, model), kind: model.kind, limits }
    };
    config.model.iter().enumerate().map(&mut spec).collect()
}

/// The identity of a configured model.
pub fn model_id(config: &Config, model: &ModelConfig) -> ModelId {
    ModelId { namespace: model.namespace.as_str().into(), ..ModelId::new(&config.environment, &model.name) }
}
