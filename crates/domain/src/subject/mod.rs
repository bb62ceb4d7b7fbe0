//! Subjects, examinations and views, and the predictions for them.

pub mod ambiguous_ids;
pub mod density;
pub mod examination;
pub mod fused_case;
pub mod fusion;
pub mod id_spelling;
pub mod prediction;
pub mod probabilities;
pub mod reader_votes;
pub mod selection;
pub mod shard;
pub mod split;
pub mod subject_id;
pub mod view;
