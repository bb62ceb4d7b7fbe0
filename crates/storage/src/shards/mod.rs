//! Shards of a cohort on disk: the records of what each shard did, and their merging.

pub mod explanation_shard;
pub mod prediction_shard;
pub mod shard_record;
pub mod shard_set;
pub mod staged_folder;
