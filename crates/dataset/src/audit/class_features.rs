//! Features of images that go with the class although they say nothing about the breast: a network learns those first.

use std::collections::{BTreeMap, HashMap};

use mammoscope_domain::image::grey_range::depth_of;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::Projection;

use super::association::{Association, Observation, Scale, association};
use super::audited_image::AuditedImage;
use super::finding::{Finding, FindingCode};
use super::image_measures::Pectoral;

/// The largest p-value, for all features together (Bonferroni).
const MAX_P: f64 = 0.01;

/// The value of a feature.
enum Value {
    Category(String),
    Number(f64),
}

/// A feature that must not go with the class.
struct Feature {
    code: FindingCode,
    name: &'static str,
    scale: Scale,
    /// The smallest effect that is reported: Cramér's V of categories, η² of numbers.
    min_effect: f64,
    /// `None` for an image to which it does not apply.
    value: fn(&AuditedImage<'_>) -> Option<Value>,
}

/// Cramér's V from which on a category counts: about a large effect (Cohen 1988).
const CATEGORY: f64 = 0.3;
/// η² of a number that has nothing to do with the breast.
const UNRELATED: f64 = 0.25;
/// η² of a number that depends on the breast's size, which goes with its density to some degree.
const RELATED: f64 = 0.5;

const FEATURES: [Feature; 13] = [
    Feature {
        code: FindingCode::ScannerWithClass,
        name: "scanner",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| category(image.preprocessed?.scanner.clone()?),
    },
    Feature {
        code: FindingCode::WindowWithClass,
        name: "greyscale transformation",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| category(image.preprocessed?.transformation.clone()?),
    },
    Feature {
        code: FindingCode::WindowWithClass,
        name: "window",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| {
            let [center, width] = image.preprocessed?.window?;
            category(format!("{center}/{width}"))
        },
    },
    Feature {
        code: FindingCode::WindowWithClass,
        name: "window width",
        scale: Scale::Ordered,
        min_effect: RELATED,
        value: |image| Some(Value::Number(image.preprocessed?.window?[1])),
    },
    Feature {
        code: FindingCode::SizeWithClass,
        name: "size of the source",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| {
            let [width, height] = image.preprocessed?.original_size?;
            category(format!("{width} × {height}"))
        },
    },
    Feature {
        code: FindingCode::SizeWithClass,
        name: "size",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| {
            let facts = image.measures.as_ref()?.facts;
            category(format!("{} × {}", facts.width, facts.height))
        },
    },
    Feature {
        code: FindingCode::SizeWithClass,
        name: "number of pixels",
        scale: Scale::Ordered,
        min_effect: RELATED,
        value: |image| {
            let facts = image.measures.as_ref()?.facts;
            Some(Value::Number(f64::from(facts.width) * f64::from(facts.height)))
        },
    },
    Feature {
        code: FindingCode::AspectWithClass,
        name: "aspect ratio",
        scale: Scale::Ordered,
        min_effect: RELATED,
        value: |image| {
            let facts = image.measures.as_ref()?.facts;
            Some(Value::Number(f64::from(facts.width) / f64::from(facts.height)))
        },
    },
    Feature {
        code: FindingCode::DepthWithClass,
        name: "grey depth",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| {
            let measures = image.measures.as_ref()?;
            let bits = measures.facts.bits;
            let used = if bits > 8 { depth_of(measures.largest) } else { bits };
            category(format!("{used} of {bits} bits"))
        },
    },
    Feature {
        code: FindingCode::FormatWithClass,
        name: "file format",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| {
            let facts = image.measures.as_ref()?.facts;
            category(format!("{} {}", facts.color, facts.format))
        },
    },
    Feature {
        code: FindingCode::BackgroundWithClass,
        name: "grey of the background",
        scale: Scale::Ordered,
        min_effect: UNRELATED,
        value: |image| Some(Value::Number(image.measures.as_ref()?.background?.level.into())),
    },
    Feature {
        code: FindingCode::MarksWithClass,
        name: "area of bright marks outside the breast",
        scale: Scale::Ordered,
        min_effect: UNRELATED,
        value: |image| Some(Value::Number(image.measures.as_ref()?.background?.marked_share.into())),
    },
    Feature {
        code: FindingCode::MuscleWithClass,
        name: "filling of the pectoral muscle",
        scale: Scale::Categories,
        min_effect: CATEGORY,
        value: |image| {
            image.sample.view.filter(|view| view.projection() == Projection::Mlo)?;
            match image.pectoral() {
                Pectoral::Filled => category("filled".to_owned()),
                Pectoral::Muscle | Pectoral::Uncertain if image.measures.is_some() => category("not filled".to_owned()),
                _ => None,
            }
        },
    },
];

#[expect(clippy::unnecessary_wraps, reason = "the values of other features are optional")]
fn category(name: String) -> Option<Value> {
    Some(Value::Category(name))
}

/// Finds the features that go with the class.
pub(super) fn features_with_class(images: &[AuditedImage<'_>]) -> Vec<Finding> {
    let mut numbers = HashMap::new();
    let labelled: Vec<(usize, &AuditedImage<'_>, DensityClass)> = images
        .iter()
        .filter_map(|image| {
            let class = image.sample.label?;
            let next = numbers.len();
            Some((*numbers.entry(&image.key).or_insert(next), image, class))
        })
        .collect();
    FEATURES.iter().filter_map(|feature| feature.finding(&labelled)).collect()
}

impl Feature {
    fn finding(&self, labelled: &[(usize, &AuditedImage<'_>, DensityClass)]) -> Option<Finding> {
        let mut categories: BTreeMap<String, usize> = BTreeMap::new();
        let mut observations = Vec::new();
        for &(subject, image, class) in labelled {
            let value = match (self.value)(image) {
                Some(Value::Number(number)) => number,
                Some(Value::Category(name)) => {
                    let next = categories.len();
                    *categories.entry(name).or_insert(next) as f64
                }
                None => continue,
            };
            observations.push(Observation { subject, group: image.view_index(), class, value });
        }
        let found = association(&observations, self.scale, self.min_effect, MAX_P / FEATURES.len() as f64)?;
        let Association { effect, p, subjects } = found;
        let measure = if self.scale == Scale::Categories { "Cramér's V" } else { "η² of the ranks" };
        let p = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
        let message = format!(
            "the {} goes with the class ({measure} {effect:.2} over {subjects} subjects, {p}): {}",
            self.name,
            self.by_class(&observations, &categories)
        );
        Some(Finding::warning(
            self.code,
            Vec::new(),
            message,
            "a network learns this first: take each class from the same sources and prepare all images alike, or balance it",
        ))
    }

    /// The most frequent category, or the median, of each class.
    fn by_class(&self, observations: &[Observation], categories: &BTreeMap<String, usize>) -> String {
        let of_class = |class: DensityClass| {
            let mut values: Vec<f64> = observations
                .iter()
                .filter(|observation| observation.class == class)
                .map(|observation| observation.value)
                .collect();
            values.sort_by(f64::total_cmp);
            let middle = *values.get(values.len() / 2)?;
            if self.scale == Scale::Ordered {
                return Some(format!("median {} in {class}", significant(middle)));
            }
            let most = values.chunk_by(|one, other| one.total_cmp(other).is_eq()).max_by_key(|equal| equal.len())?;
            let name = categories.iter().find(|(_, number)| **number == most[0] as usize)?.0;
            let name = mammoscope_domain::text::printable::printable(name);
            Some(format!("{name} in {:.0} % of {class}", 100.0 * most.len() as f64 / values.len() as f64))
        };
        DensityClass::ALL.into_iter().filter_map(of_class).collect::<Vec<_>>().join(", ")
    }
}

/// A number with three significant digits, or as an integer from 100 on.
fn significant(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}
