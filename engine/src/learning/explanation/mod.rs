//! Where a network looks: maps of all methods from one pass through the folded network.

pub mod class_activation;
pub mod explainer;
pub mod occlusion;
pub mod perturbation;
pub mod principal_component;
pub mod random_weights;
pub mod smooth_grad;
