//! Moves MLflow's production alias, and notes on the version who did it, why and when.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::{Config, MlflowConfig};
use crate::control::reply::{lost, refused_or_unknown};
use crate::control::{Ask, Boxed, Finding, Registry, RegistryDraft, Seen, Sender, Sent, Settled};
use crate::domain::act::{Beware, CheckPlan, Hand, Known, May, Plan, Refusal, Request};
use crate::domain::text::clean;
use crate::domain::{Fault, Level, ModelId, Version};
use crate::sources::http::{Http, Method};
use crate::sources::mlflow::assemble::on_screen;
use crate::sources::mlflow::client::{Client, access};
use crate::sources::mlflow::wire::ModelVersion;
use crate::sources::model_id;

/// The tag that says who moved a version, why and when, as JSON.
const TAG: &str = "wardroom.act";
/// What stands for the act's own id until it has one.
const ITS_ID: &str = "<the act's id>";
/// Older servers keep 5,000 characters of a description.
const LONGEST_NOTE: usize = 4_800;
/// A reason is cut to this, characters: older servers keep 5,000 of a tag.
const LONGEST_REASON: usize = 600;

/// One MLflow server that is written to.
pub struct Mlflow {
    name: String,
    alias: String,
    version_tag: Option<String>,
    client: Client,
    server: Http,
    /// The fleet's models with their names in the registry.
    models: Vec<(ModelId, String)>,
}

impl Mlflow {
    /// The registry of this config.
    pub fn new(config: &Config, mlflow: &MlflowConfig) -> Result<Self, Fault> {
        let timeout = config.deadline(mlflow.timeout);
        let max_bytes = config.max_bytes();
        let access = access(&mlflow.access, |name| std::env::var(name).ok());
        let named = |model: &crate::config::ModelConfig| {
            let name = model.registry_name.clone().unwrap_or_else(|| model.name.clone());
            (model_id(config, model), name)
        };
        Ok(Self {
            name: mlflow.name.clone(),
            alias: mlflow.production_alias.clone(),
            version_tag: mlflow.version_tag.clone(),
            client: Client::new(Http::new(&mlflow.url, &access, timeout, max_bytes)?),
            server: Http::writing(&mlflow.url, &access, timeout, max_bytes)?,
            models: config.model.iter().map(named).collect(),
        })
    }

    /// The version that an alias names now; `None` when there is no such alias.
    async fn alias_of(&self, name: &str, alias: &str) -> Result<Option<String>, Fault> {
        let model = self.client.model(name).await?;
        let aliases = model.map(|model| model.aliases).unwrap_or_default();
        Ok(aliases.into_iter().find(|one| one.alias == alias).map(|one| one.version))
    }

    async fn planned(&self, model: &ModelId, version: &Version, ask: &Ask) -> Result<RegistryDraft, Refusal> {
        let Some(tag) = self.version_tag.as_deref() else {
            return Err(Refusal::new(
                format!("nothing says which version of {} is {version}", self.name),
                "name the tag that holds it: mlflow.version_tag = \"semver\"",
            ));
        };
        let known = self.models.iter().find(|(id, _)| id == model).map(|(_, name)| name.as_str());
        let name = known.unwrap_or(&model.name);
        let read =
            |fault: Fault| Refusal::new(format!("{} cannot be read: {fault}", self.name), "move it by hand");
        let Some(registered) = self.client.model(name).await.map_err(read)? else {
            let instead = "set model.registry_name, or register it";
            return Err(Refusal::new(format!("{} knows no model {name}", self.name), instead));
        };
        let all = self.client.versions(name).await.map_err(read)?;
        let is_it = |one: &&ModelVersion| on_screen(one, Some(tag)).as_ref() == Some(version);
        let found: Vec<&ModelVersion> = all.iter().filter(is_it).collect();
        let [wanted] = found[..] else { return Err(self.unclear(name, version, tag, &found)) };
        let before =
            registered.aliases.iter().find(|one| one.alias == self.alias).map(|one| one.version.clone());
        let mut draft = RegistryDraft {
            version: wanted.version.clone(),
            facts: vec![Known { name: fact(&self.alias), value: before.clone().into() }],
            checks: vec![CheckPlan {
                id: "registry".into(),
                words: format!("{} reads back {} → {} ({version})", self.name, self.alias, wanted.version),
                // Users are on the version whatever the registry says.
                needed: false,
                within_s: 30.0,
            }],
            ..RegistryDraft::default()
        };
        draft.beware.extend(self.elsewhere(before.as_deref(), &all, tag, ask));
        if wanted.status.as_deref().is_some_and(|status| status != "READY") {
            let status = clean(wanted.status.as_deref().unwrap_or_default(), 40);
            let text = format!("{} calls version {} {status}", self.name, wanted.version);
            draft.beware.push(Beware { level: Level::Warning, text });
        }
        if before.as_deref() != Some(wanted.version.as_str()) {
            draft.requests = self.requests(name, &wanted.version, version, before.as_deref(), ask);
        }
        Ok(draft)
    }

    /// Why a version on screen is not exactly one of the registry.
    fn unclear(&self, name: &str, version: &Version, tag: &str, found: &[&ModelVersion]) -> Refusal {
        let numbers: Vec<&str> = found.iter().map(|one| one.version.as_str()).collect();
        match (numbers.is_empty(), tag.is_empty()) {
            (false, _) => Refusal::new(
                format!("versions {} of {name} all have the tag {tag} = {version}", numbers.join(", ")),
                "leave it at one of them",
            ),
            (true, true) => {
                Refusal::new(format!("{} has no version {version} of {name}", self.name), "register it")
            }
            (true, false) => Refusal::new(
                format!("no version of {name} in {} has the tag {tag} = {version}", self.name),
                "set that tag on its version",
            ),
        }
    }

    /// A warning when the registry's production was another version than the one that served.
    fn elsewhere(&self, before: Option<&str>, all: &[ModelVersion], tag: &str, ask: &Ask) -> Option<Beware> {
        let stable = &ask.seen.as_ref()?.stable;
        let before = before?;
        let named = all.iter().find(|one| one.version == before).and_then(|one| on_screen(one, Some(tag)));
        if named.as_ref() == Some(stable) {
            return None;
        }
        let name = named.map(|name| format!(" ({name})")).unwrap_or_default();
        let text = format!("{} had {before}{name} as {}, while {stable} served", self.name, self.alias);
        Some(Beware { level: Level::Warning, text })
    }

    fn requests(
        &self,
        name: &str,
        number: &str,
        version: &Version,
        before: Option<&str>,
        ask: &Ask,
    ) -> Vec<Request> {
        let keep = |part: &str| -> BTreeMap<String, Value> {
            [("part", part), ("name", name), ("version", number), ("alias", &self.alias)]
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect()
        };
        let request = |part: &str, words: String, verb: &str, call: &str, body: Value| Request {
            hand: Hand::Registry,
            words,
            verb: verb.into(),
            path: format!("/api/2.0/mlflow/{call}"),
            content_type: "application/json".into(),
            body,
            may: May::Unknown("MLflow tells permissions only when it is tried".into()),
            dry_run: None,
            after: String::new(),
            wait_s: 0.0,
            optional: part != "alias",
            keep: keep(part),
        };
        let alias = &self.alias;
        let was = before.map_or_else(|| "none".to_owned(), ToOwned::to_owned);
        let said =
            Said { id: ITS_ID, verb: ask.operation.verb(), who: &ask.who, why: &ask.reason, when: ask.now };
        let tag = json!({"name": name, "version": number, "key": TAG, "value": said.tag()});
        let note =
            json!({"name": name, "version": number, "description": format!("(as it is) {}", said.line())});
        vec![
            request(
                "alias",
                format!("{alias} {was} → {number} ({version})"),
                "POST",
                "registered-models/alias",
                json!({"name": name, "alias": alias, "version": number}),
            ),
            request("tag", format!("tag {TAG} on {number}"), "POST", "model-versions/set-tag", tag),
            request("note", format!("note on {number}"), "PATCH", "model-versions/update", note),
        ]
    }

    async fn sent(&self, plan: &Plan, n: usize, audit_id: &str) -> Sent {
        let Some(part) = Part::of(plan, n) else {
            return Sent::Refused(format!("the plan has no request {n} of the registry"));
        };
        let nothing = |fault: Fault| Sent::Refused(format!("nothing was sent: {fault}"));
        let said = Said::of(plan);
        let mut body = part.request.body.clone();
        match part.kind {
            "alias" => match self.alias_of(part.name, part.alias).await {
                Ok(now) => {
                    if now.as_deref() == Some(part.version) {
                        // Somebody, or the release's own pipeline, was faster.
                        return Sent::Accepted { audit_id: String::new(), note: "already so".into() };
                    }
                    let planned = plan.fact(&fact(part.alias)).cloned().unwrap_or_default();
                    if planned.as_str() != now.as_deref() {
                        let was = planned.as_str().unwrap_or("none").to_owned();
                        let now = now.as_deref().unwrap_or("none");
                        return Sent::Moved(format!("{} was {was}, is {now}", part.alias));
                    }
                }
                Err(fault) => return nothing(fault),
            },
            "tag" => body["value"] = said.tag().into(),
            _ => {
                let version = match self.client.version(part.name, part.version).await {
                    Ok(version) => version,
                    Err(fault) => return nothing(fault),
                };
                let Some(version) = version else {
                    return Sent::Moved(format!("version {} of {} is gone", part.version, part.name));
                };
                // What stands there stays: the note is one line more.
                let mut text = version.description.unwrap_or_default();
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&said.line());
                if text.chars().count() > LONGEST_NOTE {
                    return Sent::Refused(format!("the note of version {} is full", part.version));
                }
                body["description"] = text.into();
            }
        }
        let method = if part.request.verb == "PATCH" { Method::PATCH } else { Method::POST };
        match self.server.write(method, &part.request.path, &[], &body, audit_id).await {
            Ok(answer) if answer.is_success() && answer.is_page() => {
                Sent::Unknown("a web page came where an answer should be".into())
            }
            Ok(answer) if answer.is_success() => Sent::Accepted {
                audit_id: answer.audit_id.clone().unwrap_or_else(|| audit_id.to_owned()),
                note: format!("status {}", answer.status),
            },
            Ok(answer) => refused_or_unknown(&answer),
            Err(fault) => lost(&fault),
        }
    }

    async fn looked_up(&self, plan: &Plan, n: usize) -> Result<Settled, Fault> {
        let Some(part) = Part::of(plan, n) else {
            return Ok(Settled::CannotTell(format!("the plan has no request {n} of the registry")));
        };
        if part.kind == "alias" {
            let now = self.alias_of(part.name, part.alias).await?;
            let words = format!("{} → {}", part.alias, now.as_deref().unwrap_or("none"));
            return Ok(match now.as_deref() == Some(part.version) {
                true => Settled::Done(words),
                false => Settled::NotDone(words),
            });
        }
        let Some(version) = self.client.version(part.name, part.version).await? else {
            return Ok(Settled::NotDone(format!("version {} is gone", part.version)));
        };
        let id = plan.id.0.as_str();
        let there = match part.kind {
            "tag" => version.tags.iter().any(|pair| pair.key == TAG && pair.value.contains(id)),
            _ => version.description.is_some_and(|text| text.contains(id)),
        };
        Ok(match there {
            true => Settled::Done(format!("the {} names {id}", part.kind)),
            false => Settled::NotDone(format!("no {} names {id}", part.kind)),
        })
    }

    async fn seen(&self, plan: &Plan) -> Result<Vec<Finding>, Fault> {
        let parts = (0..plan.requests.len()).filter_map(|n| Part::of(plan, n));
        let Some(part) = parts.into_iter().find(|part| part.kind == "alias") else {
            return self.already(plan).await;
        };
        let now = self.alias_of(part.name, part.alias).await?;
        let before = plan.fact(&fact(part.alias)).and_then(Value::as_str);
        let seen = match now.as_deref() {
            Some(now) if now == part.version => Seen::Yes,
            now if now == before => Seen::NotYet,
            _ => Seen::No,
        };
        let detail = format!("{} → {}", part.alias, now.as_deref().unwrap_or("none"));
        Ok(vec![Finding { id: "registry".into(), seen, detail }])
    }

    /// The check of a plan that found the alias where it should be.
    async fn already(&self, plan: &Plan) -> Result<Vec<Finding>, Fault> {
        if plan.checks.iter().all(|check| check.id != "registry") {
            return Ok(Vec::new());
        }
        let known = self.models.iter().find(|(id, _)| *id == plan.model).map(|(_, name)| name.as_str());
        let now = self.alias_of(known.unwrap_or(&plan.model.name), &self.alias).await?;
        let planned = plan.fact(&fact(&self.alias)).and_then(Value::as_str);
        let seen = if now.as_deref() == planned { Seen::Yes } else { Seen::No };
        let detail = format!("{} → {}", self.alias, now.as_deref().unwrap_or("none"));
        Ok(vec![Finding { id: "registry".into(), seen, detail }])
    }
}

/// The name of the fact that pins an alias.
fn fact(alias: &str) -> String {
    format!("registry.alias.{alias}")
}

/// A request of the registry, by what it keeps.
struct Part<'p> {
    request: &'p Request,
    kind: &'p str,
    name: &'p str,
    version: &'p str,
    alias: &'p str,
}

impl<'p> Part<'p> {
    fn of(plan: &'p Plan, n: usize) -> Option<Self> {
        let request = plan.requests.get(n).filter(|request| request.hand == Hand::Registry)?;
        let kept = |key: &str| request.keep.get(key)?.as_str();
        let (kind, name, version, alias) = (kept("part")?, kept("name")?, kept("version")?, kept("alias")?);
        Some(Self { request, kind, name, version, alias })
    }
}

/// Who did what, why and when.
struct Said<'s> {
    id: &'s str,
    verb: &'s str,
    who: &'s str,
    why: &'s str,
    when: crate::domain::Time,
}

impl<'s> Said<'s> {
    fn of(plan: &'s Plan) -> Said<'s> {
        let why = if plan.reason.is_empty() { &plan.evidence } else { &plan.reason };
        Self { id: &plan.id.0, verb: plan.operation.verb(), who: &plan.who.user, why, when: plan.made_at }
    }

    fn when(&self) -> String {
        self.when.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    fn tag(&self) -> String {
        let why = clean(self.why, LONGEST_REASON);
        json!({"act": self.id, "verb": self.verb, "who": self.who, "why": why, "when": self.when()})
            .to_string()
    }

    /// `2026-11-20T14:02:07Z kim: rollback, p95 doubled (a-3f9c21d4)`
    fn line(&self) -> String {
        let why = clean(self.why, LONGEST_REASON);
        let why = if why.is_empty() { why } else { format!(", {why}") };
        format!("{} {}: {}{why} ({})", self.when(), self.who, self.verb, self.id)
    }
}

impl Sender for Mlflow {
    fn send<'a>(&'a self, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        Box::pin(self.sent(plan, n, audit_id))
    }

    fn settled<'a>(&'a self, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(self.looked_up(plan, n))
    }

    fn observe<'a>(&'a self, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(self.seen(plan))
    }
}

impl Registry for Mlflow {
    fn plan<'a>(
        &'a self,
        model: &'a ModelId,
        version: &'a Version,
        ask: &'a Ask,
    ) -> Boxed<'a, Result<RegistryDraft, Refusal>> {
        Box::pin(self.planned(model, version, ask))
    }
}
