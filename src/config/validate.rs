//! What a parser cannot see: names used twice, names of nothing, limits out of order.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::error::ConfigError;
use super::model::{Config, LimitConfig};
use super::places::Places;
use crate::domain::limits::beyond;
use crate::domain::{Kpi, Limits, ModelKind};

/// Looks at the settings as a whole.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn validate(config: &Config, places: &Places) -> Result<(), ConfigError> {
    spans(config, places)?;
    models(config, places)?;
    sources(config, places)?;
    super::drift_reports::validate(config, places)?;
    if let Some((key, remedy)) = config.judge.mistake() {
        let place = places.place(&format!("judge.{key}"));
        return Err(ConfigError::new(
            place,
            "the value makes no sense".to_owned(),
            format!("it must be {remedy}"),
        ));
    }
    super::samples::validate(config, places)?;
    super::feature_histograms::validate(config, places)?;
    super::control::validate(config, places)?;
    limits(config, places)?;
    rules(config, places)
}

fn spans(config: &Config, places: &Places) -> Result<(), ConfigError> {
    for (key, span) in [("refresh", config.refresh), ("timeout", config.timeout), ("window", config.window)] {
        if span.as_secs_f64() < 0.05 {
            let what = format!("{span} is too short");
            return Err(ConfigError::new(places.place(key), what, "write at least 50ms; 15s is usual"));
        }
    }
    for (key, number) in
        [("concurrency", config.concurrency as u64), ("max_answer_mib", config.max_answer_mib)]
    {
        if number == 0 {
            return Err(ConfigError::new(places.place(key), "0 would read nothing", "write 1 or more"));
        }
    }
    if !(1..=120).contains(&config.max_fps) {
        return Err(ConfigError::new(places.place("max_fps"), "is not between 1 and 120", "write 30"));
    }
    Ok(())
}

fn models(config: &Config, places: &Places) -> Result<(), ConfigError> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let prometheus: BTreeSet<&str> = config.prometheus.iter().map(|source| source.name.as_str()).collect();
    for (index, model) in config.model.iter().enumerate() {
        let key = format!("model[{index}]");
        if model.name.trim().is_empty() {
            return Err(ConfigError::new(
                places.place(&format!("{key}.name")),
                "is empty",
                "give the model a name",
            ));
        }
        if let Some(first) = seen.insert((&model.namespace, &model.name), index) {
            let first = places.place(&format!("model[{first}].name"));
            return Err(ConfigError::new(
                places.place(&format!("{key}.name")),
                format!("the model `{}` stands twice; first at {first}", model.name),
                "remove one, or give it another name or namespace",
            ));
        }
        if let Some(at) = &model.prometheus {
            let wanted = at.source.as_deref();
            if wanted.is_some_and(|name| !prometheus.contains(name)) || prometheus.is_empty() {
                return Err(ConfigError::new(
                    places.place(&format!("{key}.prometheus")),
                    format!("there is no [[prometheus]] named `{}`", wanted.unwrap_or("prometheus")),
                    "add the [[prometheus]] table with its url, or correct `source`",
                ));
            }
        }
    }
    Ok(())
}

fn sources(config: &Config, places: &Places) -> Result<(), ConfigError> {
    let mut all: Vec<(String, String, Option<&Url>)> = Vec::new();
    macro_rules! collect {
        ($($list:ident),*) => {
            $(for (index, source) in config.$list.iter().enumerate() {
                all.push((concat!(stringify!($list)).to_owned() + &format!("[{index}]"), source.name.clone(), Some(&source.url)));
            })*
        };
    }
    collect!(prometheus, mlflow, alertmanager, mlops, canary);
    for (index, files) in config.files.iter().enumerate() {
        all.push((format!("files[{index}]"), files.name.clone(), None));
    }
    for (index, reports) in config.drift_reports.iter().enumerate() {
        all.push((format!("drift_reports[{index}]"), reports.name.clone(), reports.url.as_ref()));
    }
    for (index, samples) in config.samples.iter().enumerate() {
        all.push((format!("samples[{index}]"), samples.name.clone(), None));
    }
    for (index, histograms) in config.feature_histograms.iter().enumerate() {
        all.push((format!("feature_histograms[{index}]"), histograms.name.clone(), None));
    }
    for (m, model) in config.model.iter().enumerate() {
        for (e, endpoint) in model.endpoint.iter().enumerate() {
            let key = format!("model[{m}].endpoint[{e}]");
            let name = endpoint.name.clone().unwrap_or_else(|| instance_name(&model.name, e));
            if let Some(metrics) = &endpoint.metrics {
                web_address(metrics, &format!("{key}.metrics"), places)?;
            }
            all.push((key, name, Some(&endpoint.url)));
        }
    }
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, name, url) in &all {
        if let Some(url) = url {
            web_address(url, &format!("{key}.url"), places)?;
        }
        if let Some(first) = seen.insert(name, key) {
            return Err(ConfigError::new(
                places.place(&format!("{key}.name")),
                format!("the source `{name}` stands twice; first at {}", places.place(first)),
                "give one of them another `name`",
            ));
        }
    }
    Ok(())
}

/// The name of an endpoint that has none: the model's with its number.
pub fn instance_name(model: &str, index: usize) -> String {
    format!("{model}-{}", index + 1)
}

fn web_address(url: &Url, key: &str, places: &Places) -> Result<(), ConfigError> {
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        if url.password().is_some() || !url.username().is_empty() {
            let what = "holds a user or password in the URL";
            let remedy = "write them under access.auth, where the secret is named and not written down";
            return Err(ConfigError::new(places.place(key), what, remedy));
        }
        return Ok(());
    }
    let what = format!("`{url}` is not a web address");
    Err(ConfigError::new(places.place(key), what, "write it as http://host:port/path or https://…"))
}

fn limits(config: &Config, places: &Places) -> Result<(), ConfigError> {
    for (scope, table) in &config.limits {
        if !["all", "classification", "regression"].contains(&scope.as_str()) {
            return Err(ConfigError::new(
                places.place(&format!("limits.{scope}")),
                format!("`{scope}` is no kind of model"),
                "write [limits.all], [limits.classification] or [limits.regression]; one model's limits go into [model.limits]",
            ));
        }
        for (&kpi, limit) in table {
            for kind in [ModelKind::Classification, ModelKind::Regression] {
                ordered(kpi, limit, kind, &format!("limits.{scope}.{}", kpi.id()), places)?;
            }
        }
    }
    for (index, model) in config.model.iter().enumerate() {
        for (&kpi, limit) in &model.limits {
            ordered(kpi, limit, model.kind, &format!("model[{index}].limits.{}", kpi.id()), places)?;
        }
    }
    Ok(())
}

/// Target, warning and critical must lie in the bad direction, one after the other. Only numbers that
/// stand in the config together are compared: an inherited one may be meant to change as well.
fn ordered(
    kpi: Kpi,
    limit: &LimitConfig,
    _: ModelKind,
    key: &str,
    places: &Places,
) -> Result<(), ConfigError> {
    let steps = [limit.target, limit.warning, limit.critical];
    let given: Vec<f64> = steps.into_iter().flatten().collect();
    let finite = given.iter().all(|value| value.is_finite());
    if !finite || given.windows(2).any(|pair| beyond(kpi, pair[0], pair[1])) {
        let way = if beyond(kpi, 1.0, 0.0) { "rise" } else { "fall" };
        return Err(ConfigError::new(
            places.place(key),
            format!("target, warning and critical of {} are out of order", kpi.label()),
            format!("they must {way} in this order"),
        ));
    }
    Ok(())
}

fn rules(config: &Config, places: &Places) -> Result<(), ConfigError> {
    for (index, rule) in config.rule.iter().enumerate() {
        if let Some(missing) =
            rule.models.iter().find(|name| !config.model.iter().any(|model| &model.name == *name))
        {
            return Err(ConfigError::new(
                places.place(&format!("rule[{index}].models")),
                format!("the rule `{}` names the model `{missing}`, which is not in the config", rule.name),
                "correct the name, or leave `models` out to judge every model",
            ));
        }
    }
    Ok(())
}

/// The rules of one model: the guide, then the config's general, kind's and own limits, then named rules.
pub fn limits_of(config: &Config, index: usize) -> Limits {
    use super::model::Severity;
    use crate::domain::limits::{Origin, Rule, default_samples};
    let Some(model) = config.model.get(index) else { return Limits::default() };
    let mut limits = Limits::guide(model.kind);
    let scopes = [
        (config.limits.get("all"), Origin::Fleet),
        (config.limits.get(model.kind.word()), Origin::Kind(model.kind)),
        (Some(&model.limits), Origin::Model),
    ];
    for (table, origin) in scopes {
        for (&kpi, given) in table.into_iter().flatten() {
            let old = limits.rule(kpi).cloned();
            let inherited = |pick: fn(&Rule) -> Option<f64>| old.as_ref().and_then(pick);
            let samples = old.as_ref().map_or_else(|| default_samples(kpi), |rule| rule.min_samples);
            let rule = Rule {
                target: given.target.or_else(|| inherited(|rule| rule.target)),
                warning: given.warning.or_else(|| inherited(|rule| rule.warning)),
                critical: given.critical.or_else(|| inherited(|rule| rule.critical)),
                min_samples: given.min_samples.unwrap_or(samples),
                origin: origin.clone(),
            };
            limits.set(kpi, rule);
        }
    }
    for named in &config.rule {
        if !named.models.is_empty() && !named.models.contains(&model.name) {
            continue;
        }
        let (warning, critical) = match named.severity {
            Severity::Warning => (Some(named.limit), None),
            Severity::Critical => (None, Some(named.limit)),
        };
        let rule = Rule {
            target: None,
            warning,
            critical,
            min_samples: named.min_samples.unwrap_or_else(|| default_samples(named.kpi)),
            origin: Origin::Named(named.name.clone()),
        };
        limits.add(named.kpi, rule);
    }
    limits
}
