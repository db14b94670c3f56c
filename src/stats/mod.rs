//! stats

pub mod buckets;
