//! The adapters against real servers. Run by `tests/live/run`, which starts them.

fn main() {}
