//! Images of another size, depth or colour type than the others of their view.

use std::collections::BTreeMap;

use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;

use super::audited_image::AuditedImage;
use super::finding::{Finding, FindingCode};

/// The smallest number of images of a view of which one can be odd.
const MIN_IMAGES: usize = 3;
/// A side is odd if it is larger or smaller than the median by this factor at least …
const SIZE_FACTOR: f64 = 1.5;
/// … and by this many robust standard deviations of the logarithm.
const DEVIATIONS: f64 = 6.0;
/// If at least this share of a view's images have one size to the pixel, every other size is odd.
const UNIFORM: f64 = 0.9;
/// The normal distribution's standard deviation per median absolute deviation.
const PER_MAD: f64 = 1.4826;

/// Finds the odd images, one finding per view and kind.
pub(super) fn odd_images(images: &[AuditedImage<'_>]) -> Vec<Finding> {
    let mut by_view: BTreeMap<usize, Vec<&AuditedImage<'_>>> = BTreeMap::new();
    for image in images.iter().filter(|image| image.measures.is_some()) {
        by_view.entry(image.view_index()).or_default().push(image);
    }
    let of_view = |(view, images): (usize, Vec<&AuditedImage<'_>>)| {
        let name = View::ALL.get(view).map_or("unknown view", |view| view.name());
        let [size, depth] = [odd_sizes(name, &images), odd_depths(name, &images)];
        size.into_iter().chain(depth)
    };
    by_view.into_iter().filter(|(_, images)| images.len() >= MIN_IMAGES).flat_map(of_view).collect()
}

fn sides(image: &AuditedImage<'_>) -> [u32; 2] {
    image.measures.as_ref().map_or([0; 2], |measures| [measures.facts.width, measures.facts.height])
}

fn odd_sizes(view: &str, images: &[&AuditedImage<'_>]) -> Option<Finding> {
    let (common, count) = most_common(images.iter().map(|image| sides(image)))?;
    // Images that were cropped at the skin have sizes of their own.
    let is_uncropped = images.iter().all(|image| image.preprocessed.is_none());
    let is_uniform = is_uncropped && count as f64 >= UNIFORM * images.len() as f64;
    let limits: [(f64, f64); 2] = [0, 1].map(|side| {
        let mut logarithms: Vec<f64> = images.iter().map(|image| f64::from(sides(image)[side]).ln()).collect();
        let centre = median(&mut logarithms);
        let mut deviations: Vec<f64> = logarithms.iter().map(|value| (value - centre).abs()).collect();
        // Half a per mille of tolerance: a factor of exactly 1.5 counts.
        (centre, (DEVIATIONS * PER_MAD * median(&mut deviations)).max(SIZE_FACTOR.ln() - 0.0005))
    });
    let is_far = |image: &AuditedImage<'_>| {
        let far = |side: usize| (f64::from(sides(image)[side]).ln() - limits[side].0).abs() >= limits[side].1;
        far(0) || far(1)
    };
    let is_odd = |image: &&&AuditedImage<'_>| is_far(image) || (is_uniform && sides(image) != common);
    let odd: Vec<&AuditedImage<'_>> = images.iter().filter(is_odd).copied().collect();
    let first = odd.first()?;
    let [width, height] = sides(first);
    let usual = if is_uniform {
        format!("the others are {} × {}", common[0], common[1])
    } else {
        let [width, height] = limits.map(|(centre, _)| centre.exp().round());
        format!("the median is {width} × {height}")
    };
    let message = format!(
        "{} of an odd size, such as {width} × {height} pixels; {usual}",
        counted(odd.len(), &format!("{view} image"))
    );
    Some(Finding::warning(
        FindingCode::OddSize,
        odd.iter().map(|image| image.file.clone()).collect(),
        message,
        "check that these are whole views and not thumbnails, magnifications or crops; export them like the others",
    ))
}

/// A size is given by its two sides, a depth by bits and colours.
fn odd_depths(view: &str, images: &[&AuditedImage<'_>]) -> Option<Finding> {
    let depth = |image: &AuditedImage<'_>| {
        image
            .measures
            .as_ref()
            .map_or_else(String::new, |measures| format!("{}-bit {}", measures.facts.bits, measures.facts.color))
    };
    let (common, count) = most_common(images.iter().map(|image| depth(image)))?;
    let odd: Vec<&AuditedImage<'_>> = images.iter().filter(|image| depth(image) != common).copied().collect();
    let first = odd.first()?;
    let message = format!(
        "{} stored differently from the other {count}, such as {} instead of {common}",
        counted(odd.len(), &format!("{view} image")),
        depth(first)
    );
    Some(Finding::warning(
        FindingCode::OddDepth,
        odd.iter().map(|image| image.file.clone()).collect(),
        message,
        "export all images in the same way: grey levels of different depths are scaled differently",
    ))
}

/// The most frequent value, the smallest of several, and its number.
fn most_common<T: Ord>(values: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().reduce(|best, other| if other.1 > best.1 { other } else { best })
}

/// The median, the upper of two.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
