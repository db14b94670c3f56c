//! Drives a controller without the engine: plan, wait until ready, send, look until it is effective.

use std::path::Path;
use std::time::Instant;

use wardroom::config;
use wardroom::control::{Ask, Controller, Draft, Finding, Ready, Seen, Sent, kubernetes};
use wardroom::domain::act::{ActId, Confirm, Operation, Plan, Refusal, Who};
use wardroom::domain::{ControllerKind, ModelId, SourceId, Target};

use super::stage::{PATIENCE, Stage};

/// A controller with one object of the cluster.
pub struct Driver<'a> {
    cluster: &'a Stage,
    /// The controller.
    pub controller: Box<dyn Controller>,
    target: Target,
}

impl<'a> Driver<'a> {
    /// The object `m` of the cluster's namespace, by the admin.
    pub fn new(cluster: &'a Stage, kind: ControllerKind) -> Self {
        Self::by(cluster, kind, &cluster.kubeconfig, "timeout = \"5s\"")
    }

    /// The same by another kubeconfig and with more settings.
    pub fn by(cluster: &'a Stage, kind: ControllerKind, kubeconfig: &Path, settings: &str) -> Self {
        wardroom::sources::http::install_tls();
        let text = format!(
            "environment = \"lab\"\n[[cluster]]\nname = \"lab\"\nkubeconfig = {:?}\n{settings}\n",
            kubeconfig.display().to_string()
        );
        let loaded = config::parse("live.toml", &text, &[]).unwrap();
        let controller = kubernetes::controllers(&loaded.config).unwrap().remove(0);
        let target = Target {
            system: SourceId::new("lab"),
            kind,
            context: "".into(),
            namespace: cluster.namespace.as_str().into(),
            name: "m".into(),
        };
        assert!(controller.knows(&target));
        Self { cluster, controller, target }
    }

    /// A plan, as the engine makes it of a draft.
    pub fn plan(&self, operation: Operation) -> Result<Plan, Refusal> {
        let ask = Ask {
            model: ModelId::new("lab", "m"),
            target: self.target.clone(),
            operation,
            reason: "a live test".into(),
            seen: None,
            who: "kim@bastion".into(),
            now: chrono::Utc::now(),
        };
        let draft = self.cluster.run(self.controller.plan(&ask))?;
        assert!(!draft.identity.is_empty(), "the identity is told");
        Ok(plan_of(draft, &ask))
    }

    /// A plan that must be made.
    pub fn planned(&self, operation: Operation) -> Plan {
        self.plan(operation.clone()).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
    }

    /// Sends one request when it is ready.
    pub fn send(&self, plan: &Plan, n: usize) -> Sent {
        let begun = Instant::now();
        let end = begun + PATIENCE;
        loop {
            let waited_s = begun.elapsed().as_secs_f64();
            match self.cluster.run(self.controller.ready(plan, n, waited_s)).unwrap() {
                Ready::Yes => break,
                Ready::Moved(why) => return Sent::Moved(why),
                Ready::NotYet(why) => assert!(Instant::now() < end, "request {n} never ready: {why}"),
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        self.cluster.run(self.controller.send(plan, n, &format!("test-{}-{n}", std::process::id())))
    }

    /// Sends everything; all must be accepted.
    pub fn execute(&self, plan: &Plan) {
        for (n, request) in plan.requests.iter().enumerate() {
            match self.send(plan, n) {
                Sent::Accepted { audit_id, .. } => assert!(audit_id.starts_with("test-"), "our id is echoed"),
                other => panic!("request {n} ({}): {other:?}", request.words),
            }
        }
    }

    /// What is seen now.
    pub fn observe(&self, plan: &Plan) -> Vec<Finding> {
        self.cluster.run(self.controller.observe(plan)).unwrap()
    }

    /// Looks until every needed check holds.
    pub fn verify(&self, plan: &Plan) -> Vec<Finding> {
        let end = Instant::now() + PATIENCE;
        loop {
            let findings = self.observe(plan);
            let holds = |id: &str| findings.iter().any(|one| one.id == id && one.seen == Seen::Yes);
            if plan.checks.iter().filter(|check| check.needed).all(|check| holds(&check.id)) {
                return findings;
            }
            assert!(Instant::now() < end, "not effective: {findings:#?}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// Plans, sends, verifies.
    pub fn act(&self, operation: Operation) -> Plan {
        let plan = self.planned(operation);
        self.execute(&plan);
        self.verify(&plan);
        plan
    }
}

/// A plan, as the engine makes it of a draft.
pub fn plan_of(draft: Draft, ask: &Ask) -> Plan {
    let who = Who { identity: draft.identity.clone(), ..Who::default() };
    draft.plan(ActId("a-test".into()), ask, who, String::new(), Confirm::Choose)
}

/// Whether a plan warns of something.
pub fn warns(plan: &Plan, words: &str) -> bool {
    plan.beware.iter().any(|beware| beware.text.contains(words))
}
