//! The screens of the workbench.

pub(super) mod datasets;
pub(super) mod evaluate;
pub(super) mod explain;
pub(super) mod runs;
pub(super) mod screen;
pub(super) mod train;
