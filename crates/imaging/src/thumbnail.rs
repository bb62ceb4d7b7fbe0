//! Small grey pictures of images, made faster than by decoding and scaling them.

use crate::decode::jpeg::reduced_pixels;
use crate::decode::{DecodedImage, ImageError, ImageFormat, Samples, contain, decode};
use crate::image_facts::ImageFacts;
use crate::intensity_window::{GreyStatistics, WindowChoice};
use crate::raster::{Channels, Raster};

/// A small picture of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Thumbnail {
    /// The facts of the image in the file.
    pub facts: ImageFacts,
    /// Grey, with the proportions of the image.
    pub picture: Raster<u8>,
}

/// A small picture of the image in a file, as large as a box allows. Grey values are averaged; those of 16 bits are shown
/// over the whole range of the image, and colours as grey.
///
/// JPEG is decoded at a fraction of its size. An image that is smaller than the box is not enlarged.
pub fn thumbnail(bytes: Vec<u8>, width: usize, height: usize) -> Result<Thumbnail, ImageError> {
    let decoded = match ImageFormat::of(&bytes) {
        Some(ImageFormat::Jpeg) => contain(ImageFormat::Jpeg, || reduced_jpeg(&bytes, width, height))?,
        _ => decode(bytes)?,
    };
    let facts = decoded.facts;
    let (width, height) = fitted(facts, width, height);
    let picture = match decoded.samples {
        Samples::Depth8(raster) => reduced(&raster, width, height).map(|mean| mean as u8),
        Samples::Depth16(raster) => {
            let means = reduced(&raster, width, height).map(|mean| mean as u16);
            let statistics = GreyStatistics::of(&Samples::Depth16(means.clone()));
            let window = WindowChoice::default().window(&statistics);
            means.map(|mean| window.level(mean))
        }
    };
    Ok(Thumbnail { facts, picture })
}

/// The size of an image in a box, at most its own.
fn fitted(facts: ImageFacts, width: usize, height: usize) -> (usize, usize) {
    let (across, down) = (f64::from(facts.width), f64::from(facts.height));
    let scale = (width as f64 / across).min(height as f64 / down).min(1.0);
    let side = |length: f64| ((length * scale).round() as usize).max(1);
    (side(across), side(down))
}

/// The pixels of a JPEG file at the smallest of libjpeg's sizes that is at least that of the box.
fn reduced_jpeg(bytes: &[u8], width: usize, height: usize) -> Result<DecodedImage, ImageError> {
    let (facts, samples) = reduced_pixels(bytes, |facts| {
        let (across, down) = fitted(facts, width, height);
        let needed = (across as f64 / f64::from(facts.width)).max(down as f64 / f64::from(facts.height));
        ((needed * 8.0).ceil() as u8).clamp(1, 8)
    })?;
    Ok(DecodedImage { facts, samples: Samples::Depth8(samples) })
}

/// The means of the pixels that each pixel of a smaller picture covers.
fn reduced<S: Copy + Into<u32>>(image: &Raster<S>, width: usize, height: usize) -> Raster<u32> {
    let channels = image.channels().count();
    let (width, height) = (width.min(image.width()), height.min(image.height()));
    let edge = |at: usize, length: usize, parts: usize| at * length / parts;
    let columns: Vec<(usize, usize)> = (0..width)
        .map(|at| (edge(at, image.width(), width) * channels, edge(at + 1, image.width(), width) * channels))
        .collect();
    let mut means = Vec::with_capacity(width * height);
    let mut sums = vec![0_u64; width];
    for row in 0..height {
        let rows = edge(row, image.height(), height)..edge(row + 1, image.height(), height);
        sums.fill(0);
        for source in rows.clone() {
            let samples = image.row(source);
            for (sum, &(first, last)) in sums.iter_mut().zip(&columns) {
                *sum += u64::from(samples[first..last].iter().map(|&sample| sample.into()).sum::<u32>());
            }
        }
        let mean = |(sum, (first, last)): (&u64, &(usize, usize))| {
            let count = ((last - first) * rows.len()) as u64;
            ((sum + count / 2) / count) as u32
        };
        means.extend(sums.iter().zip(&columns).map(mean));
    }
    Raster::new(width, height, Channels::Grey, means)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageBuffer, Luma};

    use super::*;

    fn png(image: &image::DynamicImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn a_thumbnail_has_the_means_and_the_proportions_of_the_image() {
        let image = GrayImage::from_fn(40, 80, |x, y| Luma([if (x / 20 + y / 40) % 2 == 0 { 40 } else { 200 }]));
        let made = thumbnail(png(&image.into()), 10, 4).unwrap();
        assert_eq!((made.facts.width, made.facts.height), (40, 80));
        assert_eq!((made.picture.width(), made.picture.height()), (2, 4));
        assert_eq!(made.picture.samples(), &[40, 200, 40, 200, 200, 40, 200, 40]);
    }

    #[test]
    fn sixteen_bits_are_shown_over_their_range_and_small_images_are_not_enlarged() {
        let image: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(3, 1, |x, _| Luma([1000 + 1000 * x as u16]));
        let made = thumbnail(png(&image.into()), 100, 100).unwrap();
        assert_eq!(made.picture.samples(), &[0, 128, 255]);
    }

    #[test]
    fn damaged_files_are_refused() {
        let mut bytes = png(&GrayImage::new(64, 64).into());
        bytes.truncate(60);
        assert!(thumbnail(bytes, 10, 10).is_err());
        assert!(thumbnail(b"notes".to_vec(), 10, 10).is_err());
    }
}
