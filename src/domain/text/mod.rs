//! Text as people and programs write it.

pub mod bad_lines;
pub mod table;
