//! Decoding of encapsulated pixels.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod encapsulated;
mod shared_files;
