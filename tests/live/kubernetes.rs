//! The watch against a real cluster.
