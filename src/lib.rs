//! mammoscope: train, evaluate and explain a mammographic breast-density classifier from the terminal.
//!
//! This package is the user interface: the command line ([`cli`]) and the workbench ([`tui`]), over [`settings`],
//! [`report`], [`analysis`], [`jobs`] and [`terminal`], which both share. It links no libtorch: everything that needs
//! tensors runs in `mammoscope-engine`, a separate process. The crates below it, each with those it depends on:
//!
//! ```text
//! domain                                           data and arithmetic; no I/O
//! imaging          → domain                        decoding and processing of mammograms
//! dataset          → domain, imaging               folders, labels, splits, phantoms
//! storage          → domain                        models, run directories, tables, Keras import
//! engine-protocol  → domain                        the wire types shared with the engine
//! engine-client    → domain, engine-protocol       starts the engine and runs jobs in it
//! runs             → domain, storage, engine-client   starts, follows and controls training runs
//! ```

pub mod analysis;
pub mod cli;
pub mod jobs;
pub mod report;
pub mod settings;
pub mod terminal;
pub mod tui;
