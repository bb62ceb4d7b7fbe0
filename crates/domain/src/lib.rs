//! Pure data and arithmetic of breast-density classification: no files, no tensors, no terminal.

pub mod cancellation;
pub mod explanation;
pub mod image;
pub mod metrics;
pub mod model_card;
pub mod network;
pub mod random_stream;
pub mod run;
pub mod study;
pub mod subject;
pub mod text;
pub mod training;
