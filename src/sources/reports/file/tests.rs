//! Files as they lie about: folders, broken ones, old ones, too large ones.

use std::fs;
use std::path::Path;

use crate::config;
use crate::domain::{Fact, Fault, FaultKind, Harvest, Kpi};
use crate::sources::Source;
use crate::sources::reports::sources;
use crate::sources::reports::tests::{DEFAULT, at, features, remarks, value};

fn source(path: &Path, more: &str) -> Box<dyn Source> {
    let text =
        format!("{more}\n[[model]]\nname = \"als\"\n[[drift_reports]]\nmodel = \"als\"\npath = {path:?}\n");
    let config = config::parse("w.toml", &text, &[]).unwrap().config;
    sources(&config, &Default::default()).unwrap().remove(0)
}

fn poll(source: &mut dyn Source) -> Result<Harvest, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(source.poll(at()))
}

#[test]
fn a_folder_s_newest_report_counts_and_the_others_are_the_past() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, score: f64| {
        let raw = format!(r#"[{{"feature":"a","score":{score},"method":"psi"}}]"#);
        fs::write(folder.path().join(name), raw).unwrap();
        let file = fs::File::options().write(true).open(folder.path().join(name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    };
    put("d-2026-11-18.json", 0.1);
    put("d-2026-11-19.json", 0.2);
    fs::write(folder.path().join("page.html"), "<html>").unwrap();
    fs::write(folder.path().join(".d-2026-11-30.json"), "{").unwrap();
    let mut source = source(folder.path(), "");
    assert!(source.info().owes.iter().any(|(_, kpi)| *kpi == Kpi::DataDrift));
    let first = poll(&mut *source).unwrap().facts;
    assert_eq!(features(&first)[0].raw, 0.2);
    assert_eq!(features(&first)[0].at.to_rfc3339(), "2026-11-19T00:00:00+00:00");
    let points = |facts: &[Fact]| {
        facts
            .iter()
            .find_map(|f| if let Fact::DriftHistory { points, .. } = f { Some(points.len()) } else { None })
    };
    assert_eq!(points(&first), Some(2));
    let again = poll(&mut *source).unwrap().facts;
    assert_eq!(
        (features(&again)[0].raw, points(&again)),
        (0.2, None),
        "what holds is said again, the past is not"
    );
    put("d-2026-11-20.json", 0.3);
    assert_eq!(features(&poll(&mut *source).unwrap().facts)[0].raw, 0.3);
    // Quality is reported apart: drift still counts.
    let quality = include_str!("../../../../fixtures/evidently/classification.json");
    let apart = folder.path().join("q-2026-11-20.json");
    fs::write(&apart, quality).unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    fs::File::options().write(true).open(&apart).unwrap().set_modified(hour_ago).unwrap();
    let both = poll(&mut *source).unwrap().facts;
    assert_eq!(features(&both)[0].raw, 0.3);
    assert!(value(&both, Kpi::Accuracy).is_some());
    // Broken, then well again.
    let newest = folder.path().join("d-2026-11-21.json");
    fs::write(&newest, &DEFAULT[..100]).unwrap();
    let fault = poll(&mut *source).unwrap_err();
    assert_eq!(fault.kind, FaultKind::CutShort);
    assert!(fault.detail.contains("d-2026-11-21.json, line"), "{fault}");
    fs::write(&newest, DEFAULT).unwrap();
    assert_eq!(features(&poll(&mut *source).unwrap().facts).len(), 5);
}

#[test]
fn paths_that_hold_nothing_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |path: &Path, more: &str| poll(&mut *source(path, more)).unwrap_err().kind;
    assert_eq!(kind(folder.path(), ""), FaultKind::Absent);
    assert_eq!(kind(&folder.path().join("x.json"), ""), FaultKind::File);
    assert_eq!(kind(Path::new("/dev/null"), ""), FaultKind::File);
    let file = folder.path().join("r.json");
    fs::write(&file, "{\"metrics\":[]}").unwrap();
    assert_eq!(kind(&file, ""), FaultKind::Unreadable);
    fs::write(&file, " ".repeat((1 << 20) + 1)).unwrap();
    assert_eq!(kind(&file, "max_answer_mib = 1"), FaultKind::TooLarge);
    fs::write(&file, DEFAULT).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let facts = poll(&mut *source(&file, "")).unwrap().facts;
    assert!(remarks(&facts)[0].contains("1970-01-01"), "{facts:?}");
}
