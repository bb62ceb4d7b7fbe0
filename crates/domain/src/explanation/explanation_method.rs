//! The methods that explain a prediction by a map.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of noisy copies of an image that SmoothGrad averages over.
pub const NOISY_COPIES: usize = 16;
/// The positions of the occluding patch in each direction, if the image is large enough.
const OCCLUSION_GRID: usize = 12;
/// The smallest distance between positions of the patch, in pixels.
const MIN_PIXELS: usize = 4;

/// The positions of the occluding patch in each direction for an image of `size` pixels.
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

/// A method that computes an explanation map.
///
/// In the formulas `A` are the feature maps of a layer and `g = ∂logit/∂A` their gradient for the explained class. All
/// maps are signed: the ReLU of the papers is applied when they are shown or scored.
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
    /// `Σ_k g_k ⊙ A_k`; with a head of average and dense layer, the sum over all positions plus the bias is the logit.
    /// Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
    /// networks", 2020 (arXiv 2011.08891).
    HiResCam,
    /// `Σ_k max(g_k, 0) ⊙ A_k`, suited to earlier layers. Jiang et al., "LayerCAM: exploring hierarchical class
    /// activation maps for localization", IEEE Transactions on Image Processing 30, 2021.
    LayerCam,
    /// The first principal component of the feature maps, independent of the class: a control. Muhammad and Yeasin,
    /// "Eigen-CAM: class activation map using principal components", IJCNN 2020.
    EigenCam,
    /// The gradient at the input, averaged over noisy copies of it. Smilkov et al., "SmoothGrad: removing noise by
    /// adding noise", 2017 (arXiv 1706.03825).
    SmoothGrad,
    /// The drop of the logit when a patch is replaced by the image's mean. Zeiler and Fergus, "Visualizing and
    /// understanding convolutional networks", ECCV 2014.
    Occlusion,
    /// Smooth random numbers, independent of image and network: the control that a map has to beat. Adebayo et al.,
    /// "Sanity checks for saliency maps", NeurIPS 2018, explain why one is needed.
    Random,
}

impl ExplanationMethod {
    /// All methods, in the order in which they are listed.
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

    /// The method's name as its authors spell it.
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

    /// True if the map is computed at a layer.
    #[must_use]
    pub const fn is_of_layer(self) -> bool {
        !matches!(self, Self::SmoothGrad | Self::Occlusion)
    }

    /// The number of forward and backward passes for one image of `size` pixels.
    #[must_use]
    pub const fn passes(self, size: usize) -> usize {
        match self {
            Self::Random | Self::EigenCam => 1,
            Self::GradCam | Self::GradCamPlusPlus | Self::HiResCam | Self::LayerCam => 2,
            Self::SmoothGrad => 2 * NOISY_COPIES,
            Self::Occlusion => occlusion_grid(size).pow(2) + 1,
        }
    }

    /// True if a map takes many times as long as a prediction.
    #[must_use]
    pub const fn is_slow(self) -> bool {
        matches!(self, Self::SmoothGrad | Self::Occlusion)
    }

    /// True if the map depends on the explained class.
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

/// A text that does not name a method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is not a method; the nearest is {nearest} (methods: {all})", all = names())]
pub struct UnknownMethod {
    pub name: String,
    /// The method with the most similar name.
    pub nearest: ExplanationMethod,
}

fn names() -> String {
    ExplanationMethod::ALL.map(ExplanationMethod::name).join(", ")
}

impl FromStr for ExplanationMethod {
    type Err = UnknownMethod;

    /// Reads a name in any case, with or without hyphens (`gradcam`, `LayerCAM`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
        let wanted = plain(text);
        let similarity = |method: &Self| strsim::jaro_winkler(&plain(method.name()), &wanted);
        Self::ALL.into_iter().find(|method| plain(method.name()) == wanted).ok_or_else(|| {
            let nearest =
                Self::ALL.into_iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b))).unwrap_or_default();
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
    fn names_are_read_in_any_spelling() {
        for method in ExplanationMethod::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
            assert_eq!(method.title().replace(" map", "").parse(), Ok(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
        }
        assert_eq!("GRADCAM".parse(), Ok(ExplanationMethod::GradCam));
    }

    #[test]
    fn a_misspelt_method_is_refused_with_the_nearest() {
        let error = "grad-cma".parse::<ExplanationMethod>().unwrap_err();
        assert_eq!(error.nearest, ExplanationMethod::GradCam);
        let error = "oclusion".parse::<ExplanationMethod>().unwrap_err().to_string();
        assert!(error.contains("nearest is occlusion") && error.contains("smooth-grad"), "{error}");
    }
}
