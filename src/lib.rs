//! mammoscope: train, evaluate and explain a mammographic breast-density classifier from the terminal.
//!
//! This package links no libtorch. What needs tensors runs in `mammoscope-engine`, a process of its own that
//! [`client`] starts and talks to. An arrow points at what is imported:
//!
//! ```text
//! domain ← imaging ← dataset ;  domain ← storage ;  { dataset, storage } ← client ← { cli, tui } ;  report ← { cli, tui }
//! ```

pub mod analysis;
pub mod cli;
pub mod report;
pub mod terminal;
pub mod tui;
