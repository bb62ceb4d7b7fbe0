//! The screens, accessible by type and by id.

use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::view_state::ViewState;
use mammoscope_imaging::intensity_window::WindowChoice;

macro_rules! define_screens {
    ($($module:ident: $Name:ident $key:literal $go:literal,
        $Screen:ident $View:ident $Action:ident $Effect:ident $Message:ident $Service:ident;)*) => {
        /// All screens.
        pub(in crate::tui) struct Screens {
            $(pub(in crate::tui) $module: crate::tui::screens::$module::$Screen,)*
        }

        impl Screens {
            /// The screens in their saved states.
            pub(in crate::tui) fn new(view: ViewState) -> Self {
                Self { $($module: crate::tui::screens::$module::$Screen::new(view.$module),)* }
            }

            /// The state to save.
            pub(in crate::tui) fn view_state(&self, screen: ScreenId, window: WindowChoice) -> ViewState {
                ViewState { screen, window, $($module: self.$module.view_state(),)* }
            }

            /// The screen with this id.
            pub(in crate::tui) fn get(&mut self, screen: ScreenId) -> &mut dyn Screen {
                match screen {
                    $(ScreenId::$Name => &mut self.$module,)*
                }
            }

            /// Every screen, in the order of the tabs.
            pub(in crate::tui) fn all(&mut self) -> impl Iterator<Item = &mut dyn Screen> {
                let screens: Vec<&mut dyn Screen> = vec![$(&mut self.$module),*];
                screens.into_iter()
            }

            /// Passes a message to its screen; any other message is ignored.
            pub(in crate::tui) fn on_message(&mut self, message: UiMessage, shared: &mut SharedState) -> Vec<Effect> {
                match message {
                    $(UiMessage::$Name(message) => self.$module.on_message(message, shared),)*
                    _ => Vec::new(),
                }
            }
        }
    };
}

for_each_screen!(define_screens);
