//! The project's files: models, runs, tables, the import of Keras models, exported models, and model cards; all survive
//! a crash.

pub mod atomic_file;
pub mod cards;
pub mod exports;
pub mod file_system;
pub mod keras;
pub mod models;
pub mod regular_file;
pub mod runs;
pub mod shards;
pub mod tables;
