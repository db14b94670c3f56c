//! Acts on Flagger Canaries. Flagger steps by itself at its ticks; what can be done is to hold it, to open its gates, to
//! make it skip its analysis, and to put another template on the target.

mod gate;
mod look;
mod stop;
mod template;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::object::Place;
use super::share::{beware, check, draft, live, stand};
use super::{KindPlanner, Patch, Site, facts, refused, request_of, send};
use crate::cluster::flagger::spec::{self, Gate};
use crate::cluster::flagger::{self, CANARY, Flagger};
use crate::cluster::percent;
use crate::control::{Ask, Boxed, Draft, Finding, Ready, Sent, Settled};
use crate::domain::act::{Known, Operation, Plan, Refusal, VersionMap};
use crate::domain::{ControllerKind, Fault, Level, Rollout, Version};

/// Key of [`crate::domain::act::Request::keep`]: what is waited for before it is sent.
const UNTIL: &str = "until";
/// A fact for the eye: the weight on the route when the plan was made. It moves at each tick and pins nothing.
const WEIGHT: &str = "weight on the route";

/// The facts that a plan rests on. The weight in the status is none: it is often wrong.
const FACTS: [&str; 5] = [
    "status.phase",
    "status.lastAppliedSpec",
    "status.lastPromotedSpec",
    "spec.suspend",
    "spec.skipAnalysis",
];

/// Plans for Canaries.
pub struct FlaggerPlanner;

/// What a plan is made from.
struct Scene<'a> {
    site: &'a Site,
    ask: &'a Ask,
    place: Place,
    canary: Value,
    rollout: Rollout,
    draft: Draft,
}

impl Scene<'_> {
    fn phase(&self) -> &str {
        text(&self.canary, "/status/phase")
    }

    /// How long an effect of the next tick may take, seconds.
    fn tick_s(&self) -> f64 {
        spec::interval_s(&self.canary) + 15.0
    }

    /// How long the pods of a new template may take, seconds.
    fn pods_s(&self) -> f64 {
        let told = self.canary.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_f64);
        told.unwrap_or(600.0).clamp(10.0, 3_600.0)
    }

    fn patch(&self, words: &str, body: Value) -> Patch {
        Patch::new(&self.place, "", words, body).resting_on(facts::gather(&self.canary, &FACTS))
    }

    async fn push(&mut self, patch: Patch, until: &str) {
        let mut request = patch.request(&self.site.objects, &self.canary).await;
        if !until.is_empty() {
            request.keep.insert(UNTIL.into(), json!(until));
        }
        self.draft.requests.push(request);
    }

    fn warn(&mut self, level: Level, words: impl Into<String>) {
        self.draft.beware.push(beware(level, words));
    }

    fn look_at(&mut self, id: &str, words: impl Into<String>, within_s: f64) {
        self.draft.checks.push(check(id, words, true, within_s));
    }

    fn leads_to(&mut self, version: &Version) {
        let revision = self.rollout.revisions.iter().find(|r| r.version.as_ref() == Some(version));
        self.draft.version = Some(VersionMap {
            name: version.to_string(),
            revision: revision.and_then(|revision| revision.number),
            hash: revision.map(|revision| revision.hash.clone()).unwrap_or_default(),
            registry: String::new(),
        });
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

async fn plan(site: &Site, ask: &Ask) -> Result<Draft, Refusal> {
    let place = Place::new(CANARY, &ask.target.namespace, &ask.target.name);
    let canary = live(site, &place).await?;
    let around = look::around_of(site, &canary).await.map_err(refused)?;
    let rollout = stand(&Flagger, &canary, &around, site, ask)?;
    let trial = rollout.canary.as_ref().unwrap_or(&rollout.stable);
    let before = format!("{trial} at {}, {}", percent(rollout.asked), rollout.situation.word());
    let mut known = facts::gather(&canary, &FACTS);
    known.push(Known { name: WEIGHT.into(), value: json!(rollout.set) });
    let draft = draft(site, ask, &canary, before, String::new(), known).await;
    let mut scene = Scene { site, ask, place, canary, rollout, draft };
    scene.draft.share = Some(scene.rollout.asked);
    let suspended = flag(&scene.canary, "/spec/suspend");
    let stands_still =
        || Refusal::new("it is suspended: Flagger does nothing until it is released", "H releases it first");
    match &ask.operation {
        Operation::Pause => stop::pause(&mut scene).await,
        Operation::Resume => stop::resume(&mut scene).await,
        Operation::Abort => stop::abort(&mut scene, suspended).await?,
        _ if suspended => return Err(stands_still()),
        Operation::Promote => open_gate(&mut scene).await?,
        Operation::PromoteFull => promote_full(&mut scene).await?,
        Operation::RollBack { to } => roll_back(&mut scene, &to.clone(), &around).await?,
        Operation::Retry => template::retry(&mut scene, &around).await?,
        Operation::SetWeight { .. } => {
            return Err(Refusal::new(
                "Flagger takes the weight on the route for its own, and from one that is no step it jumps to 100 %",
                "change stepWeights in the manifest, or abort",
            ));
        }
    }
    Ok(scene.draft)
}

async fn promote_full(scene: &mut Scene<'_>) -> Result<(), Refusal> {
    if !["Progressing", "Waiting", "WaitingPromotion"].contains(&scene.phase()) {
        let why = format!("it is {} already", scene.rollout.situation.word());
        return Err(Refusal::new(why, "wait until it has succeeded"));
    }
    if flag(&scene.canary, "/spec/skipAnalysis") {
        return Err(Refusal::new(
            "skipAnalysis is on already: Flagger promotes at its next tick",
            "wait for it, or suspend it",
        ));
    }
    let new = scene.rollout.canary.clone().unwrap_or_else(|| scene.rollout.stable.clone());
    skip_analysis(scene).await;
    set_back(scene).await;
    scene.draft.after = format!("{new} is the primary, at 100 %");
    scene.draft.expected_s = 2.0 * scene.tick_s();
    scene.leads_to(&new);
    scene.warn(
        Level::Critical,
        "no analysis: all traffic goes to the old version first, the template is copied, and Flagger says Succeeded \
         before the new pods are ready",
    );
    if scene.phase() == "Waiting" {
        scene.warn(
            Level::Warning,
            "it still waits at its confirm-rollout gate; skipAnalysis does not open that",
        );
    }
    checks_of_copy(scene);
    Ok(())
}

/// The request that makes the next run a copy without checks.
async fn skip_analysis(scene: &mut Scene<'_>) {
    let patch = scene.patch("skipAnalysis: true", json!({"spec": {"skipAnalysis": true}}));
    scene.push(patch.telling(&[("spec.skipAnalysis", json!(true))]), "").await;
}

/// The request that lets the next version be checked again.
async fn set_back(scene: &mut Scene<'_>) {
    let wait_s = scene.pods_s() + 2.0 * scene.tick_s();
    let patch = Patch::new(
        &scene.place,
        "",
        "skipAnalysis: false, the next version is checked again",
        json!({"spec": {"skipAnalysis": false}}),
    );
    let patch = patch.telling(&[("spec.skipAnalysis", json!(false))]).after("the run has ended", wait_s);
    scene.push(patch, "ended").await;
}

/// What verification looks at after a copy to the primary. Succeeded alone means only "copied".
fn checks_of_copy(scene: &mut Scene<'_>) {
    let (tick, pods) = (scene.tick_s(), scene.pods_s());
    scene.look_at("copied", "Flagger has copied the template and says Succeeded", pods + 2.0 * tick);
    scene.look_at(
        "primary",
        format!("every pod of {} runs the new template", flagger::primary(&scene.canary)),
        pods + 2.0 * tick,
    );
    scene.look_at("weight", "the route sends everything to the primary", pods + 2.0 * tick);
    scene.look_at("checked", "skipAnalysis is off again", pods + 2.0 * tick);
}

async fn roll_back(
    scene: &mut Scene<'_>,
    to: &Version,
    around: &crate::cluster::Around,
) -> Result<(), Refusal> {
    match scene.phase() {
        "Promoting" | "Finalising" => {
            return Err(Refusal::new("it is being promoted", "wait until it has succeeded, then roll back"));
        }
        "" | "Initializing" => {
            return Err(Refusal::new("Flagger makes the primary", "wait until it is there"));
        }
        _ => {}
    }
    let running = ["Progressing", "Waiting", "WaitingPromotion"].contains(&scene.phase());
    let to_stable = *to == scene.rollout.stable;
    if running && !to_stable {
        return Err(Refusal::new(
            format!("a canary runs, and {to} is not the stable version"),
            "abort it first",
        ));
    }
    scene.draft.after = format!("{to} at 100 %");
    if !running && to_stable && scene.phase() != "Failed" {
        // Nothing is asked: it serves already, and the target would only be touched.
        scene.leads_to(to);
        return Ok(());
    }
    if running || to_stable {
        template::put(scene, to, around).await?;
        let words = if running {
            "the canary's pods become the old version; weight and run go on, and Flagger ends with Succeeded"
        } else {
            "Flagger starts no run for the template that it promoted last"
        };
        scene.warn(Level::Unknown, words);
        let pods = scene.pods_s();
        scene.look_at("target", format!("the target wants {to} and its pods are ready"), pods);
        scene.draft.expected_s = 20.0;
    } else {
        let was_skipping = flag(&scene.canary, "/spec/skipAnalysis");
        if !was_skipping {
            skip_analysis(scene).await;
        }
        template::put(scene, to, around).await?;
        if !was_skipping {
            set_back(scene).await;
        }
        scene.warn(Level::Critical, format!("the analysis is skipped on purpose: {to} goes to all users"));
        scene.warn(
            Level::Unknown,
            "cut off in the middle, skipAnalysis stays on: the room then says so in red",
        );
        scene.draft.expected_s = 3.0 * scene.tick_s();
        checks_of_copy(scene);
        if was_skipping {
            scene.draft.checks.retain(|check| check.id != "checked");
        }
    }
    scene.leads_to(to);
    Ok(())
}

async fn open_gate(scene: &mut Scene<'_>) -> Result<(), Refusal> {
    let hook = flagger::gate_now(&scene.canary);
    let Some((hook, door)) = hook.and_then(|hook| Gate::behind(&hook.url).map(|door| (hook, door))) else {
        return Err(Refusal::new(
            "there is no gate that the API server reaches",
            "Flagger steps by itself; promote --full skips the analysis",
        ));
    };
    let tick = scene.tick_s();
    gate::open(scene, &door, &format!("gate {}: open", hook.name)).await;
    gate::close(scene, &door, "moved", "the next tick has passed it", tick).await;
    scene.draft.after = "one tick further".into();
    scene.draft.expected_s = spec::interval_s(&scene.canary);
    scene.warn(
        Level::Warning,
        "one gate of the tester serves every gate/check hook of this Canary: while it is open, others pass too",
    );
    scene.look_at("moved", "the phase or the weight on the route has moved", tick);
    Ok(())
}

impl KindPlanner for FlaggerPlanner {
    fn kinds(&self) -> &'static [ControllerKind] {
        &[ControllerKind::Flagger]
    }

    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(plan(site, ask))
    }

    fn ready<'a>(
        &'a self,
        site: &'a Site,
        plan: &'a Plan,
        n: usize,
        _: f64,
    ) -> Boxed<'a, Result<Ready, Fault>> {
        Box::pin(look::ready(site, plan, n))
    }

    fn send<'a>(&'a self, site: &'a Site, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        Box::pin(async move {
            match request_of(plan, n) {
                Ok(request) if request.verb == "POST" => gate::send(site, request, audit_id).await,
                Ok(request) => send::send(&site.objects, request, audit_id).await,
                Err(fault) => Sent::Refused(fault.detail),
            }
        })
    }

    fn settled<'a>(&'a self, site: &'a Site, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(async move {
            let request = request_of(plan, n)?;
            if request.verb == "POST" {
                return Ok(gate::settled());
            }
            send::settled(&site.objects, request).await
        })
    }

    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(look::observe(site, plan))
    }
}
