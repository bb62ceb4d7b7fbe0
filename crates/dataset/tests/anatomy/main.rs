//! The breast, its side, its crop and the pectoral muscle, found in phantoms with a known anatomy and in real films.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod films;
mod measures;
mod muscles;
mod prepared;
mod raw_pictures;
mod scene;
