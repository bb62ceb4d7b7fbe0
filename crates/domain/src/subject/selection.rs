//! The views and the split of a data set that are selected.

use std::fmt;
use std::str::FromStr;

use super::split::{Split, UnknownSplit};
use super::view::{UnknownView, View};

/// The selected views: `all`, or some of the four.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ViewSelection {
    /// All views that there are.
    #[default]
    All,
    /// Some views, each once, in the order of [`View::ALL`].
    Only(Vec<View>),
}

impl ViewSelection {
    #[must_use]
    pub fn contains(&self, view: View) -> bool {
        match self {
            Self::All => true,
            Self::Only(views) => views.contains(&view),
        }
    }
}

impl FromStr for ViewSelection {
    type Err = UnknownView;

    /// Reads `all`, or a comma-separated list of views; a view named twice counts once.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        let selected = text.split(',').map(|name| name.trim().parse()).collect::<Result<Vec<View>, _>>()?;
        Ok(Self::Only(View::ALL.into_iter().filter(|view| selected.contains(view)).collect()))
    }
}

impl fmt::Display for ViewSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Only(views) => f.write_str(&views.iter().map(|view| view.name()).collect::<Vec<_>>().join(",")),
        }
    }
}

/// The selected part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SplitSelection {
    /// The images of all splits, and those without one.
    #[default]
    All,
    /// The images of one split.
    Only(Split),
}

impl FromStr for SplitSelection {
    type Err = UnknownSplit;

    /// Reads `all`, or a split's name or synonym.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("all") { Ok(Self::All) } else { text.parse().map(Self::Only) }
    }
}

impl fmt::Display for SplitSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("all"),
            Self::Only(split) => f.pad(split.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_listed_once_and_in_order() {
        assert_eq!("mlo_r, CC_R,MLO_R".parse(), Ok(ViewSelection::Only(vec![View::CcR, View::MloR])));
        assert_eq!("ALL".parse(), Ok(ViewSelection::All));
        assert_eq!("".parse::<ViewSelection>(), Err(UnknownView(String::new())));
        assert_eq!("CC_R,LM".parse::<ViewSelection>(), Err(UnknownView("LM".to_owned())));
        assert_eq!(ViewSelection::Only(vec![View::CcR, View::MloR]).to_string(), "CC_R,MLO_R");
    }

    #[test]
    fn splits_are_read_by_name_or_synonym() {
        assert_eq!("valid".parse(), Ok(SplitSelection::Only(Split::Validation)));
        assert_eq!("all".parse(), Ok(SplitSelection::All));
        assert!("holdout".parse::<SplitSelection>().is_err());
    }
}
