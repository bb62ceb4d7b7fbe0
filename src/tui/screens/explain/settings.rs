//! The settings of the screen Explain, which are saved with its state.

use serde::{Deserialize, Serialize};

use crate::analysis::explanation_files::MapPainting;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines};
use mammoscope_imaging::map_look::MapLook;
use mammoscope_imaging::overlay::MapScale;

/// The class to explain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClassChoice {
    #[default]
    Predicted,
    True,
    Class(DensityClass),
}

impl ClassChoice {
    const ALL: [Self; 6] = [
        Self::Predicted,
        Self::True,
        Self::Class(DensityClass::A),
        Self::Class(DensityClass::B),
        Self::Class(DensityClass::C),
        Self::Class(DensityClass::D),
    ];
}

/// The arrangement of image and map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Arrangement {
    /// The image and the overlay.
    #[default]
    SideBySide,
    Overlay,
    Contours,
    Map,
    Image,
}

impl Arrangement {
    const ALL: [Self; 5] = [Self::SideBySide, Self::Overlay, Self::Contours, Self::Map, Self::Image];

    /// The drawings side by side.
    pub(super) const fn drawings(self) -> &'static [ExplanationDrawing] {
        match self {
            Self::SideBySide => &[ExplanationDrawing::Image, ExplanationDrawing::Overlay],
            Self::Overlay => &[ExplanationDrawing::Overlay],
            Self::Contours => &[ExplanationDrawing::Contours],
            Self::Map => &[ExplanationDrawing::Map],
            Self::Image => &[ExplanationDrawing::Image],
        }
    }

    /// The drawing of each image if several are side by side.
    pub(super) const fn last_drawing(self) -> ExplanationDrawing {
        let drawings = self.drawings();
        drawings[drawings.len() - 1]
    }
}

/// The settings for explaining and drawing images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) method: ExplanationMethod,
    pub(super) layer: ExplainedLayer,
    pub(super) class: ClassChoice,
    pub(super) arrangement: Arrangement,
    /// In tenths.
    pub(super) opacity: u8,
    #[serde(with = "colormap_name")]
    pub(super) colors: Colormap,
    /// The map value of the full colour for all images; `None` for each image's largest value.
    pub(super) full: Option<f32>,
    pub(super) outlines: Outlines,
    /// The interpolation of maps.
    pub(super) map_look: MapLook,
    /// True to show all views of the subject.
    pub(super) grid: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: ExplanationMethod::default(),
            layer: ExplainedLayer::default(),
            class: ClassChoice::default(),
            arrangement: Arrangement::default(),
            opacity: 6,
            colors: Colormap::default(),
            full: None,
            outlines: Outlines::default(),
            map_look: MapLook::default(),
            grid: false,
        }
    }
}

impl Settings {
    /// The settings for painting maps.
    pub(super) fn painting(&self) -> MapPainting {
        MapPainting {
            colors: self.colors,
            opacity: f32::from(self.opacity) / 10.0,
            scale: self.full.map_or(MapScale::PerImage, MapScale::Fixed),
            look: self.map_look,
        }
    }

    /// Steps through the methods. A fixed scale is dropped, since the values of another method have another range.
    pub(super) fn next_method(&mut self, steps: isize) {
        self.method = neighbour(&ExplanationMethod::ALL, self.method, steps);
        self.full = None;
    }

    /// Steps cyclically from the last layer towards the first; drops a fixed scale as [`Settings::next_method`] does.
    pub(super) fn next_layer(&mut self, steps: isize) {
        let layers: Vec<_> = ExplainedLayer::all().rev().collect();
        self.layer = neighbour(&layers, self.layer, steps);
        self.full = None;
    }

    pub(super) fn next_class(&mut self, steps: isize) {
        self.class = neighbour(&ClassChoice::ALL, self.class, steps);
    }

    pub(super) fn next_arrangement(&mut self) {
        self.arrangement = neighbour(&Arrangement::ALL, self.arrangement, 1);
    }

    pub(super) fn next_colors(&mut self) {
        self.colors = neighbour(&Colormap::ALL, self.colors, 1);
    }

    pub(super) fn next_outlines(&mut self) {
        self.outlines = neighbour(&Outlines::ALL, self.outlines, 1);
    }

    pub(super) fn more_opacity(&mut self, tenths: i8) {
        self.opacity = self.opacity.saturating_add_signed(tenths).clamp(1, 10);
    }

    /// The method and its layer, such as `Grad-CAM of add_12`.
    pub(super) fn method_text(&self) -> String {
        let title = self.method.title();
        if self.method.is_of_layer() { format!("{title} of {}", self.layer) } else { title.to_owned() }
    }
}

/// The element a number of steps after this one, cyclically.
fn neighbour<T: Copy + PartialEq>(all: &[T], this: T, steps: isize) -> T {
    let at = all.iter().position(|one| *one == this).unwrap_or(0);
    all[(at as isize + steps).rem_euclid(all.len() as isize) as usize]
}

/// Serialises a colour map as its name.
mod colormap_name {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use mammoscope_imaging::colormap::Colormap;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
    pub(super) fn serialize<S: Serializer>(colors: &Colormap, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(colors.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Colormap, D::Error> {
        Ok(String::deserialize(deserializer)?.parse().unwrap_or_default())
    }
}
