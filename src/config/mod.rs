//! Layered typed settings: file, environment, flags; every value knows where it came from.

pub mod access;
pub mod duration;
pub mod error;
pub mod model;
pub mod preset;

pub use access::{Access, Auth, Secret};
pub use error::ConfigError;
pub use model::{
    AlertmanagerConfig, CanaryConfig, Config, EndpointConfig, FileRegistryConfig, LimitConfig, MlflowConfig,
    MlopsConfig, ModelConfig, NamedRule, PrometheusConfig, PrometheusModel, Protocol, Severity,
};
pub use preset::{
    CounterPreset, DriftPreset, GaugePreset, HistogramPreset, HistogramType, MeanPreset, Preset, Unit,
};
