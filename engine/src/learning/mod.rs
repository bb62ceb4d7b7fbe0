//! Networks, training and explanations: everything that touches tensors.

pub mod augmentation;
pub mod batches;
pub mod best_models;
pub mod checkpoint_writer;
pub mod device;
pub mod device_number;
pub mod dropout;
pub mod epoch_inputs;
pub mod epoch_plan;
pub mod evaluation;
pub mod explanation;
pub mod flat_parameters;
pub mod folded_resnet;
pub mod half_precision;
pub mod host_memory;
pub mod image_set;
pub mod inference;
pub mod initial_weights;
pub mod keras_ops;
pub mod learner;
pub mod learning_stream;
pub mod libtorch_ext;
pub mod loss;
pub mod memory_advice;
pub mod nonfinite;
pub mod optimizer;
#[cfg(test)]
mod recorded_memory;
pub mod replay;
pub mod resnet;
pub mod step_log;
#[cfg(debug_assertions)]
mod test_fault;
pub mod training_loop;
pub mod training_observer;
pub mod training_pass;
pub mod training_progress;
mod training_records;
mod training_recovery;
