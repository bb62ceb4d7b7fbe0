//! Explanation maps of the folded network by every method.

pub mod class_activation;
pub mod explainer;
pub mod occlusion;
pub mod perturbation;
pub mod principal_component;
pub mod random_weights;
pub mod smooth_grad;
