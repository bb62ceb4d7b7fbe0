//! The architecture of the network, and the preprocessing of its input.

pub mod input_route;
pub mod network_layers;
pub mod network_plan;
