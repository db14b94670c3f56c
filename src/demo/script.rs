//! The config that a room needs to watch the demo: base URLs and names.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::fleet::Fleet;
use super::samples::{self, Files};

/// Where the services listen.
pub struct Services {
    /// The registry.
    pub registry: SocketAddr,
    /// The canary controller.
    pub controller: SocketAddr,
    /// The alert manager.
    pub alerts: SocketAddr,
    /// The MLOps service.
    pub mlops: SocketAddr,
}

/// The whole config.
pub fn config(
    fleet: &Fleet,
    places: &[Vec<String>],
    services: &Services,
    files: &Files,
    interval: Duration,
) -> String {
    let mut text = String::with_capacity(256 * fleet.models.len() + 1_024);
    let millis = interval.as_millis().max(100);
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "# A config for the fleet that `wardroom demo` serves.\n\
         environment = \"demo\"\nrefresh = \"{millis}ms\"\ntimeout = \"2s\"\nwindow = \"1m\"\n\n\
         [[mlflow]]\nurl = \"http://{}\"\nversion_tag = \"semver\"\ninterval = \"{}ms\"\n\n\
         [[canary]]\nurl = \"http://{}\"\n\n\
         [[alertmanager]]\nurl = \"http://{}\"\nwatchdog = \"Watchdog\"\n\n\
         [[mlops]]\nurl = \"http://{}\"\ninterval = \"{}ms\"\n",
        services.registry,
        millis.max(5_000),
        services.controller,
        services.alerts,
        services.mlops,
        millis.max(10_000)
    );
    if let Some(model) = fleet.models.get(samples::MODEL) {
        let _ = write!(
            text,
            "\n[[samples]]\nname = \"samples\"\nmodel = \"{}\"\nreference = {:?}\ncurrent = {:?}\nwindow = 4000\ninterval = \"{}ms\"\n{}",
            model.part.name,
            files.reference(),
            files.current(),
            millis.max(5_000),
            samples::groups(fleet)
        );
    }
    for (index, (model, own)) in fleet.models.iter().zip(places).enumerate() {
        let _ = write!(
            text,
            "\n[[model]]\nname = \"{}\"\nkind = \"{}\"\n",
            model.part.name,
            model.part.kind.word()
        );
        for place in own {
            let _ = write!(
                text,
                "[[model.endpoint]]\nprotocol = \"oip\"\nurl = \"{place}\"\nmetrics = \"{place}/metrics\"\npreset = \"wardroom\"\n"
            );
        }
        if fleet.has_rollout(index) {
            let _ = write!(
                text,
                "[model.rollout]\nsystem = \"canary\"\nkind = \"http\"\n[model.verify]\nsamples = {:?}\n",
                files.recorded(&model.part.name)
            );
        }
    }
    text
}
