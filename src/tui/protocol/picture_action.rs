//! The actions on a picture, alike wherever one is shown: zoom, panning, the crosshair and the grey window.

use mammoscope_imaging::intensity_window::WindowChoice;

/// An action on the picture that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PictureAction {
    ZoomIn,
    ZoomOut,
    /// Shows the whole image.
    Whole,
    PanLeft,
    PanRight,
    PanUp,
    PanDown,
    /// Shows the crosshair, or hides it.
    Crosshair,
    NextWindow,
    BreastWindow,
    /// Asks for the window's centre and width.
    TypeWindow,
    Brighter,
    Darker,
    MoreContrast,
    LessContrast,
    ResetWindow,
}

impl PictureAction {
    /// The grey window after the action; `None` if the action is not about the window.
    pub(in crate::tui) fn window(self, before: WindowChoice) -> Option<WindowChoice> {
        Some(match self {
            Self::NextWindow => before.next(),
            Self::BreastWindow => mammoscope_imaging::intensity_window::WindowPreset::Breast.choice(),
            Self::Brighter => before.brighter(1),
            Self::Darker => before.brighter(-1),
            Self::MoreContrast => before.steeper(1),
            Self::LessContrast => before.steeper(-1),
            Self::ResetWindow => WindowChoice::default(),
            _ => return None,
        })
    }

    /// The columns and rows of a pan; `None` for other actions.
    pub(in crate::tui) fn pan(self) -> Option<(i32, i32)> {
        Some(match self {
            Self::PanLeft => (-1, 0),
            Self::PanRight => (1, 0),
            Self::PanUp => (0, -1),
            Self::PanDown => (0, 1),
            _ => return None,
        })
    }
}

/// The bindings of the actions on a picture for a screen's kind of action.
macro_rules! picture_bindings {
    ($act:path) => {{
        use crate::terminal::input::Key;
        use crate::tui::protocol::binding::Binding;
        use crate::tui::protocol::picture_action::PictureAction as Picture;
        &[
            Binding::new($act(Picture::ZoomIn), &[Key::Char('z'), Key::Char('+')], "zoom", "zoom in"),
            Binding::quiet($act(Picture::ZoomOut), &[Key::Char('Z'), Key::Char('-')], "zoom out"),
            Binding::quiet($act(Picture::Whole), &[Key::Char('0')], "show the whole image"),
            Binding::quiet($act(Picture::PanLeft), &[Key::ShiftLeft], "pan left"),
            Binding::quiet($act(Picture::PanRight), &[Key::ShiftRight], "pan right"),
            Binding::quiet($act(Picture::PanUp), &[Key::ShiftUp], "pan up"),
            Binding::quiet($act(Picture::PanDown), &[Key::ShiftDown], "pan down"),
            Binding::new(
                $act(Picture::Crosshair),
                &[Key::Char('.')],
                "crosshair",
                "show the grey value and the position under a crosshair",
            ),
            Binding::new($act(Picture::NextWindow), &[Key::Char('w')], "window", "switch to the next grey window"),
            Binding::quiet($act(Picture::TypeWindow), &[Key::Char('W')], "type the centre and width of the grey window"),
            Binding::quiet($act(Picture::Darker), &[Key::Char('<')], "darken the image"),
            Binding::quiet($act(Picture::Brighter), &[Key::Char('>')], "brighten the image"),
            Binding::quiet($act(Picture::LessContrast), &[Key::Char('{')], "decrease the contrast"),
            Binding::quiet($act(Picture::MoreContrast), &[Key::Char('}')], "increase the contrast"),
            Binding::quiet($act(Picture::BreastWindow), &[], "window the grey values of the breast"),
            Binding::quiet($act(Picture::ResetWindow), &[], "reset the grey window"),
        ]
    }};
}

pub(in crate::tui) use picture_bindings;
