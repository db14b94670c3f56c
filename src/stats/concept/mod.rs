//! Concept drift on a stream of errors (1 = wrong). These three are hints: none but ADWIN has a bound on
//! its false alarms, and a decision is made by the sequential tests.

pub mod adwin;
pub mod ddm;
pub mod page_hinkley;

pub use adwin::Adwin;
pub use ddm::Ddm;
pub use page_hinkley::PageHinkley;
