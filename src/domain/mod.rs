//! Pure data and arithmetic of breast-density classification: no files, no tensors, no terminal.

pub mod compute_options;
pub mod density;
pub mod input_route;
pub mod network_layers;
pub mod network_plan;
pub mod printable;
pub mod probabilities;
pub mod selection;
pub mod split;
pub mod subject;
pub mod view;
