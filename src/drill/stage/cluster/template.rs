//! What a drill changes in a pod template: the version's name, a mark of the drill, an image, and the fault. Pure.

use serde_json::{Value, json};

use super::Means;
use crate::domain::Version;
use crate::drill::scenario::Scenario;

/// The annotation that names the drill.
pub const MARK: &str = "wardroom/drill";
/// Labels that hold a version when the config does not say where it stands.
const USUAL: [&str; 2] = ["app.kubernetes.io/version", "version"];
/// The readiness gate that nobody ever opens.
const GATE: &str = "wardroom/drill-never-ready";

/// A key of the pod template that makes a server misbehave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `annotations` or `labels`.
    pub kind: &'static str,
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// The changes of one drill, as merge patches.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    stable: String,
    test: String,
    deployed: Value,
    broken: Value,
}

impl Template {
    /// What a drill will change in this object.
    ///
    /// # Errors
    /// A version that stands where it cannot be changed, a scenario without its fault, another drill; in words.
    pub fn of(
        object: &Value,
        version_from: &str,
        id: &str,
        scenario: Scenario,
        means: &Means,
    ) -> Result<Self, String> {
        let template = &object["spec"]["template"];
        if let Some(other) = template["metadata"]["annotations"][MARK].as_str() {
            return Err(format!(
                "drill {other} seems to be there already: its mark {MARK} is in the pod template"
            ));
        }
        if scenario == Scenario::RegistryMismatch {
            return Err(
                "registry-mismatch moves an alias that others read too, and no cluster has one: it runs on the demo \
                 only; write --on demo"
                    .into(),
            );
        }
        if let Some(fault) = &means.fault {
            fits(fault)?;
        }
        let (stable, test, mut named) = versions(template, version_from, means)?;
        named["metadata"]["annotations"][MARK] = id.into();
        let container = &template["spec"]["containers"][0]["name"];
        if let Some(image) = &means.image {
            // A merge patch replaces lists whole: the other containers and fields stay as they are.
            let mut containers = template["spec"]["containers"].clone();
            match containers.get_mut(0) {
                Some(first) => first["image"] = image.as_str().into(),
                None => return Err(format!("the pod template has no container ({container})")),
            }
            named["spec"]["containers"] = containers;
        }
        let mut broken = named.clone();
        match (&means.fault, scenario) {
            (Some(fault), _) => broken["metadata"][fault.kind][&fault.key] = fault.value.as_str().into(),
            // A gate that nobody opens: the pods run, and are never ready, whatever image they have.
            (None, Scenario::NeverReady) => {
                let mut gates = template["spec"]["readinessGates"].as_array().cloned().unwrap_or_default();
                gates.push(json!({"conditionType": GATE}));
                broken["spec"]["readinessGates"] = gates.into();
            }
            (None, _) => {
                return Err(format!(
                    "{} needs --fault-label or --fault-annotation KEY=VALUE: what of the pod template makes your test \
                     server behave so; a server without such a switch can drill never-ready",
                    scenario.name()
                ));
            }
        }
        // A pod that its own Rollout does not select would be nobody's.
        let selected = object["spec"]["selector"]["matchLabels"].as_object();
        let changed = broken["metadata"]["labels"].as_object();
        if let Some((key, _)) =
            changed.into_iter().flatten().find(|(key, _)| selected.is_some_and(|s| s.contains_key(*key)))
        {
            return Err(format!(
                "the label {key} is in the Rollout's selector, so a drill cannot change it: name the version by another \
                 one (version_from of the [[cluster]]), and the fault by one that nothing selects by"
            ));
        }
        let patch = |template: Value| json!({"spec": {"template": template}});
        Ok(Self { stable, test, deployed: patch(named), broken: patch(broken) })
    }

    /// The version that serves, and the one that is tried.
    pub fn versions(&self) -> (Version, Version) {
        (Version::new(&self.stable), Version::new(&self.test))
    }

    /// The test version, well.
    pub fn deployed(&self) -> Value {
        self.deployed.clone()
    }

    /// The test version, broken.
    pub fn broken(&self) -> Value {
        self.broken.clone()
    }
}

/// Whether a server would take the fault: what is refused when the ReplicaSet is made is seen by nobody.
fn fits(fault: &Fault) -> Result<(), String> {
    if fault.kind != "labels" {
        return Ok(());
    }
    let ends = |c: char| c.is_ascii_alphanumeric();
    let value = fault.value.as_str();
    let is_right = value.len() <= 63
        && value.chars().all(|c| ends(c) || "-_.".contains(c))
        && (value.is_empty() || (value.starts_with(ends) && value.ends_with(ends)));
    match is_right {
        true => Ok(()),
        false => Err(format!(
            "--fault-label {}={value}: a label's value has at most 63 letters, digits, `-`, `_` and `.`; use \
             --fault-annotation for others",
            fault.key
        )),
    }
}

/// The name of the version, that of the test version, and the change that makes one of the other.
fn versions(template: &Value, from: &str, means: &Means) -> Result<(String, String, Value), String> {
    let meta = &template["metadata"];
    let is_there = |key: &&&str| meta["labels"][**key].is_string();
    let (kind, key) = match from.split_once(':') {
        Some(("label", key)) => ("labels", key.to_owned()),
        Some(("annotation", key)) => ("annotations", key.to_owned()),
        _ if from.is_empty() => match USUAL.iter().find(is_there) {
            Some(key) => ("labels", (*key).to_owned()),
            None => return Err(format!("the pod template has none of the labels {}", USUAL.join(", "))),
        },
        _ => {
            let (stable, test) = tags(template, from, means)?;
            return Ok((stable, test, json!({"metadata": {"annotations": {}}})));
        }
    };
    let stable =
        meta[kind][&key].as_str().ok_or_else(|| format!("the pod template has no {key} in {kind}"))?;
    // A label value has 63 characters at most, and ends with a letter or digit.
    let short: String = stable.chars().take(50).collect();
    let test = format!("{short}-drill");
    let mut change = json!({"metadata": {"annotations": {}, "labels": {}}});
    change["metadata"][kind][&key] = test.as_str().into();
    Ok((stable.to_owned(), test, change))
}

/// The versions where the image's tag is the name.
fn tags(template: &Value, from: &str, means: &Means) -> Result<(String, String), String> {
    let tag = |image: &str| {
        image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag.to_owned())
    };
    let now = template["spec"]["containers"][0]["image"].as_str().and_then(tag);
    match (from, now, means.image.as_deref().and_then(tag)) {
        ("image-tag", Some(stable), Some(test)) if stable != test => Ok((stable, test)),
        ("image-tag", ..) => Err("the version is the image's tag: give --image with another tag".into()),
        _ => Err(format!(
            "the version stands in {from}, which a drill cannot change: use a label or an annotation"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(labels: Value) -> Value {
        json!({"spec": {"template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "model", "image": "registry/m:v1"}, {"name": "proxy", "image": "p:1"}]}}}})
    }

    fn of(from: &str, scenario: Scenario, means: &Means) -> Result<Template, String> {
        Template::of(&object(json!({"app": "m", "version": "v1"})), from, "d-1", scenario, means)
    }

    #[test]
    fn the_test_version_has_a_name_of_its_own_and_the_drills_mark() {
        let template = of("", Scenario::NeverReady, &Means::default()).unwrap();
        assert_eq!(template.versions(), (Version::new("v1"), Version::new("v1-drill")));
        let meta = &template.deployed()["spec"]["template"]["metadata"];
        assert_eq!(
            (&meta["labels"]["version"], &meta["annotations"][MARK]),
            (&json!("v1-drill"), &json!("d-1"))
        );
        assert!(template.deployed()["spec"]["template"].get("spec").is_none(), "the image stays");
        let gates = &template.broken()["spec"]["template"]["spec"]["readinessGates"];
        assert_eq!(gates[0]["conditionType"], GATE);
    }

    #[test]
    fn a_fault_of_the_test_server_is_put_in_and_needed_where_nothing_else_breaks() {
        assert!(of("", Scenario::ErrorBurst, &Means::default()).unwrap_err().contains("--fault-label"));
        let fault = Fault { kind: "annotations", key: "test/fault".into(), value: "crash".into() };
        let means = Means { fault: Some(fault), ..Means::default() };
        let template = of("label:version", Scenario::ErrorBurst, &means).unwrap();
        let annotations = &template.broken()["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(annotations["test/fault"], "crash");
        assert!(
            template.deployed()["spec"]["template"]["metadata"]["annotations"].get("test/fault").is_none()
        );
    }

    #[test]
    fn a_fault_that_the_server_would_refuse_is_refused_before() {
        let of = |kind: &'static str, value: &str, selector: &str| {
            let fault = Fault { kind, key: "fault".into(), value: value.into() };
            let mut object = object(json!({"app": "m", "version": "v1"}));
            object["spec"]["selector"]["matchLabels"] = json!({ selector: "m" });
            let means = Means { fault: Some(fault), ..Means::default() };
            Template::of(&object, "", "d-1", Scenario::ErrorBurst, &means)
        };
        assert!(of("labels", "errors", "app").is_ok() && of("annotations", "errors:0.5", "fault").is_ok());
        let why = of("labels", "errors:0.5", "app").unwrap_err();
        assert!(why.contains("--fault-annotation"), "{why}");
        assert!(of("labels", "-errors", "app").is_err() && of("labels", &"x".repeat(64), "app").is_err());
        for selected in ["fault", "version"] {
            let why = of("labels", "errors", selected).unwrap_err();
            assert!(why.contains(&format!("the label {selected} is in the Rollout's selector")), "{why}");
        }
    }

    #[test]
    fn an_image_is_changed_alone_and_its_tag_may_be_the_version() {
        let means = Means { image: Some("registry/m:v2".into()), ..Means::default() };
        let template = of("image-tag", Scenario::NeverReady, &means).unwrap();
        assert_eq!(template.versions().1, Version::new("v2"));
        let containers = &template.deployed()["spec"]["template"]["spec"]["containers"];
        assert_eq!(
            (&containers[0]["image"], &containers[1]["name"]),
            (&json!("registry/m:v2"), &json!("proxy"))
        );
        assert!(of("image-tag", Scenario::NeverReady, &Means::default()).unwrap_err().contains("--image"));
    }

    #[test]
    fn two_drills_do_not_share_an_object() {
        let mut marked = object(json!({"version": "v1"}));
        marked["spec"]["template"]["metadata"]["annotations"] = json!({MARK: "d-0"});
        let why = Template::of(&marked, "", "d-1", Scenario::NeverReady, &Means::default()).unwrap_err();
        assert!(why.contains("d-0"), "{why}");
    }
}
