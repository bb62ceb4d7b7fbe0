//! The wire types between the program and its engine, and their framing.

pub mod engine_facts;
pub mod protocol;
