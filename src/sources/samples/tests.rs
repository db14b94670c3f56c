//! Samples in files as they grow, change and break.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::SystemTime;

use super::sources;
use crate::domain::{DriftLevel, DriftScale, Fact, Fault, FaultKind, FeatureDrift, Time};
use crate::sources::Source;

struct Lab {
    folder: tempfile::TempDir,
    source: Box<dyn Source>,
}

impl Lab {
    fn new(reference: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("r.csv"), reference).unwrap();
        let text = format!(
            "[[model]]\nname = \"als\"\n[[samples]]\nmodel = \"als\"\nreference = {:?}\ncurrent = {:?}\n{more}",
            folder.path().join("r.csv"),
            folder.path().join("c.csv"),
        );
        let config = crate::config::parse("w.toml", &text, &[]).unwrap().config;
        let source = sources(&config, &BTreeMap::new()).unwrap().remove(0);
        Self { folder, source }
    }

    fn append(&self, text: &str) {
        let path = self.folder.path().join("c.csv");
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn poll(&mut self) -> Result<Vec<Fact>, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.source.poll(Time::from(SystemTime::now()))).map(|harvest| harvest.facts)
    }
}

fn features(facts: &[Fact]) -> Vec<FeatureDrift> {
    let found = facts.iter().find_map(|fact| match fact {
        Fact::Drift { features, .. } => Some(features.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn finding(facts: &[Fact], wanted: &str) -> (String, bool) {
    let found = facts.iter().find_map(|fact| match fact {
        Fact::DriftFinding { kind, finding, abnormal, .. } if kind == wanted => {
            Some((finding.clone(), *abnormal))
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no {wanted} in {facts:?}"))
}

fn rows(from: u32, many: u32) -> String {
    (0..many).map(|n| format!("{},{}\n", from + n, ["yes", "no"][(n % 2) as usize])).collect()
}

#[test]
fn the_window_follows_the_file_and_the_reference_its_changes() {
    let reference = format!("a,p\n{}", rows(0, 4_000));
    let mut lab = Lab::new(&reference, "window = 4000\ngroups.sensor = [\"a\"]\n");
    let fault = lab.poll().unwrap_err();
    assert_eq!(fault.kind, FaultKind::File, "{fault}");
    lab.append(&format!("a,p\n{}", rows(0, 4_000)));
    let first = lab.poll().unwrap();
    let all = features(&first);
    assert_eq!(all.len(), 8, "two features, four methods: {all:?}");
    assert!(all.iter().all(|feature| feature.raw == 0.0 && feature.shape.is_some()), "{all:?}");
    assert_eq!(features(&lab.poll().unwrap()), all, "what holds is said again");
    lab.append(&rows(2_000, 4_000));
    let all = features(&lab.poll().unwrap());
    let ks = all.iter().find(|one| &*one.feature == "a" && one.scale == DriftScale::Share).unwrap();
    assert_eq!((ks.level(), &*ks.group), (Some(DriftLevel::Critical), "sensor"));
    assert_eq!((ks.reference_samples, ks.samples), (Some(4_000), Some(4_000)));
    assert_eq!(ks.certainty(), crate::domain::drift::Certainty::Confirmed);
    std::fs::write(lab.folder.path().join("r.csv"), format!("a,p\n{}1,yes\n", rows(2_000, 4_000))).unwrap();
    let again = lab.poll().unwrap();
    let ks = features(&again).into_iter().find(|one| one.scale == DriftScale::Share).unwrap();
    assert!(ks.raw < 0.001, "the new reference counts: {ks:?}");
    assert_eq!(finding(&again, "schema"), ("none found".into(), false));
}

#[test]
fn predictions_are_held_against_the_reference_and_the_window_before() {
    let mut lab = Lab::new(
        &format!("a,p\n{}", rows(0, 1_000)),
        "window = 1000\nprediction_column = \"p\"\nmethods = [\"ks\"]\n",
    );
    lab.append(&format!("a,p\n{}", rows(0, 1_000)));
    let facts = lab.poll().unwrap();
    let (text, abnormal) = finding(&facts, "prediction");
    assert!(!abnormal && text.contains("the window before is not known"), "{text}");
    assert_eq!(features(&facts).len(), 1, "the prediction is no feature");
    lab.append(&"5,yes\n".repeat(1_000));
    let (text, abnormal) = finding(&lab.poll().unwrap(), "prediction");
    assert!(abnormal && text.contains("+50.0 pts against the reference"), "{text}");
    assert!(text.contains("+50.0 pts against the window before"), "{text}");
    lab.append(&"5,yes\n".repeat(1_000));
    let (text, abnormal) = finding(&lab.poll().unwrap(), "prediction");
    assert!(abnormal && text.contains("+0.0 pts against the window before"), "{text}");
}

#[test]
fn odd_features_are_a_finding_and_broken_files_a_fault() {
    let mut lab = Lab::new("a,b,c\n1,2,x\n2,3,x\n3,4,x\n", "methods = [\"ks\"]\n");
    lab.append("a,b,d\n1,two,9\n2,2,9\n3,,9\n");
    let (text, abnormal) = finding(&lab.poll().unwrap(), "schema");
    assert!(abnormal, "{text}");
    for part in ["gone: c", "not in the reference: d", "other type: b", "unusable cells: b"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    std::fs::write(lab.folder.path().join("r.csv"), "").unwrap();
    let fault = lab.poll().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Absent);
    assert!(fault.detail.contains("r.csv: is empty"), "{fault}");
}
