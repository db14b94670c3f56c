//! How the tool looks at each check.

mod daily;
mod fleet;
mod monthly;
mod weekly;

pub use daily::DAILY;
pub use monthly::MONTHLY;
pub use weekly::WEEKLY;
