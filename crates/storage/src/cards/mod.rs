//! Model cards on disk: the facts about a model file, a run or an export, and the file beside the weights.

pub mod card_file;
mod data_origin;
mod model_facts;
pub mod run_card;
