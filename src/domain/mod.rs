//! Pure data and arithmetic of breast-density classification: no files, no tensors, no terminal.

pub mod density;
pub mod printable;
pub mod probabilities;
pub mod split;
pub mod subject;
pub mod view;
