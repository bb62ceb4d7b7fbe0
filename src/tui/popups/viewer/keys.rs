//! The key table of the picture viewer.

use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::picture_action::{PictureAction, picture_bindings};
use crate::tui::protocol::verb::Verb;
use crate::tui::protocol::viewer::ViewerAction;

const fn act(action: ViewerAction) -> Action {
    Action::Viewer(action)
}

const fn on_picture(action: PictureAction) -> Action {
    Action::Viewer(ViewerAction::Picture(action))
}

/// The keys of the viewer.
pub(super) const BINDINGS: KeyTables = &[
    &[
        Binding::new(act(ViewerAction::Next), &[Verb::Right, Verb::Down], "next", "show the next image"),
        Binding::new(act(ViewerAction::Previous), &[Verb::Left, Verb::Up], "previous", "show the previous image"),
        Binding::new(act(ViewerAction::Close), &[Verb::Back, Verb::Quit], "back", "go back"),
    ],
    picture_bindings!(on_picture),
    &[
        Binding::new(act(ViewerAction::Hanging), &[Verb::Hanging], "four views", "hang the views of the examination"),
        Binding::new(act(ViewerAction::CopyPath), &[Verb::Copy], "copy path", "copy the path of the image"),
        Binding::quiet(act(ViewerAction::TenForward), &[Verb::PageDown], "go ten images forward"),
        Binding::quiet(act(ViewerAction::TenBack), &[Verb::PageUp], "go ten images back"),
        Binding::quiet(act(ViewerAction::First), &[Verb::First], "show the first image"),
        Binding::quiet(act(ViewerAction::Last), &[Verb::Last], "show the last image"),
    ],
];
