//! The vocabulary of the workbench: what screens, services and widgets say to each other.
//!
//! Keys become [`binding::Action`]s; an update returns [`effect::Effect`]s; services answer with
//! [`message::UiMessage`]s. Nothing here imports a screen, a service or a widget.

pub(super) mod app_action;
pub(super) mod binding;
pub(super) mod cell_picture;
pub(super) mod datasets;
pub(super) mod effect;
pub(super) mod evaluate;
pub(super) mod explain;
pub(super) mod machine_sample;
pub(super) mod message;
pub(super) mod painted;
pub(super) mod pictures;
pub(super) mod question;
pub(super) mod run_list;
pub(super) mod runs;
pub(super) mod screen_id;
pub(super) mod train;
pub(super) mod viewer;
