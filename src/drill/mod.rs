//! Rollback drills: deploy a test version, inject a fault, roll back with the normal keys, verify, clean up.
//!
//! [`Drill`] is the pure state: phases, clock marks, what was seen. [`run::run`] drives it on a [`stage::Stage`]. The
//! operator, a person in the room or [`auto`], learns only what the store knows; acts go through the normal engine.

pub mod auto;
mod bar;
mod checks;
pub mod keep;
pub mod machine;
pub mod marks;
pub mod report;
pub mod run;
pub mod scenario;
pub mod session;
pub mod stage;

pub use machine::{Drill, End, Phase, Setting};
pub use marks::{Mark, Marks};
pub use scenario::Scenario;
