//! Which names a recording has, and what stands for each.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use regex::{Regex, RegexBuilder};

use crate::domain::act::{Act, Who};
use crate::domain::incident::{Entry, Matter};
use crate::domain::{Alert, Fact, ModelId, RegisteredModel, Report, Rollout, Silence, SourceInfo, Target};
use crate::store::Store;
use crate::tape::item::{Item, Scene, Whole};

/// What stands for a text that is masked as a whole.
pub const MASKED: &str = "masked";
/// From this length on a name is replaced wherever it occurs; a shorter one only where it stands alone, characters.
const LONG: usize = 5;
/// Kinds of names that are replaced within longer words, too; those of other kinds are common words too often.
const WITHIN: [&str; 6] = ["model", "env", "cluster", "ns", "host", "sre"];
/// Words that are no names, whoever uses them as one: they tell nothing, and stand in every other line.
#[rustfmt::skip]
const PLAIN: [&str; 30] = [
    "default", "wardroom", "automatic", "room", "command line", "true", "demo", "prometheus", "mlflow", "mlops",
    "canary", "stable", "registry", "controller", "endpoints", "samples", "alertmanager", "alerts", "argo", "flagger",
    "argo-rollouts", "kserve", "haproxy", "latency", "drift", "quality", "errors", "accuracy", "concept", "prediction",
];
/// The largest pattern of names, bytes.
const PATTERN: usize = 1 << 28;

/// What happens to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It stays: a word of the form, a version, a KPI.
    Keep,
    /// Known names and addresses in it are replaced.
    Names,
    /// It is replaced as a whole, but for numbers and versions.
    Text,
    /// It is emptied.
    Drop,
}

impl Rule {
    /// The rule of a field of a type (`0`: its only content), given that of where the type stands.
    pub fn of(of: &str, field: &str, around: Self) -> Self {
        match (of, field) {
            // The words that tell variants apart, and words of wardroom's own.
            (_, "is") | ("Operation", "act") => Self::Keep,
            ("Version" | "ActId" | "EntryId" | "IncidentId", "0") => Self::Keep,
            ("Fact", "metric" | "kind") | ("SourceInfo", "kind") => Self::Keep,
            ("FeatureDrift", "feature" | "group") | ("Judgement", "kpi") => Self::Keep,
            ("RegisteredVersion", "stage" | "status") | ("Analysis", "kind" | "phase") => Self::Keep,
            ("Request", "verb" | "content_type") | ("CheckPlan" | "Check", "id") => Self::Keep,
            ("Head", "wardroom" | "theme") | ("ModelState", "drift") => Self::Keep,
            ("Alert", "summary" | "labels") | ("Silence", "comment" | "matchers") => Self::Text,
            ("RegisteredModel", "description" | "tags") => Self::Text,
            ("RegisteredVersion", "description" | "tags" | "facts" | "approvals") => Self::Text,
            ("Plan", "reason") | ("Matter", "text" | "title") | ("Written", _) => Self::Text,
            ("Glance", "filter") => Self::Drop,
            _ => around,
        }
    }
}

/// The names of a recording with what stands for each.
#[derive(Debug, Default)]
pub struct Names {
    stand_ins: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
    pattern: Option<Regex>,
    addresses: Option<Regex>,
    /// Addresses as they come, and texts that were masked before.
    hosts: RefCell<HashMap<String, String>>,
    memory: RefCell<HashMap<String, String>>,
}

impl Names {
    /// How many names have a stand-in.
    pub fn len(&self) -> usize {
        self.stand_ins.len() + self.hosts.borrow().len()
    }

    /// Learns the names of a whole state.
    pub fn learn_whole(&mut self, whole: &Whole) {
        self.learn_store(&whole.store);
        self.learn_scene(&whole.scene);
    }

    /// Learns the names of one thing that came.
    pub fn learn_item(&mut self, item: &Item) {
        match item {
            Item::Report(report) => self.learn_report(report),
            Item::Desk(desk) => {
                self.person(desk.operator());
                desk.all_acts().for_each(|act| self.learn_act(act));
                desk.all_entries().for_each(|entry| self.learn_entry(entry));
            }
            Item::Glance(_) | Item::Events(_) | Item::Tick(_) | Item::Now(_) => {}
        }
    }

    fn learn_scene(&mut self, scene: &Scene) {
        self.learn_item(&Item::Desk(Box::new(scene.desk.clone())));
    }

    fn learn_store(&mut self, store: &Store) {
        self.name("env", &store.environment);
        for model in &store.models {
            self.model(&model.id);
            for (source, entry) in &model.registry {
                self.name("source", &source.0);
                self.registered(entry);
            }
            if let Some(rollout) = &model.rollout {
                self.rollout(rollout);
            }
            for (name, instance) in &model.instances {
                self.name("instance", name);
                if let Some(status) = &instance.status {
                    self.name("instance", &status.instance);
                }
            }
        }
        store.sources.iter().for_each(|source| self.source(&source.info));
        store.alerts.values().flatten().for_each(|alert| self.alert(alert));
        store.silences.values().flatten().for_each(|silence| self.silence(silence));
    }

    fn learn_report(&mut self, report: &Report) {
        self.name("source", &report.source.0);
        let Ok(harvest) = &report.outcome else { return };
        for fact in &harvest.facts {
            match fact {
                Fact::Endpoint { status, .. } => self.name("instance", &status.instance),
                Fact::Registered { entry, .. } => self.registered(entry),
                Fact::Rollout { rollout, .. } => self.rollout(rollout),
                Fact::Alerts(alerts) => alerts.iter().for_each(|alert| self.alert(alert)),
                Fact::Silences(silences) => silences.iter().for_each(|silence| self.silence(silence)),
                _ => {}
            }
        }
    }

    fn learn_act(&mut self, act: &Act) {
        let Who { user, origin, host, identity, .. } = &act.plan.who;
        self.person(user);
        self.person(identity);
        self.name("host", origin);
        self.name("host", host);
        // Lines of the timeline may repeat it.
        self.name("text", &act.plan.reason);
        self.model(&act.plan.model);
        self.target(&act.plan.target);
    }

    fn learn_entry(&mut self, entry: &Entry) {
        self.person(&entry.by);
        match &entry.matter {
            Matter::Role { person, .. } => self.person(person),
            Matter::FollowUp { owner, .. } => self.person(owner),
            Matter::Declared { models, .. } => models.iter().for_each(|model| self.name("model", model)),
            _ => {}
        }
    }

    fn model(&mut self, id: &ModelId) {
        self.name("env", &id.environment);
        self.name("cluster", &id.cluster);
        self.name("ns", &id.namespace);
        self.name("model", &id.name);
    }

    fn target(&mut self, target: &Target) {
        self.name("source", &target.system.0);
        self.name("cluster", &target.context);
        self.name("ns", &target.namespace);
        self.name("object", &target.name);
    }

    fn rollout(&mut self, rollout: &Rollout) {
        if let Some(target) = &rollout.target {
            self.target(target);
        }
        for image in rollout.revisions.iter().flat_map(|revision| &revision.images) {
            self.name("image", image.rsplit_once(':').map_or(image, |(name, _)| name));
        }
    }

    fn registered(&mut self, entry: &RegisteredModel) {
        self.name("model", &entry.name);
        entry.versions.iter().flat_map(|version| version.approvals.values()).for_each(|who| self.person(who));
    }

    fn source(&mut self, info: &SourceInfo) {
        if info.id.0.as_ref() != info.kind {
            self.name("source", &info.id.0);
        }
        let place = info.place.split_once("://").map_or(info.place.as_str(), |(_, rest)| rest);
        let address = place.split(['/', '?', '#']).next().unwrap_or_default();
        self.name("host", address);
        self.name("host", address.rsplit_once(':').map_or(address, |(host, _)| host));
        if !info.place.contains("://") {
            self.name("place", &info.place);
        }
    }

    fn alert(&mut self, alert: &Alert) {
        // Lines of the timeline repeat it.
        self.name("text", &alert.summary);
    }

    fn silence(&mut self, silence: &Silence) {
        self.person(&silence.by);
        self.name("text", &silence.comment);
    }

    fn person(&mut self, who: &str) {
        match who.split_once('@') {
            Some((user, host)) => {
                self.name("sre", user);
                self.name("host", host);
            }
            None => self.name("sre", who),
        }
    }

    /// Gives a name its stand-in, unless it has one or is none.
    fn name(&mut self, kind: &'static str, name: &str) {
        let is_none = name.is_empty() || is_number(name) || PLAIN.contains(&name);
        if is_none || self.stand_ins.contains_key(name) {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        self.stand_ins.insert(name.to_owned(), format!("{kind}-{count}"));
    }

    /// Makes ready what was learnt. Texts pass unmasked before.
    pub fn settle(&mut self) {
        let mut names: Vec<&String> = self.stand_ins.keys().collect();
        // A name within another must not tear it apart.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let pattern = names.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
        let build = |pattern: &str| {
            RegexBuilder::new(pattern)
                .case_insensitive(true)
                .size_limit(PATTERN)
                .dfa_size_limit(PATTERN)
                .build()
                .ok()
        };
        self.pattern = if names.is_empty() { None } else { build(&pattern) };
        // Servers of an URL, bare IPv4 addresses, mail addresses, names of local domains.
        self.addresses = build(
            r#"(?<scheme>[a-z][a-z0-9+.-]*://)(?<host>[^\s/"'<>)\]]+)|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|[\w.+-]+@[\w-]+(?:\.[\w-]+)*|\b(?:[\w-]+\.)+(?:svc|local|internal|intern|lan|corp)\b(?::\d+)?"#,
        );
    }

    /// A text under a rule.
    pub fn masked<'t>(&self, text: &'t str, rule: Rule) -> Cow<'t, str> {
        match rule {
            _ if text.is_empty() => Cow::Borrowed(text),
            Rule::Keep => Cow::Borrowed(text),
            Rule::Drop => Cow::Borrowed(""),
            Rule::Text if is_number(text) => Cow::Borrowed(text),
            Rule::Text => Cow::Borrowed(MASKED),
            Rule::Names => {
                if let Some(known) = self.memory.borrow().get(text) {
                    return Cow::Owned(known.clone());
                }
                let masked = self.replace_addresses(&self.replace_names(text));
                self.memory.borrow_mut().insert(text.to_owned(), masked.clone());
                Cow::Owned(masked)
            }
        }
    }

    fn replace_names(&self, text: &str) -> String {
        // A text that is a name as a whole, whatever its case elsewhere.
        if let Some(stand_in) = self.stand_ins.get(text) {
            return stand_in.clone();
        }
        let Some(pattern) = &self.pattern else { return text.to_owned() };
        let mut masked = String::with_capacity(text.len());
        let (mut done, mut from) = (0, 0);
        while let Some(found) = pattern.find_at(text, from) {
            let alone = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
            let stands_alone =
                alone(text[..found.start()].chars().next_back()) && alone(text[found.end()..].chars().next());
            let stand_in = self.stand_in(found.as_str());
            let is_within = found.as_str().chars().count() >= LONG
                && WITHIN.iter().any(|kind| stand_in.rsplit_once('-').is_some_and(|(of, _)| of == *kind));
            if stands_alone || is_within {
                masked.push_str(&text[done..found.start()]);
                masked.push_str(stand_in);
                (done, from) = (found.end(), found.end());
            } else {
                from = found.start() + found.as_str().chars().next().map_or(1, char::len_utf8);
            }
        }
        masked.push_str(&text[done..]);
        masked
    }

    fn stand_in(&self, found: &str) -> &str {
        let exact = self.stand_ins.get(found);
        let other_case = || {
            let small = found.to_lowercase();
            self.stand_ins.iter().find(|(name, _)| name.to_lowercase() == small).map(|(_, stand_in)| stand_in)
        };
        exact.or_else(other_case).map_or(MASKED, String::as_str)
    }

    fn replace_addresses(&self, text: &str) -> String {
        let Some(addresses) = &self.addresses else { return text.to_owned() };
        let masked = addresses.replace_all(text, |found: &regex::Captures<'_>| {
            let scheme = found.name("scheme").map_or("", |part| part.as_str());
            let host =
                found.name("host").map_or_else(|| found[0].to_owned(), |host| host.as_str().to_owned());
            if host.starts_with("host-") || host.starts_with("sre-") {
                return format!("{scheme}{host}");
            }
            let mut hosts = self.hosts.borrow_mut();
            let next = hosts.len() + 1;
            let stand_in = hosts.entry(host).or_insert_with(|| format!("address-{next}"));
            format!("{scheme}{stand_in}")
        });
        masked.into_owned()
    }
}

/// Whether a text is a number or a version: `0.91`, `v1.2.0-rc1`, `17`.
fn is_number(text: &str) -> bool {
    let bare = text.trim_start_matches(['v', 'V']);
    bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.len() <= 16
        && bare.chars().all(|c| c.is_ascii_digit() || ".-+rce%".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[(&'static str, &str)]) -> Names {
        let mut names = Names::default();
        list.iter().for_each(|(kind, name)| names.name(kind, name));
        names.settle();
        names
    }

    #[test]
    fn names_are_replaced_alone_when_short_and_everywhere_when_long() {
        let names = names(&[
            ("model", "als"),
            ("model", "alzheimer"),
            ("ns", "prod-eu"),
            ("source", "edge"),
            ("source", "canary"),
            ("object", "latencyhigh"),
        ]);
        let masked = |text: &str| names.masked(text, Rule::Names).into_owned();
        assert_eq!(masked("als also fails"), "model-1 also fails");
        assert_eq!(masked("pod alzheimers-7f in prod-eu/als"), "pod model-2s-7f in ns-1/model-1");
        assert_eq!(masked("CanaryLatencyHigh on Edge"), "CanaryLatencyHigh on source-1", "a common word");
        assert_eq!(masked("Alzheimer p95 612 ms"), "model-2 p95 612 ms", "case does not matter");
    }

    #[test]
    fn addresses_are_replaced_and_the_same_is_the_same() {
        let names = names(&[("host", "prom.hospital.example:9090")]);
        let masked = |text: &str| names.masked(text, Rule::Names).into_owned();
        let first = masked("http://10.0.0.7:8080/v2: refused");
        assert!(first.ends_with("/v2: refused") && !first.contains("10.0.0.7"), "{first}");
        assert_eq!(masked("http://10.0.0.7:8080/v2: refused"), first);
        assert_eq!(masked("http://prom.hospital.example:9090/api"), "http://host-1/api");
        assert_eq!(masked("host-1 down"), "host-1 down");
        assert!(!masked("asked db.clinic.svc twice").contains("clinic"));
    }

    #[test]
    fn words_of_the_form_and_numbers_stay() {
        let names = names(&[("model", "latency"), ("model", "1.2.0")]);
        assert_eq!(names.masked("latency", Rule::of("Fact", "metric", Rule::Names)), "latency");
        assert_eq!(names.masked("0.91", Rule::Text), "0.91");
        assert_eq!(names.masked("v1.2.0", Rule::Names), "v1.2.0", "a version is no name");
        assert_eq!(names.masked("the whole story", Rule::Text), MASKED);
    }
}
