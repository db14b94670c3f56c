//! Drift reports that a real Evidently wrote, from its files and from its service.

use wardroom::domain::{DriftScale, Kpi, ModelId};
use wardroom::store::{ModelState, Store};

use crate::lab::{Lab, fault_of, observe, observe_until};

fn config(place: &str) -> String {
    format!(
        "environment = \"lab\"\ntimeout = \"10s\"\n[[model]]\nname = \"bc\"\n[[drift_reports]]\nname = \"reports\"\nmodel = \"bc\"\n\
         {place}\nprediction_column = \"prediction\"\ntarget_column = \"target\"\ngroups.sensor = [\"moved\", \"still\"]\n"
    )
}

fn in_files(lab: &Lab, form: &str) -> String {
    config(&format!("path = \"{}/{form}\"", lab.at("reports")))
}

fn in_service(lab: &Lab, project: &str) -> String {
    config(&format!("url = \"{}\"\nproject = \"{project}\"", lab.at("evidently")))
}

fn model(store: &Store) -> &ModelState {
    assert_eq!(fault_of(store, "reports"), None);
    store.model(&ModelId::new("lab", "bc")).unwrap()
}

/// What every form of the newest report says.
fn holds(store: &Store, scale: DriftScale) {
    let model = model(store);
    let names: Vec<&str> = model.drift.keys().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["moved", "sex", "still"], "predictions and truth are no features");
    for (name, scale, group, drifted) in [
        ("moved", scale, "sensor", true),
        ("sex", DriftScale::PValue, "", false),
        ("still", scale, "sensor", false),
    ] {
        let state = &model.drift[&(name.into(), scale)];
        assert_eq!((state.latest.scale, &*state.latest.group), (scale, group), "{name}");
        assert_eq!(state.latest.is_drifted(), drifted, "{name} {:?}", state.latest);
        assert!(state.latest.threshold.is_some());
        assert_eq!(state.latest.samples, Some(400));
        assert_eq!(state.history.len(), 4, "{name} has one point a report");
    }
    let said = |kind: &str| model.findings[kind].text.clone();
    assert!(said("prediction").starts_with("none found: p-value"), "{}", said("prediction"));
    assert!(said("concept").starts_with("none found: p-value"), "{}", said("concept"));
    assert_eq!(said("drifted columns"), "1 of 3, 33 % (limit 50 %)");
    assert_eq!(said("missing values"), "still 10.0 %");
    for kpi in [Kpi::Accuracy, Kpi::Sensitivity, Kpi::Specificity, Kpi::Precision, Kpi::F1] {
        let value = model.value(kpi).unwrap_or_else(|| panic!("no {kpi:?}"));
        assert!((0.8..1.0).contains(&value), "{kpi:?} {value}");
    }
}

#[test]
fn files_of_distances() {
    let lab = Lab::here();
    let store = observe(&in_files(&lab, "wasserstein"));
    holds(&store, DriftScale::Wasserstein);
    let moved = &model(&store).drift[&("moved".into(), DriftScale::Wasserstein)];
    assert!((0.7..1.3).contains(&moved.latest.raw), "one standard deviation, not {}", moved.latest.raw);
    let course: Vec<f64> = moved.history.points().map(|(_, value)| value).collect();
    assert!(course.is_sorted(), "it drifts more each hour: {course:?}");
    assert!(model(&store).value(Kpi::DataDrift).is_some_and(|drift| drift > 0.3));
    holds(&observe(&in_files(&lab, "psi")), DriftScale::Psi);
}

#[test]
fn files_of_p_values() {
    let store = observe(&in_files(&Lab::here(), "default"));
    holds(&store, DriftScale::PValue);
    let model = model(&store);
    assert!(
        model.drift[&("moved".into(), DriftScale::PValue)].latest.raw < 1e-9,
        "a p-value is the smaller the worse"
    );
    assert_eq!(model.value(Kpi::DataDrift), None, "and tells no size");
    assert!(model.judgement(Kpi::DataDrift).unwrap().reason.contains("p-values"));
}

#[test]
fn the_service() {
    let lab = Lab::here();
    let store = observe_until(&in_service(&lab, "breast-cancer"), |store| store.sources[0].fault.is_none());
    holds(&store, DriftScale::Wasserstein);
    let files = observe(&in_files(&lab, "wasserstein"));
    let raw = |store: &Store| model(store).drift[&("moved".into(), DriftScale::Wasserstein)].latest.raw;
    assert_eq!(raw(&store), raw(&files), "file and service hold the same report");
}

#[test]
fn projects_without_reports_and_projects_that_are_not_there() {
    let lab = Lab::here();
    for (project, words) in [("empty", "no report yet"), ("elsewhere", "it has breast-cancer, empty")] {
        let store = observe(&in_service(&lab, project));
        let fault = fault_of(&store, "reports").unwrap();
        assert_eq!(fault.kind.word(), "not found");
        assert!(fault.detail.contains(words), "{fault}");
    }
}

#[test]
fn feature_histograms_of_a_real_prometheus() {
    let config = format!(
        "environment = \"lab\"\nrefresh = \"1s\"\n[[prometheus]]\nurl = \"{}\"\n[[model]]\nname = \"bc\"\n\
         [[feature_histograms]]\nmodel = \"bc\"\nmetric = \"model_feature_bucket\"\nwindow = \"10s\"\n\
         reference_offset = \"15s\"\ninterval = \"1s\"\n",
        Lab::here().at("prometheus")
    );
    let score = |store: &Store, feature: &str| {
        let model = store.model(&ModelId::new("lab", "bc")).unwrap();
        let state = model.drift.get(&(feature.into(), DriftScale::Share))?;
        Some((
            state.latest.raw,
            state.latest.samples?,
            state.latest.reference_samples?,
            state.latest.shape.clone()?,
        ))
    };
    let store = observe_until(&config, |store| {
        let found = score(store, "still").zip(score(store, "moving"));
        found.is_some_and(|(still, moving)| moving.0 > 0.2 && still.0 < 0.15)
    });
    let (still, moving) = (score(&store, "still").unwrap(), score(&store, "moving").unwrap());
    assert!(moving.0 > 0.2 && still.0 < 0.15, "{still:?} {moving:?}");
    assert!(still.1 > 100 && still.2 > 100, "rows of both windows: {still:?}");
    assert!(moving.3.bins.len() > 5);
}
