//! DICOM files and their preparation, by the real program: the shared files, phantoms, interruptions and damage.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod bad_files;
mod canaries;
mod examined_files;
mod phantom_archive;
mod preprocess_command;
mod sharded_preparation;
