//! The vocabulary that screens, services and widgets of the workbench share.
//!
//! Keys become [`binding::Action`]s; an update returns [`effect::Effect`]s; services answer with
//! [`message::UiMessage`]s. Nothing here imports a screen, a service or a widget.

pub(super) mod app_action;
pub(super) mod binding;
pub(super) mod cell_picture;
pub(super) mod datasets;
pub(super) mod effect;
pub(super) mod evaluate;
pub(super) mod evaluation_curves;
pub(super) mod examination_views;
pub(super) mod explain;
pub(super) mod failure;
pub(super) mod framing;
pub(super) mod job_findings;
pub(super) mod job_kind;
pub(super) mod jobs;
pub(super) mod list_motion;
pub(super) mod message;
pub(super) mod painted;
pub(super) mod painted_review;
pub(super) mod picture_action;
pub(super) mod pictures;
pub(super) mod preparation;
pub(super) mod question;
mod remapping;
pub(super) mod review;
pub(super) mod run_list;
pub(super) mod run_log;
pub(super) mod run_names;
pub(super) mod runs;
pub(super) mod screen_id;
pub(super) mod screen_table;
pub(super) mod thumbnails;
pub(super) mod train;
pub(super) mod verb;
pub(super) mod viewer;

pub(super) use mammoscope_machine::machine_sample;
