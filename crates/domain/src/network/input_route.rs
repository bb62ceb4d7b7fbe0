//! The two preprocessing routes of the reference from an image to the network's input.

use serde::{Deserialize, Serialize};

use crate::text::named_choice::named_choice;

/// The preprocessing of an image. The reference preprocesses differently in training and in its Grad-CAM notebook; a
/// network should see what it was trained on, so [`InputRoute::Training`] is the default everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InputRoute {
    /// Training and prediction: nearest neighbour as in PIL, × 1/255, minus the mean.
    #[default]
    #[serde(rename = "training")]
    Training,
    /// The Grad-CAM notebook: bilinear without anti-aliasing, minus the mean, / 255.
    #[serde(rename = "grad-cam-notebook")]
    GradCamNotebook,
}

impl InputRoute {
    pub const ALL: [Self; 2] = [Self::Training, Self::GradCamNotebook];

    /// The route's name in files and options: `training` or `grad-cam-notebook`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::GradCamNotebook => "grad-cam-notebook",
        }
    }
}

/// A text that does not name an input route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an input route; the routes are training and grad-cam-notebook")]
pub struct UnknownRoute(pub String);

named_choice!(InputRoute by name, str::eq, UnknownRoute);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_text_and_json() {
        for route in InputRoute::ALL {
            assert_eq!(route.to_string().parse(), Ok(route));
            assert_eq!(serde_json::to_string(&route).expect("a unit variant"), format!("\"{route}\""));
        }
        assert!("one".parse::<InputRoute>().is_err());
    }
}
