//! The ways to ask a network where it looks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Noisy copies of an image that SmoothGrad averages over.
pub const NOISY_COPIES: usize = 16;
/// Positions of the covering patch in each direction, where the image has as many pixels to tell them apart.
const OCCLUSION_GRID: usize = 12;
/// A position of the patch stands for no fewer pixels.
const MIN_PIXELS: usize = 4;

/// Positions of the covering patch in each direction for an image of `size` pixels.
#[must_use]
pub const fn occlusion_grid(size: usize) -> usize {
    let fitting = size / MIN_PIXELS;
    if fitting == 0 {
        1
    } else if fitting < OCCLUSION_GRID {
        fitting
    } else {
        OCCLUSION_GRID
    }
}

/// How a map of a network's attention is computed.
///
/// With `A` the feature maps of a layer and `g = ∂logit/∂A` their gradient for the explained class, all maps are kept
/// with their sign: the ReLU of the papers is left to who shows or scores them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum ExplanationMethod {
    /// `Σ_k mean(g_k) · A_k`. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    /// localization", ICCV 2017.
    #[default]
    GradCam,
    /// Grad-CAM with weights `Σ α·max(g, 0)`, `α = g² / (2g² + ΣA·g³)`. Chattopadhay et al., "Grad-CAM++: improved
    /// visual explanations for deep convolutional networks", WACV 2018.
    GradCamPlusPlus,
    /// `Σ_k g_k ⊙ A_k`; for a head of average and dense layer the sum over all positions and the bias make the logit.
    /// Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
    /// 2020 (arXiv 2011.08891).
    HiResCam,
    /// `Σ_k max(g_k, 0) ⊙ A_k`, made for earlier layers. Jiang et al., "LayerCAM: exploring hierarchical class
    /// activation maps for localization", IEEE Transactions on Image Processing 30, 2021.
    LayerCam,
    /// The first principal component of the feature maps, whatever the class: a control. Muhammad and Yeasin,
    /// "Eigen-CAM: class activation map using principal components", IJCNN 2020.
    EigenCam,
    /// The gradient at the input, averaged over noisy copies of it. Smilkov et al., "SmoothGrad: removing noise by
    /// adding noise", 2017 (arXiv 1706.03825).
    SmoothGrad,
    /// By how much the logit falls when a patch is covered with the image's mean. Zeiler and Fergus, "Visualizing and
    /// understanding convolutional networks", ECCV 2014.
    Occlusion,
    /// Smooth random numbers that know neither image nor network: the control that a map has to beat. Adebayo et al.,
    /// "Sanity checks for saliency maps", NeurIPS 2018, say why there must be one.
    Random,
}

impl ExplanationMethod {
    /// All methods, in the order of choices.
    pub const ALL: [Self; 8] = [
        Self::GradCam,
        Self::GradCamPlusPlus,
        Self::HiResCam,
        Self::LayerCam,
        Self::EigenCam,
        Self::SmoothGrad,
        Self::Occlusion,
        Self::Random,
    ];

    /// The method's name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GradCam => "grad-cam",
            Self::GradCamPlusPlus => "grad-cam++",
            Self::HiResCam => "hires-cam",
            Self::LayerCam => "layer-cam",
            Self::EigenCam => "eigen-cam",
            Self::SmoothGrad => "smooth-grad",
            Self::Occlusion => "occlusion",
            Self::Random => "random",
        }
    }

    /// The method's name as its authors write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::GradCam => "Grad-CAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::HiResCam => "HiResCAM",
            Self::LayerCam => "LayerCAM",
            Self::EigenCam => "EigenCAM",
            Self::SmoothGrad => "SmoothGrad",
            Self::Occlusion => "Occlusion",
            Self::Random => "Random map",
        }
    }

    /// Whether the map is one of a layer, and so depends on which.
    #[must_use]
    pub const fn is_of_layer(self) -> bool {
        !matches!(self, Self::SmoothGrad | Self::Occlusion)
    }

    /// How often the network is computed, forwards and where it has to be backwards, for one image of `size` pixels.
    #[must_use]
    pub const fn passes(self, size: usize) -> usize {
        match self {
            Self::Random | Self::EigenCam => 1,
            Self::GradCam | Self::GradCamPlusPlus | Self::HiResCam | Self::LayerCam => 2,
            Self::SmoothGrad => 2 * NOISY_COPIES,
            Self::Occlusion => occlusion_grid(size).pow(2) + 1,
        }
    }

    /// Whether an image takes many times what a prediction takes.
    #[must_use]
    pub const fn is_slow(self) -> bool {
        matches!(self, Self::SmoothGrad | Self::Occlusion)
    }

    /// Whether the map depends on the explained class.
    #[must_use]
    pub const fn is_of_class(self) -> bool {
        !matches!(self, Self::EigenCam | Self::Random)
    }
}

impl fmt::Display for ExplanationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<ExplanationMethod> for &'static str {
    fn from(method: ExplanationMethod) -> Self {
        method.name()
    }
}

/// A text that names no method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is no method; the nearest is {nearest} (methods: {all})", all = names())]
pub struct UnknownMethod {
    /// What was given.
    pub name: String,
    /// The method whose name is most like it.
    pub nearest: ExplanationMethod,
}

fn names() -> String {
    ExplanationMethod::ALL.map(ExplanationMethod::name).join(", ")
}

impl FromStr for ExplanationMethod {
    type Err = UnknownMethod;

    /// Reads a name in any case, with or without the hyphens (`gradcam`, `LayerCAM`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
        let wanted = plain(text);
        let likeness = |method: &Self| strsim::jaro_winkler(&plain(method.name()), &wanted);
        Self::ALL.into_iter().find(|method| plain(method.name()) == wanted).ok_or_else(|| {
            let nearest = Self::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default();
            UnknownMethod { name: text.to_owned(), nearest }
        })
    }
}

impl TryFrom<String> for ExplanationMethod {
    type Error = UnknownMethod;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_in_any_writing() {
        for method in ExplanationMethod::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
            assert_eq!(method.title().replace(" map", "").parse(), Ok(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
        }
        assert_eq!("GRADCAM".parse(), Ok(ExplanationMethod::GradCam));
    }

    #[test]
    fn a_slip_of_the_finger_is_told_the_nearest() {
        let error = "grad-cma".parse::<ExplanationMethod>().unwrap_err();
        assert_eq!(error.nearest, ExplanationMethod::GradCam);
        let error = "oclusion".parse::<ExplanationMethod>().unwrap_err().to_string();
        assert!(error.contains("nearest is occlusion") && error.contains("smooth-grad"), "{error}");
    }
}
