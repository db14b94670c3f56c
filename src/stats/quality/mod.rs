//! How good predictions are, once labels have come.

pub mod auc;
pub mod binomial;
pub mod confusion;
pub mod regression;
