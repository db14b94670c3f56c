//! Real servers that are broken while the room looks on.

use crate::lab::{Lab, observe};
use crate::program::room;

/// Lets a server go on, whatever becomes of the test.
struct Stopped<'a>(&'a Lab, &'static str);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.signal(self.1, "CONT");
    }
}

#[test]
fn a_stopped_model_server_is_hung_on_screen_and_comes_back() {
    let lab = Lab::here();
    let text = format!(
        "refresh = \"1s\"\ntimeout = \"1s\"\n[[model]]\nname = \"victim\"\n[[model.endpoint]]\nname = \"victim-1\"\nprotocol = \"oip\"\nmodel = \"breast-cancer\"\nurl = \"{}\"\n\
         [[model]]\nname = \"healthy\"\n[[model.endpoint]]\nname = \"healthy-1\"\nprotocol = \"oip\"\nmodel = \"breast-cancer\"\nurl = \"{}\"\n",
        lab.at("mlserver_victim"),
        lab.at("mlserver_stable"),
    );
    let mut room = room(&text);
    room.wait_text("endpoints 2/2");
    lab.signal("mlserver_victim", "STOP");
    let stopped = Stopped(&lab, "mlserver_victim");
    room.wait_text("victim-1 hung");
    room.wait_text("endpoints 1/2");
    // The rest of the room lives: keys are answered.
    room.keys("?");
    room.wait_text("leave at once");
    room.keys("\x1b");
    drop(stopped);
    room.wait_text("endpoints 2/2");
    room.wait_text("answers again");
    room.keys("q");
    assert_eq!(room.end().0, 0);
}

#[test]
fn a_stopped_prometheus_is_hung_and_its_models_unknown() {
    let lab = Lab::here();
    lab.signal("prometheus_victim", "STOP");
    let stopped = Stopped(&lab, "prometheus_victim");
    let store = observe(&format!(
        "timeout = \"1s\"\n[[prometheus]]\nurl = \"{}\"\n[[model]]\nname = \"m\"\n[model.prometheus]\npreset = [\"mlserver\"]\n",
        lab.at("prometheus_victim")
    ));
    drop(stopped);
    assert_eq!(store.sources[0].fault.as_ref().map(|fault| fault.kind.word()), Some("hung"));
    assert_eq!(store.models[0].level, wardroom::domain::Level::Unknown);
}

#[test]
fn a_server_of_another_kind_is_told() {
    let lab = Lab::here();
    // A Prometheus where MLflow should be, and the other way round.
    let store = observe(&format!(
        "[[mlflow]]\nurl = \"{}\"\n[[prometheus]]\nurl = \"{}\"\n[[model]]\nname = \"m\"\n[model.prometheus]\npreset = [\"mlserver\"]\n",
        lab.at("prometheus"),
        lab.at("mlflow")
    ));
    for source in &store.sources {
        let fault = source.fault.as_ref().unwrap_or_else(|| panic!("{} read nonsense", source.info.id));
        assert!(!fault.detail.is_empty(), "{}", source.info.id);
    }
}
