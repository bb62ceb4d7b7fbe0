//! Text as people and programs write it.

pub mod table;
