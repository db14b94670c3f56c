//! A registry in files, whole and broken.

use std::fs;
use std::path::Path;

use super::*;
use crate::domain::Version;

const METADATA: &str = r#"{
  "model_name": "alzheimer",
  "version": "1.2.3",
  "created_date": "2024-01-15T10:30:00Z",
  "training_data": {"source": "training_data_v1.2.csv", "samples": 5000, "date_range": "2020-01-01 to 2023-12-31"},
  "metrics": {"accuracy": 0.89, "sensitivity": 0.92, "specificity": 0.87, "auc_roc": 0.93},
  "framework": "scikit-learn==1.3.0",
  "dependencies": ["numpy==1.24.0", "pandas==2.0.0"],
  "training_config": "configs/alzheimer_v1.2.yaml",
  "approvals": {"technical": "john.doe@hospital.org", "clinical": "dr.smith@hospital.org"},
  "deployment_date": "2024-01-20T09:00:00Z",
  "status": "production"
}"#;

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(root: &Path, names: &[&str]) -> Registry {
    read::registry(root, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_guides_layout() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "alzheimer/v1.2.3/metadata.json", METADATA);
    write(root, "alzheimer/v1.2.3/model.pkl", "12345");
    write(
        root,
        "alzheimer/v1.2.3/feature_schema.json",
        r#"{"features": [{"name": "age"}, {"name": "apoe"}]}"#,
    );
    write(root, "alzheimer/v1.2.3/model_card.md", "# Alzheimer\n\nRisk from clinical data.\n");
    write(
        root,
        "alzheimer/v1.2.3/training_config.yaml",
        "seed: 7\nmodel:\n  depth: 6 # deep\n  list:\n    - a: 1\n",
    );
    write(root, "alzheimer/v1.10.0/metadata.json", r#"{"version": "1.10.0", "status": "staging"}"#);
    write(root, "alzheimer/notes/readme.txt", "no version");
    let (models, remarks) = read(root, &["alzheimer", "absent"]);
    assert!(remarks.is_empty(), "{remarks:?}");
    let [(_, model)] = &models[..] else { panic!("{models:?}") };
    let names: Vec<&str> = model.versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(names, ["1.10.0", "1.2.3"]);
    assert_eq!(model.production, Some(Version::new("1.2.3")));
    assert_eq!(model.description, "Risk from clinical data.");
    let live = &model.versions[1];
    assert_eq!((live.stage.as_str(), live.status.as_str()), ("Production", "production"));
    assert_eq!(live.metrics["auc_roc"], 0.93);
    assert_eq!(live.approvals["clinical"], "dr.smith@hospital.org");
    assert_eq!(live.created.unwrap().timestamp(), 1_705_314_600);
    for (name, value) in [
        ("training data samples", "5000"),
        ("framework", "scikit-learn==1.3.0"),
        ("dependencies", "numpy==1.24.0, pandas==2.0.0"),
        ("deployment date", "2024-01-20T09:00:00Z"),
        ("features", "2"),
        ("model size", "5 bytes"),
        ("training seed", "7"),
        ("training model.depth", "6"),
    ] {
        assert_eq!(live.facts.get(name).map(String::as_str), Some(value), "{name}: {:?}", live.facts);
    }
}

#[test]
fn one_broken_version_leaves_the_rest_alive() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "als/v1.0.0/metadata.json", "{\n \"version\": \"1.0.0\",\n \"metrics\": {oops}\n}");
    write(root, "als/v1.1.0/metadata.json", r#"{"version": "1.1.0", "status": "production"}"#);
    write(root, "als/v1.2.0/model.pkl", "x");
    write(root, "als/v1.3.0/metadata.json", r#"{"version": "9.9.9"}"#);
    fs::create_dir_all(root.join("als/v1.4.0/metadata.json")).unwrap();
    let (models, remarks) = read(root, &["als"]);
    assert_eq!(models[0].1.versions.len(), 5);
    assert_eq!(models[0].1.production, Some(Version::new("1.1.0")));
    let says = |words: &[&str]| remarks.iter().any(|remark| words.iter().all(|word| remark.contains(word)));
    assert!(says(&["v1.0.0/metadata.json", "line 3"]), "{remarks:?}");
    assert!(says(&["v1.2.0", "does not exist"]));
    assert!(says(&["9.9.9", "v1.3.0"]));
    assert!(says(&["v1.4.0", "no regular file"]));
}

#[test]
fn roots_and_names_that_are_not_what_they_should_be() {
    let root = tempfile::tempdir().unwrap();
    let nowhere = root.path().join("nowhere");
    let fault = read::registry(&nowhere, &[]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::File);
    assert!(fault.detail.contains("nowhere") && fault.detail.contains("does not exist"), "{fault}");
    write(root.path(), "file", "x");
    assert!(read::registry(&root.path().join("file"), &[]).unwrap_err().detail.contains("no folder"));
    write(root.path(), "outside/v1/metadata.json", "{}");
    let inner = root.path().join("inner");
    fs::create_dir(&inner).unwrap();
    assert!(read(&inner, &["../outside", "..", ""]).0.is_empty(), "names stay below the root");
}

#[cfg(unix)]
#[test]
fn loops_of_links_end_and_huge_documents_are_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "als/v1.0.0/metadata.json", r#"{"version": "1.0.0"}"#);
    std::os::unix::fs::symlink(root.join("als"), root.join("als/v2.0.0")).unwrap();
    std::os::unix::fs::symlink("v3.0.0", root.join("als/v3.0.0")).unwrap();
    write(root, "als/v4.0.0/metadata.json", &"x".repeat(2 << 20));
    let (models, remarks) = read(root, &["als"]);
    assert!(models[0].1.versions.iter().any(|version| version.version.as_str() == "1.0.0"));
    assert!(remarks.iter().any(|remark| remark.contains("larger than")), "{remarks:?}");
}

#[tokio::test]
async fn a_poll_of_the_source() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "alzheimer/v1.2.3/metadata.json", METADATA);
    let text = format!(
        "[[files]]\npath = {:?}\n[[model]]\nname = \"alzheimer\"\n",
        root.path().display().to_string()
    );
    let config: Config = toml::from_str(&text).unwrap();
    let mut files = sources(&config, &BTreeMap::new()).unwrap().remove(0);
    let facts = files.poll(Time::default()).await.unwrap().facts;
    assert!(matches!(&facts[..], [Fact::Registered { entry, .. }] if entry.versions.len() == 1), "{facts:?}");
}
