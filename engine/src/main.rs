//! The `mammoscope-engine` program.
fn main() {}
