//! The two ways in which the reference turns an image into the network's input.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the pixels of an image become the network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InputRoute {
    /// The reference's training and prediction: nearest neighbour, × 1/255, minus the mean.
    #[default]
    #[serde(rename = "route1")]
    One,
    /// The reference's Grad-CAM notebook: bilinear truncated to 8 bits, minus the mean, / 255.
    #[serde(rename = "route2")]
    Two,
}

impl InputRoute {
    /// The route's name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "route1",
            Self::Two => "route2",
        }
    }
}

impl fmt::Display for InputRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no input route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no input route; the routes are route1 and route2")]
pub struct UnknownRoute(pub String);

impl FromStr for InputRoute {
    type Err = UnknownRoute;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::One, Self::Two]
            .into_iter()
            .find(|route| route.name() == text)
            .ok_or_else(|| UnknownRoute(text.to_owned()))
    }
}
