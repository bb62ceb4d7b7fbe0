//! The actions on a picture, alike wherever one is shown: zoom, panning, the crosshair and the grey window.

use mammoscope_imaging::intensity_window::WindowChoice;

/// An action on the picture that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PictureAction {
    ZoomIn,
    ZoomOut,
    /// Shows the whole image or, if it is whole, resets the grey window.
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
        use crate::tui::protocol::binding::Binding;
        use crate::tui::protocol::picture_action::PictureAction as Picture;
        use crate::tui::protocol::verb::Verb;
        &[
            Binding::new($act(Picture::ZoomIn), &[Verb::ZoomIn], "zoom", "zoom in"),
            Binding::quiet($act(Picture::ZoomOut), &[Verb::ZoomOut], "zoom out"),
            Binding::quiet(
                $act(Picture::Whole),
                &[Verb::ResetView],
                "show the whole image, then reset the grey window",
            ),
            Binding::quiet($act(Picture::PanLeft), &[Verb::PanLeft], "pan left"),
            Binding::quiet($act(Picture::PanRight), &[Verb::PanRight], "pan right"),
            Binding::quiet($act(Picture::PanUp), &[Verb::PanUp], "pan up"),
            Binding::quiet($act(Picture::PanDown), &[Verb::PanDown], "pan down"),
            Binding::new(
                $act(Picture::Crosshair),
                &[Verb::Crosshair],
                "crosshair",
                "show the grey value and the position under a crosshair",
            ),
            Binding::new($act(Picture::NextWindow), &[Verb::Window], "window", "switch to the next grey window"),
            Binding::quiet(
                $act(Picture::TypeWindow),
                &[Verb::TypeWindow],
                "type the centre and width of the grey window",
            ),
            Binding::quiet($act(Picture::Darker), &[Verb::Darker], "darken the image"),
            Binding::quiet($act(Picture::Brighter), &[Verb::Brighter], "brighten the image"),
            Binding::quiet($act(Picture::LessContrast), &[Verb::LessContrast], "decrease the contrast"),
            Binding::quiet($act(Picture::MoreContrast), &[Verb::MoreContrast], "increase the contrast"),
            Binding::quiet($act(Picture::BreastWindow), &[], "window the grey values of the breast"),
            Binding::quiet($act(Picture::ResetWindow), &[], "reset the grey window"),
        ]
    }};
}

pub(in crate::tui) use picture_bindings;
