//! The identity of a screen.

use serde::{Deserialize, Serialize};

use crate::tui::protocol::screen_table::for_each_screen;

macro_rules! define_screen_id {
    ($($module:ident: $Name:ident $key:literal $go:literal, $($types:ident)*;)*) => {
        /// The identity of a screen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub(in crate::tui) enum ScreenId {
            $($Name,)*
        }

        impl ScreenId {
            /// All screens, in the order of the tabs.
            pub(in crate::tui) const ALL: &'static [Self] = &[$(Self::$Name),*];

            /// The title on the tab.
            pub(in crate::tui) const fn title(self) -> &'static str {
                match self {
                    $(Self::$Name => stringify!($Name),)*
                }
            }
        }
    };
}

for_each_screen!(define_screen_id);

impl Default for ScreenId {
    fn default() -> Self {
        Self::ALL[0]
    }
}
