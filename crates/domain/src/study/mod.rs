//! Studies: runs that belong together, by view, fold, point of a sweep and seed.

pub mod key_effect;
pub mod study_member;
pub mod study_progress;
pub mod study_ranking;
pub mod study_spec;
pub mod sweep;
