//! What a room begins with: the state of its screen, its look, how it polls.

use super::hands;
use crate::app::{App, KeyMap};
use crate::config::Loaded;
use crate::control::random_names;
use crate::domain::Time;
use crate::terminal::Colours;
use crate::view::look::{Depth, Look};

/// The state of a fresh screen.
pub fn app_for(loaded: &Loaded, now: Time, size: (u16, u16), map: KeyMap) -> App {
    let mut app = App::new(now, size, map);
    app.theme.clone_from(&loaded.config.theme);
    app.ascii = loaded.config.ascii;
    app.mouse = loaded.config.mouse;
    app.operator = operator();
    app.read_only = loaded.config.control.read_only;
    let fresh = random_names();
    app.incidents.prefix = format!("{:08x}{:08x}", fresh(), fresh());
    app.armed = hands::armed(&loaded.config);
    app
}

/// `user@host` of who sits here.
fn operator() -> String {
    let user =
        std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "operator".into());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().split('.').next().unwrap_or_default().to_owned();
    crate::domain::text::clean(&if host.is_empty() { user } else { format!("{user}@{host}") }, 40)
}

/// How many colours a theme may use on this terminal.
pub fn depth_of(colours: Colours) -> Depth {
    match colours {
        _ if no_color() => Depth::Mono,
        Colours::Ansi16 => Depth::Ansi16,
        Colours::Indexed256 => Depth::Indexed256,
        Colours::Rgb => Depth::Rgb,
    }
}

/// Whether the operator wants no colours. An empty variable does not count (no-color.org).
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The look of a picture that no terminal limits.
///
/// # Errors
/// A theme that cannot be read.
pub fn look_for(loaded: &Loaded, colours: bool) -> Result<Look, String> {
    let depth = if colours && !no_color() { Depth::Rgb } else { Depth::Mono };
    Look::load(&loaded.config.theme, depth, loaded.config.ascii).map_err(|error| error.to_string())
}
