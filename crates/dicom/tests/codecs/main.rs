//! Decoding of encapsulated pixels.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod damage;
mod encapsulated;
mod other_encoders;
mod round_trips;
mod shared_files;
