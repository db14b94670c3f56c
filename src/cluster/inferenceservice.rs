//! A KServe InferenceService. Its two modes split traffic in ways that have nothing in common; the object tells which.

use serde_json::Value;

use super::httproute::HTTP_ROUTE;
use super::{Around, Kind, Naming, Resource, kserve_knative, kserve_standard, ladder, look};
use crate::domain::{ControllerKind, Level, Rollout, Situation, Time, Version};

/// Where InferenceServices live.
pub const INFERENCE_SERVICE: Resource = Resource {
    group: "serving.kserve.io",
    version: "v1beta1",
    kind: "InferenceService",
    plural: "inferenceservices",
};

/// Revisions of Knative.
pub const REVISIONS: Resource =
    Resource { group: "serving.knative.dev", version: "v1", kind: "Revision", plural: "revisions" };
/// Services of Knative, one a predictor.
pub const KNATIVE_SERVICES: Resource =
    Resource { group: "serving.knative.dev", version: "v1", kind: "Service", plural: "services" };
const DEPLOYMENTS: Resource =
    Resource { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };

/// The kind.
pub struct InferenceService;

/// The mode in force: what the status tells, else the annotation; old names count. `None` when neither says, or
/// when it is a mode that splits nothing (ModelMesh).
pub fn mode(object: &Value) -> Option<ControllerKind> {
    let told = look::text(object, "/status/deploymentMode");
    let asked = look::annotation(object, "serving.kserve.io/deploymentMode").unwrap_or_default();
    match if told.is_empty() { asked } else { told } {
        "Knative" | "Serverless" => Some(ControllerKind::KserveKnative),
        "Standard" | "RawDeployment" => Some(ControllerKind::KserveStandard),
        "" if !look::text(object, "/status/components/predictor/latestCreatedRevision").is_empty() => {
            Some(ControllerKind::KserveKnative)
        }
        _ => None,
    }
}

/// What the service itself says that does not go well.
pub(super) fn conditions(rollout: &mut Rollout, object: &Value) {
    for condition in look::list(object, "/status/conditions") {
        let (kind, status) = (look::text(condition, "/type"), look::text(condition, "/status"));
        let stopped = kind == "Stopped" && status == "True";
        if stopped || (status == "False" && kind != "Stopped") {
            let level = if kind == "Ready" { Level::Critical } else { Level::Warning };
            let (why, words) = (look::text(condition, "/reason"), look::text(condition, "/message"));
            let text = format!("{kind} {status}: {why} {words}");
            rollout.conditions.push(look::says(level, text.trim_end()));
        }
    }
    let failure = "/status/modelStatus/lastFailureInfo";
    if look::text(object, "/status/modelStatus/transitionStatus") == "BlockedByFailedLoad" {
        let (why, words) = (
            look::text(object, &format!("{failure}/reason")),
            look::text(object, &format!("{failure}/message")),
        );
        rollout
            .conditions
            .push(look::says(Level::Critical, format!("the model does not load: {why} {words}")));
    }
    rollout.conditions.sort_by_key(|condition| std::cmp::Reverse(condition.level));
}

impl Kind for InferenceService {
    fn controller(&self) -> ControllerKind {
        ControllerKind::KserveKnative
    }

    fn controller_of(&self, object: &Value) -> ControllerKind {
        mode(object).unwrap_or(self.controller())
    }

    fn word(&self) -> &'static str {
        "inferenceservice"
    }

    fn resource(&self) -> Resource {
        INFERENCE_SERVICE
    }

    fn companions(&self) -> &'static [Resource] {
        &[REVISIONS, DEPLOYMENTS, HTTP_ROUTE]
    }

    fn read(&self, object: &Value, around: &Around, naming: &Naming, _: Time) -> Option<Rollout> {
        match mode(object) {
            Some(ControllerKind::KserveKnative) => Some(kserve_knative::read(object, around, naming)),
            Some(_) => Some(kserve_standard::read(object, around, naming)),
            None => {
                let mut rollout = Rollout::of("KServe", Version::new(look::name(object)));
                let why = "neither its status nor the annotation serving.kserve.io/deploymentMode tells a mode \
                           whose weights wardroom moves; set the annotation";
                ladder::cannot_at_all(&mut rollout, why);
                rollout.situation = Situation::Unknown;
                rollout.phase = rollout.situation.phase();
                conditions(&mut rollout, object);
                Some(rollout)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_mode_under_all_its_names() {
        let annotated =
            |word: &str| json!({"metadata": {"annotations": {"serving.kserve.io/deploymentMode": word}}});
        assert_eq!(mode(&annotated("Serverless")), Some(ControllerKind::KserveKnative));
        assert_eq!(mode(&annotated("Knative")), Some(ControllerKind::KserveKnative));
        assert_eq!(mode(&annotated("RawDeployment")), Some(ControllerKind::KserveStandard));
        assert_eq!(mode(&annotated("Standard")), Some(ControllerKind::KserveStandard));
        assert_eq!(mode(&annotated("ModelMesh")), None);
        let mut both = annotated("Standard");
        both["status"] = json!({"deploymentMode": "Knative"});
        assert_eq!(mode(&both), Some(ControllerKind::KserveKnative), "the status tells what is in force");
    }

    #[test]
    fn without_a_mode_nothing_is_offered() {
        let bare = json!({"metadata": {"name": "als"}});
        let now = Time::from_timestamp(0, 0).unwrap();
        let rollout = InferenceService.read(&bare, &Around::default(), &Naming::default(), now).unwrap();
        assert_eq!(rollout.cannot.len(), ladder::VERBS.len());
        assert_eq!(rollout.situation, Situation::Unknown);
    }
}
