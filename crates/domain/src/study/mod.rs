//! Studies: runs that belong together, by view, fold and point of a sweep.

pub mod study_member;
