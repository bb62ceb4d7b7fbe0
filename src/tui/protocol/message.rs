//! The messages of the workbench's one inbox.

use crate::terminal::input::Input;
use crate::tui::protocol::examination_views::ViewsMessage;
use crate::tui::protocol::jobs::JobMessage;
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::pictures::PictureMessage;
use crate::tui::protocol::screen_table::for_each_screen;
use crate::tui::protocol::thumbnails::ThumbnailMessage;

macro_rules! define_message {
    ($($module:ident: $Name:ident $key:literal $go:literal,
        $Screen:ident $View:ident $Action:ident $Effect:ident $Message:ident $Service:ident;)*) => {
        /// An event for the application.
        #[derive(Debug)]
        pub(in crate::tui) enum UiMessage {
            /// The terminal has input.
            Input(Input),
            /// The terminal was resized.
            Resized,
            /// A second has passed.
            Tick,
            /// A request to suspend the process, as by Ctrl-Z.
            Suspend,
            /// The process continues after a suspension.
            Resume,
            /// A request by the terminal or the system to end the process.
            Terminate,
            /// The time for the terminal's replies is over.
            QueryOver,
            /// Something of the workbench itself failed; the text is for the footer.
            Fault(String),
            /// The load of this machine.
            Machine(MachineSample),
            /// News of a job.
            Job(JobMessage),
            /// The outcome of a request for a picture.
            Picture(PictureMessage),
            /// The views of an examination.
            Views(ViewsMessage),
            /// A thumbnail of a contact sheet.
            Thumbnail(ThumbnailMessage),
            $(
                /// A message to one screen from its service.
                $Name(crate::tui::protocol::$module::$Message),
            )*
        }
    };
}

for_each_screen!(define_message);
