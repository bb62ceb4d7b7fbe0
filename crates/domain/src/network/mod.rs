//! The architecture of the network and how an image reaches its input.

pub mod input_route;
pub mod network_layers;
pub mod network_plan;
