//! Histograms of features in Prometheus: the last window's buckets against those of a reference in the
//! past. The drift is computed here, from counts by bucket.

use std::collections::BTreeMap;
use std::time::Duration;

use super::api::Api;
use super::query::{by, selector};
use super::wire::Line;
use crate::config::{Config, FeatureHistogramsConfig, Preset};
use crate::domain::text::{clean, clean_name};
use crate::domain::{
    Fact, Fault, FaultKind, FeatureDrift, Harvest, Kpi, ModelId, SourceGroup, SourceId, SourceInfo, Time,
};
use crate::drift::{Method, binned};
use crate::sources::http::Http;
use crate::sources::remarks::Remarks;
use crate::sources::{Polled, Source, lenient, model_id};
use crate::stats::Outcome;

/// What buckets can tell.
const METHODS: [Method; 4] = [Method::Ks, Method::Psi, Method::Js, Method::Kl];
/// Windows are long: asking more often than this shows nothing new.
const LEAST_INTERVAL_S: f64 = 60.0;
/// More features than this are cut.
const MOST_FEATURES: usize = 5_000;

/// One source for each configured histogram.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let build = |one| -> Result<Box<dyn Source>, Fault> { Ok(Box::new(Histograms::new(config, one)?)) };
    config.feature_histograms.iter().map(build).collect()
}

/// Histograms of one model's features.
struct Histograms {
    info: SourceInfo,
    api: Api,
    timeout: Duration,
    terms: Terms,
    /// A fixed reference never changes once it is there.
    fixed: Option<Vec<Line>>,
    remarks: Remarks,
}

/// What is asked, and how the answer is read.
#[derive(Debug, Clone)]
struct Terms {
    model: ModelId,
    config: FeatureHistogramsConfig,
}

impl Histograms {
    fn new(config: &Config, one: &FeatureHistogramsConfig) -> Result<Self, Fault> {
        let unfit = |what: &str| Fault::new(FaultKind::Absent, format!("{}: {what}", one.name));
        let models: Vec<_> = config.model.iter().map(|model| model_id(config, model)).collect();
        let model =
            lenient::find(&models, &clean_name(&one.model), None).ok_or_else(|| unfit("no such model"))?;
        let wanted = |name: &str| one.source.as_deref().is_none_or(|source| source == name);
        let server = config.prometheus.iter().find(|server| wanted(&server.name));
        let server = server.ok_or_else(|| unfit("no such [[prometheus]]"))?;
        let timeout = config.deadline(server.timeout);
        let most_bytes = config.max_bytes();
        let http = Http::new(&server.url, &server.access, timeout, most_bytes)?;
        let usual = config.refresh.as_secs_f64().max(LEAST_INTERVAL_S);
        let info = SourceInfo {
            id: SourceId::new(&one.name),
            group: SourceGroup::Prometheus,
            kind: "prometheus".into(),
            place: http.place(),
            interval_s: one.interval.map_or(usual, |span| span.as_secs_f64()),
            model: None,
            owes: vec![(model.clone(), Kpi::DataDrift)],
        };
        let terms = Terms { model: model.clone(), config: one.clone() };
        Ok(Self { info, api: Api::new(http), timeout, terms, fixed: None, remarks: Remarks::default() })
    }

    async fn ask(&mut self) -> Result<Harvest, Fault> {
        let now_s = self.api.time().await?;
        let window_s = self.terms.config.window.as_secs_f64();
        let current = self.api.instant(&self.terms.query(window_s), now_s).await?.lines;
        let reference = match (&self.fixed, self.terms.config.fixed()) {
            (Some(lines), _) => lines.clone(),
            (None, Some((from, to))) => {
                let query = self.terms.query((to - from).as_seconds_f64());
                let lines = self.api.instant(&query, to.timestamp_millis() as f64 / 1e3).await?.lines;
                self.fixed = Some(lines.clone()).filter(|lines| !lines.is_empty());
                lines
            }
            (None, None) => {
                let ago = self.terms.config.reference_offset.map_or(0.0, |span| span.as_secs_f64());
                self.api.instant(&self.terms.query(window_s), now_s - ago).await?.lines
            }
        };
        let at = Time::from_timestamp_millis((now_s * 1_000.0) as i64).unwrap_or_default();
        Ok(Harvest::of(self.remarks.only_new(self.terms.facts(&reference, &current, at))))
    }
}

impl Source for Histograms {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        // The clock, the window, the reference.
        self.timeout * 3
    }

    fn poll(&mut self, _: Time) -> Polled<'_> {
        Box::pin(self.ask())
    }
}

/// Observations up to each bound, infinity last, as they were summed over instances.
type Cumulative = Vec<(f64, f64)>;

impl Terms {
    /// Observations by bucket and feature within the last `window_s` seconds.
    fn query(&self, window_s: f64) -> String {
        let one = &self.config;
        let mut labels = vec!["le", one.feature_label.as_str()];
        labels.extend(one.group_label.as_deref());
        let series = selector(&one.metric, &[&one.select]);
        by("sum", &labels, &format!("increase({series}[{}s])", window_s.round().max(1.0) as u64))
    }

    /// Drift of every feature that both sides have, and what is to be known about the others.
    fn facts(&self, reference: &[Line], current: &[Line], at: Time) -> Vec<Fact> {
        let (r, x) = (self.features(reference), self.features(current));
        let mut features = Vec::new();
        let mut without: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for ((name, group), buckets) in x.iter().take(MOST_FEATURES) {
            let Some(before) = r.get(&(name.clone(), group.clone())) else {
                without.entry("not in the reference").or_default().push(name);
                continue;
            };
            match compare(before, buckets) {
                Outcome::Ok(all) => {
                    let of = |method| Some(self.drift(name, group, method, all.score(method)?, &all, at));
                    features.extend(METHODS.into_iter().filter_map(of));
                }
                Outcome::NoData => without.entry("without observations").or_default().push(name),
                _ => without.entry("without common bucket bounds").or_default().push(name),
            }
        }
        let gone = r.keys().filter(|key| !x.contains_key(*key)).map(|(name, _)| name.as_str());
        gone.for_each(|name| without.entry("gone").or_default().push(name));
        let mut facts: Vec<Fact> = Vec::new();
        let metric = &self.config.metric;
        if x.is_empty() || r.is_empty() {
            let side = if x.is_empty() { "the window" } else { "the reference" };
            let label = &self.config.feature_label;
            let text = format!(
                "{metric}: {side} holds no bucket with the label `{label}`: check the metric, \
                                the labels and how long the server keeps its data"
            );
            facts.push(remark(&text));
        }
        for (what, names) in without {
            let first: Vec<String> = names.iter().take(5).map(|name| clean_name(name)).collect();
            let more = if names.len() > 5 { ", …" } else { "" };
            facts.push(remark(&format!(
                "{metric}: {} features {what}: {}{more}",
                names.len(),
                first.join(", ")
            )));
        }
        if !features.is_empty() {
            facts.push(remark(&format!(
                "{metric}: drift is computed from buckets: the KS distance is a lower bound, for within a bucket \
                 nothing is seen"
            )));
            facts.push(Fact::Drift { model: self.model.clone(), features });
        }
        facts
    }

    /// Buckets by feature and group.
    fn features(&self, lines: &[Line]) -> BTreeMap<(String, String), Cumulative> {
        let mut all: BTreeMap<(String, String), Cumulative> = BTreeMap::new();
        for line in lines {
            let label = |name: &str| line.labels.get(name).map(String::as_str);
            let Some(feature) = label(&self.config.feature_label).filter(|name| !name.is_empty()) else {
                continue;
            };
            // Prometheus writes `+Inf`, which is a number to Rust.
            let Some(bound) = label("le").and_then(|le| le.parse::<f64>().ok()).filter(|le| !le.is_nan())
            else {
                continue;
            };
            let Some(&(_, count)) = line.points.last().filter(|(_, count)| count.is_finite()) else {
                continue;
            };
            let group = self.config.group_label.as_deref().and_then(label).unwrap_or_default();
            all.entry((feature.to_owned(), group.to_owned())).or_default().push((bound, count.max(0.0)));
        }
        all.values_mut().for_each(|buckets| buckets.sort_by(|a, b| a.0.total_cmp(&b.0)));
        all
    }

    fn drift(
        &self,
        name: &str,
        group: &str,
        method: Method,
        raw: f64,
        all: &binned::Binned,
        at: Time,
    ) -> FeatureDrift {
        FeatureDrift {
            feature: clean_name(name).into(),
            group: clean_name(group).into(),
            raw,
            scale: method.scale(),
            threshold: None,
            at,
            samples: Some(all.m),
            reference_samples: Some(all.n),
            shape: all.shape.clone(),
        }
    }
}

fn remark(text: &str) -> Fact {
    Fact::Remark(clean(text, 400))
}

/// Compares two histograms at the bounds that both have: a release may have changed them.
fn compare(reference: &Cumulative, current: &Cumulative) -> Outcome<binned::Binned> {
    let has = |side: &Cumulative, bound: f64| side.iter().any(|(le, _)| *le == bound);
    let bounds: Vec<f64> =
        reference.iter().map(|(le, _)| *le).filter(|&le| le.is_finite() && has(current, le)).collect();
    binned::compare(&bounds, &counts(&bounds, reference), &counts(&bounds, current))
}

/// Observations between the bounds; what no bucket counts up to infinity counts up to the last one.
fn counts(bounds: &[f64], buckets: &Cumulative) -> Vec<u64> {
    let mut before = 0.0f64;
    let up_to = |bound: f64| buckets.iter().find(|(le, _)| *le >= bound).map(|(_, count)| *count);
    let total = buckets.last().map_or(0.0, |(_, count)| *count);
    let ends = bounds.iter().map(|&bound| up_to(bound).unwrap_or(total)).chain([total]);
    // `increase` extrapolates each bucket by itself: a small step down is its rounding, not a negative count.
    ends.map(|end| {
        let count = (end - before).max(0.0);
        before = before.max(end);
        count.round() as u64
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DriftLevel, DriftScale};
    use crate::sources::prometheus::wire::{Answered, Data, Envelope};

    fn terms(more: &str) -> Terms {
        let text = format!(
            "[[prometheus]]\nurl = \"http://p/\"\n[[model]]\nname = \"als\"\n[[feature_histograms]]\nmodel = \"als\"\n\
             metric = \"model_feature_bucket\"\nselect = 'model=\"als\"'\nreference_offset = \"7d\"\n{more}"
        );
        let config = crate::config::parse("w.toml", &text, &[]).unwrap().config;
        assert_eq!(sources(&config, &BTreeMap::new()).unwrap().len(), 1);
        let model = model_id(&config, &config.model[0]);
        Terms { model, config: config.feature_histograms[0].clone() }
    }

    /// An answer as Prometheus sends it.
    fn answer(series: &[(&str, &str, f64)]) -> Vec<Line> {
        let one = |(feature, le, count): &(&str, &str, f64)| {
            let labels = format!(r#"{{"feature":"{feature}","le":"{le}","modality":"sensor"}}"#);
            format!(r#"{{"metric":{labels},"value":[1795205372.123,"{count}"]}}"#)
        };
        let all: Vec<String> = series.iter().map(one).collect();
        let text = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
            all.join(",")
        );
        Answered::of(serde_json::from_str::<Envelope<Data>>(&text).unwrap()).unwrap().lines
    }

    fn said(
        reference: &[(&str, &str, f64)],
        current: &[(&str, &str, f64)],
    ) -> (Vec<FeatureDrift>, Vec<String>) {
        let at = Time::from_timestamp(1_795_205_372, 0).unwrap();
        let facts = terms("group_label = \"modality\"\n").facts(&answer(reference), &answer(current), at);
        let (mut features, mut remarks) = (Vec::new(), Vec::new());
        for fact in facts {
            match fact {
                Fact::Drift { features: all, .. } => features = all,
                Fact::Remark(text) => remarks.push(text),
                other => panic!("{other:?}"),
            }
        }
        (features, remarks)
    }

    #[test]
    fn the_query_keeps_bucket_feature_and_group() {
        assert_eq!(
            terms("group_label = \"modality\"\n").query(3_600.0),
            "sum by (le, feature, modality) (increase(model_feature_bucket{model=\"als\"}[3600s]))"
        );
    }

    #[test]
    fn shares_of_buckets_make_every_scale() {
        let before = [("spo2", "10", 4000.2), ("spo2", "+Inf", 8000.4), ("spo2", "5", 2000.1)];
        let now = [("spo2", "5", 0.0), ("spo2", "10", 1000.0), ("spo2", "+Inf", 4000.0)];
        let (features, remarks) = said(&before, &now);
        let scales: Vec<DriftScale> = features.iter().map(|feature| feature.scale).collect();
        assert_eq!(scales, [DriftScale::Share, DriftScale::Psi, DriftScale::JensenShannon, DriftScale::Kl]);
        let ks = &features[0];
        assert!((ks.raw - 0.25).abs() < 1e-9, "{ks:?}");
        assert_eq!((&*ks.group, ks.level()), ("sensor", Some(DriftLevel::High)));
        assert_eq!((ks.reference_samples, ks.samples), (Some(8_000), Some(4_000)));
        assert_eq!(ks.shape.as_ref().unwrap().bins.len(), 3);
        assert!(features.iter().all(|feature| feature.raw.is_finite()));
        assert!(remarks.iter().any(|text| text.contains("lower bound")), "{remarks:?}");
    }

    #[test]
    fn only_common_bounds_count_and_odd_features_are_named() {
        let before = [
            ("a", "1", 50.0),
            ("a", "2", 80.0),
            ("a", "+Inf", 100.0),
            ("b", "1", 5.0),
            ("b", "+Inf", 10.0),
            ("c", "1", 5.0),
            ("c", "+Inf", 10.0),
            ("gone", "1", 5.0),
            ("gone", "+Inf", 10.0),
        ];
        let now = [
            ("a", "1", 50.0),
            ("a", "4", 90.0),
            ("a", "+Inf", 100.0),
            ("b", "3", 5.0),
            ("b", "+Inf", 10.0),
            ("c", "1", 0.0),
            ("c", "+Inf", 0.0),
            ("new", "1", 5.0),
            ("new", "+Inf", 10.0),
        ];
        let (features, remarks) = said(&before, &now);
        assert!(
            features.iter().all(|feature| &*feature.feature == "a" && feature.raw == 0.0),
            "{features:?}"
        );
        let all = remarks.join("\n");
        for part in [
            "without common bucket bounds: b",
            "without observations: c",
            "not in the reference: new",
            "gone: gone",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
    }

    #[test]
    fn an_empty_answer_says_what_to_check() {
        let (features, remarks) = said(&[], &[("a", "1", 1.0), ("a", "+Inf", 1.0)]);
        assert!(features.is_empty());
        assert!(remarks[0].contains("the reference holds no bucket"), "{remarks:?}");
        assert!(said(&[], &[]).1[0].contains("the window holds no bucket"));
    }
}
