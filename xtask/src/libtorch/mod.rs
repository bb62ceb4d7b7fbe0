//! Provides libtorch and makes the build find it.
//!
//! The library is in the user's cache, unpacked from the wheels on the Python Package Index ([`mod@fetch`]), or in a
//! folder of the user's choice ([`installed`]). `.libtorch` in the checkout links to it ([`links`]), and
//! `.cargo/config.toml` points the build there.

mod cache;
mod download;
mod fetch;
mod installed;
mod links;
mod machine;
mod progress;
mod sha256;
mod unpack;
mod wheel_table;
mod wheels;

pub(crate) use fetch::{Wanted, fetch};
pub(crate) use installed::Libtorch;
pub(crate) use links::{current, link_into_checkout, own_libtorch_variable};
pub(crate) use machine::{Machine, has_nvidia_driver};
pub(crate) use progress::short;
pub(crate) use wheels::{LIBTORCH_VERSION, Parts};
