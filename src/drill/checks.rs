//! What a drill proves beside the act's own checks.

use super::machine::{Drill, TARGET_S};
use super::marks::Mark;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its name in JSON.
    pub id: &'static str,
    /// What was wanted.
    pub words: String,
    /// Whether it was so.
    pub passed: bool,
    /// What was seen.
    pub detail: String,
}

impl Drill {
    /// Writes down what was looked at.
    pub fn prove(&mut self, id: &'static str, words: impl Into<String>, seen: Result<String, String>) {
        let (passed, detail) = match seen {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        self.proofs.push(Proof { id, words: words.into(), passed, detail });
    }

    /// Whether the act led to the version from before, and metrics became normal.
    pub fn prove_the_rollback(&mut self) {
        match self.share_before {
            Some(share) if share > 0.999 => {
                self.note("no request had gone to the test version: the marks of traffic say no more".into());
            }
            None => self
                .note("no requests are counted here: the marks of traffic are the controller's word".into()),
            Some(_) => {}
        }
        let stable = self.setting.stable.clone();
        let version = self.act.as_ref().and_then(|act| act.plan.version.as_ref()).map(|v| v.name.clone());
        let seen = match version {
            Some(name) if name == stable.as_str() => Ok(format!("the act led to {name}")),
            Some(name) => Err(format!("the act led to {name}")),
            None => Err("the act led to no version".into()),
        };
        self.prove("right_version", format!("{stable} serves again"), seen);
        let seen = match self.marks.between(Mark::Confirmed, Mark::MetricsNormal) {
            Some(seconds) => Ok(format!("{seconds:.1} s after the confirmation")),
            None => Err(format!("the room did not become calm in time: {}", self.not_normal)),
        };
        self.prove("metrics_normal", "everything that the room judges is normal again", seen);
    }

    /// The headline in words.
    pub fn headline(&self) -> String {
        match self.headline_s() {
            Some(seconds) if self.is_in_time() => {
                format!("confirmed → verified {seconds:.1} s, within {TARGET_S:.0} s")
            }
            Some(seconds) => format!("confirmed → verified {seconds:.1} s, MORE than {TARGET_S:.0} s"),
            None => format!("confirmed → verified: not reached (target {TARGET_S:.0} s)"),
        }
    }
}
