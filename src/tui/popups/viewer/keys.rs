//! The key table of the picture viewer.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::picture_action::{PictureAction, picture_bindings};
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
        Binding::new(
            act(ViewerAction::Next),
            &[Key::Right, Key::Down, Key::Char(' '), Key::Enter],
            "next",
            "show the next image",
        ),
        Binding::new(
            act(ViewerAction::Previous),
            &[Key::Left, Key::Up, Key::Backspace],
            "previous",
            "show the previous image",
        ),
    ],
    picture_bindings!(on_picture),
    &[
        Binding::new(act(ViewerAction::CopyPath), &[Key::Char('y')], "copy path", "copy the path of the image"),
        Binding::quiet(act(ViewerAction::TenForward), &[Key::PageDown], "go ten images forward"),
        Binding::quiet(act(ViewerAction::TenBack), &[Key::PageUp], "go ten images back"),
        Binding::quiet(act(ViewerAction::First), &[Key::Home], "show the first image"),
        Binding::quiet(act(ViewerAction::Last), &[Key::End], "show the last image"),
        Binding::new(act(ViewerAction::Close), &[Key::Escape, Key::Char('q')], "back", "go back"),
    ],
];
