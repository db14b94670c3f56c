//! What a config may hold, and what each mistake says.

use super::load::{Surroundings, load, parse};
use super::show::{EXAMPLE, schema, show};
use crate::domain::limits::Origin;
use crate::domain::{Kpi, ModelKind};

fn error(text: &str) -> String {
    parse("w.toml", text, &[]).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_example_is_a_config() {
    let loaded = parse("example.toml", EXAMPLE, &[]).unwrap();
    let limits = super::validate::limits_of(&loaded.config, 0);
    let p95 = limits.rule(Kpi::LatencyP95).unwrap();
    assert_eq!((p95.target, &p95.origin), (Some(250.0), &Origin::Model));
    let errors = limits.rule(Kpi::ErrorRate).unwrap();
    assert_eq!((errors.target, &errors.origin), (Some(0.5), &Origin::Fleet), "what is left out is inherited");
    assert_eq!(limits.rule(Kpi::Accuracy).unwrap().origin, Origin::Kind(ModelKind::Classification));
    assert_eq!(limits.rules(Kpi::F1).len(), 2, "a named rule stands beside the guide");
}

#[test]
fn every_mistake_says_place_and_remedy() {
    let table = [
        ("colour = 1\n", ["w.toml:1, colour", "unknown field `colour`", "config schema"]),
        ("refresh = 15\n", ["w.toml:1, refresh", "invalid type", "config example"]),
        ("refresh = \"15\"\n", ["w.toml:1, refresh", "not a span of time", "15s"]),
        (
            "\n[[model]]\nname = \"a\"\nkind = \"oracle\"\n",
            ["w.toml:4, model[0].kind", "oracle", "classification"],
        ),
        (
            "[[model]]\nname = \"a\"\n[[model]]\nname = \"a\"\n",
            ["w.toml:4, model[1].name", "stands twice", "remove one"],
        ),
        ("[[mlflow]]\nurl = \"mlflow\"\n", ["w.toml:2, mlflow[0].url", "relative URL", "config example"]),
        ("[[mlflow]]\nurl = \"ftp://x/\"\n", ["w.toml:2, mlflow[0].url", "not a web address", "http://"]),
        ("[[mlflow]]\nurl = \"http://u:p@x/\"\n", ["w.toml:2, mlflow[0].url", "password", "access.auth"]),
        ("[[mlflow]]\nname = \"x\"\n", ["w.toml:1, mlflow", "missing field `url`", "add the key"]),
        ("[limits.all.latency_p95]\nwarning = 500\ncritical = 400\n", ["w.toml:1", "out of order", "rise"]),
        ("[limits.trees.accuracy]\nwarning = 1\n", ["limits.trees", "no kind of model", "limits.all"]),
        (
            "[[rule]]\nname = \"r\"\nkpi = \"f1\"\nlimit = 1\nseverity = \"warning\"\nmodels = [\"z\"]\n",
            ["w.toml:6", "`z`", "models"],
        ),
        (
            "[[model]]\nname = \"a\"\nprometheus.preset = [\"mlserver\"]\n",
            ["model[0].prometheus", "no [[prometheus]]", "url"],
        ),
        (
            "[[canary]]\nurl = \"http://a/\"\n[[mlops]]\nname = \"canary\"\nurl = \"http://b/\"\n",
            ["canary[0]", "stands twice", "another `name`"],
        ),
        ("theme = \n", ["w.toml:1", "", "config example"]),
    ];
    for (text, expected) in table {
        let error = error(text);
        for part in expected {
            assert!(error.contains(part), "{text:?}: `{part}` is not in: {error}");
        }
    }
}

#[test]
fn environment_and_flags_stand_above_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("wardroom.toml"),
        "theme = \"light\"\nrefresh = \"9s\"\nascii = true\n",
    )
    .unwrap();
    let mut surroundings = Surroundings { folder: folder.path().into(), ..Surroundings::default() };
    surroundings.variables.insert("WARDROOM_REFRESH".into(), "7s".into());
    surroundings.variables.insert("WARDROOM_ASCII".into(), "0".into());
    let flag = ("theme".to_owned(), "mono".to_owned(), "flag --theme".to_owned());
    let loaded = load(None, &surroundings, &[flag]).unwrap();
    assert_eq!(loaded.config.theme, "mono");
    assert_eq!(loaded.config.refresh.to_string(), "7s");
    assert!(!loaded.config.ascii);
    let text = show(&loaded).unwrap();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
    assert!(line("theme").ends_with("# flag --theme"), "{text}");
    assert!(line("refresh").ends_with("# environment variable WARDROOM_REFRESH"), "{text}");
    assert!(line("timeout").ends_with("# default"), "{text}");
    let wrong = ("max_fps".to_owned(), "many".to_owned(), "environment variable WARDROOM_MAX_FPS".to_owned());
    let error = load(None, &surroundings, &[wrong]).unwrap_err().to_string();
    assert!(error.contains("WARDROOM_MAX_FPS") && error.contains("whole number"), "{error}");
}

#[test]
fn without_a_config_it_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let surroundings = Surroundings { folder: folder.path().into(), ..Surroundings::default() };
    let error = load(None, &surroundings, &[]).unwrap_err().to_string();
    for part in ["wardroom.toml", "wardroom demo", "discover", "config example"] {
        assert!(error.contains(part), "{error}");
    }
    let missing =
        load(Some(&folder.path().join("nowhere.toml")), &surroundings, &[]).unwrap_err().to_string();
    assert!(missing.contains("nowhere.toml") && missing.contains("cannot be read"), "{missing}");
}

#[test]
fn the_schema_names_every_table() {
    let schema = schema().to_string();
    for key in ["prometheus", "mlflow", "alertmanager", "endpoint", "limits", "preset"] {
        assert!(schema.contains(key), "{key}");
    }
}
