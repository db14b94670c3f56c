//! Layered typed settings: file, environment, flags; every value knows where it came from.

pub mod access;
pub mod control;
pub mod drift_reports;
pub mod duration;
pub mod error;
pub mod feature_histograms;
pub mod fleet;
pub mod history;
pub mod load;
pub mod model;
pub mod places;
pub mod preset;
pub mod samples;
pub mod servers;
pub mod show;
pub mod validate;

pub use access::{Access, Auth, Secret};
pub use control::{
    AutoConfig, AutoLevel, ClusterConfig, ControlConfig, HaproxyConfig, RolloutConfig, VerifyConfig,
};
pub use drift_reports::DriftReportsConfig;
pub use error::ConfigError;
pub use feature_histograms::FeatureHistogramsConfig;
pub use history::{HistoryConfig, TierConfig};
pub use load::{Loaded, Override, Surroundings, load, parse};
pub use model::{
    Config, EndpointConfig, LimitConfig, ModelConfig, NamedRule, PrometheusModel, Protocol, Severity,
};
pub use preset::{
    CounterPreset, DriftPreset, GaugePreset, HistogramPreset, HistogramType, MeanPreset, Preset, Unit,
};
pub use samples::SamplesConfig;
pub use servers::{
    AlertmanagerConfig, CanaryConfig, FileRegistryConfig, MlflowConfig, MlopsConfig, PrometheusConfig,
};

#[cfg(test)]
mod tests;
