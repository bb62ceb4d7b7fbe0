//! The services, which perform effects on threads of their own and answer with messages.

mod clipboard;
pub(super) mod datasets;
pub(super) mod evaluate;
pub(super) mod explain;
mod export_folder;
mod jobs;
mod machine;
pub(super) mod pictures;
mod run_export;
mod run_list;
mod run_log_lines;
mod run_sketches;
pub(super) mod run_watch;
pub(super) mod runs;
pub(super) mod train;
pub(super) mod view_saver;

use std::sync::mpsc::Sender;

use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::screen_table::for_each_screen;
use mammoscope_storage::runs::workspace::Workspace;

macro_rules! define_services {
    ($($module:ident: $Name:ident $key:literal $go:literal,
        $Screen:ident $View:ident $Action:ident $Effect:ident $Message:ident $Service:ident;)*) => {
        /// The services of the workbench: one per screen, and those for pictures, thumbnails and jobs.
        pub(super) struct Services {
            pictures: pictures::PictureService,
            thumbnails: pictures::thumbnails::ThumbnailService,
            jobs: jobs::JobService,
            inbox: Sender<UiMessage>,
            $($module: $module::$Service,)*
        }

        impl Services {
            /// Services that send their messages to this inbox. Threads are started on first use.
            pub(super) fn new(workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
                Self {
                    pictures: pictures::PictureService::new(inbox.clone()),
                    thumbnails: pictures::thumbnails::ThumbnailService::new(inbox.clone()),
                    jobs: jobs::JobService::new(workspace.path(), inbox.clone()),
                    inbox: inbox.clone(),
                    $($module: $module::$Service::new(workspace, inbox),)*
                }
            }

            /// Starts to perform an effect of a screen or of a picture, without blocking.
            pub(super) fn perform(&mut self, effect: Effect) {
                match effect {
                    Effect::Picture(effect) => self.pictures.perform(effect),
                    Effect::FindViews(image) => self.pictures.find_views(image),
                    Effect::Thumbnails(request) => self.thumbnails.perform(request),
                    Effect::Job(effect) => self.jobs.perform(effect),
                    Effect::Copy(text) => clipboard::copy(text, &self.inbox),
                    $(Effect::$Name(effect) => self.$module.perform(effect),)*
                    // Performed by the application or the main loop.
                    Effect::Quit
                    | Effect::Suspend
                    | Effect::Redraw
                    | Effect::QueryTerminal
                    | Effect::SaveView
                    | Effect::Signal(_)
                    | Effect::Act(_)
                    | Effect::Navigate(_)
                    | Effect::Notice(_)
                    | Effect::TakeMouse(_)
                    | Effect::Window(_)
                    | Effect::Ask(_) => {}
                }
            }
        }
    };
}

for_each_screen!(define_services);

/// Starts to report the load of this machine.
pub(super) fn watch_machine(inbox: Sender<UiMessage>) {
    machine::watch(inbox);
}
