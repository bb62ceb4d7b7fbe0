//! Masks by rule, on phantoms with known regions and on real mammograms.

use std::path::Path;

use image::{GrayImage, RgbImage};
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::metrics::rank_correlation::spearman;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::contour::{drawn, outline};
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::picture_regions::{PictureRegions, TrueMasks};
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::resize::nearest_pil;
use mammoscope_imaging::skin_band::SkinBandWidth;
use mammoscope_test_support::shared;

fn jaccard(found: &Mask, truth: &Mask) -> f64 {
    let both = found.pixels().iter().zip(truth.pixels()).filter(|&(&found, &truth)| found && truth).count();
    both as f64 / (found.area() + truth.area() - both) as f64
}

fn mask(picture: &GrayImage) -> Mask {
    let (width, height) = picture.dimensions();
    Mask::new(width as usize, height as usize, picture.as_raw().iter().map(|&pixel| pixel > 0).collect())
}

/// Draws the outlines of regions into the folder that `MAMMOSCOPE_LOOK` names, if it is set.
fn draw_outlines(name: &str, image: &Raster<u8>, regions: &PictureRegions, truth: Option<&Mask>) {
    let Some(folder) = std::env::var_os("MAMMOSCOPE_LOOK") else { return };
    let mut picture = drawn(image, &outline(&regions.breast), [90, 160, 255], 2.0);
    picture = drawn(&picture, &outline(&regions.skin_band), [60, 200, 120], 1.0);
    for (mask, color) in
        [(regions.pectoral.as_ref(), [255, 90, 200]), (regions.dense.as_ref(), [255, 170, 0]), (truth, [255, 40, 40])]
    {
        if let Some(mask) = mask {
            picture = drawn(&picture, &outline(mask), color, 1.5);
        }
    }
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let picture = RgbImage::from_raw(width, height, picture.into_samples()).unwrap();
    picture.save(Path::new(&folder).join(format!("{name}.png"))).unwrap();
}

#[test]
fn the_regions_of_a_phantom_are_found() {
    let mut dense = [const { Vec::new() }; 4];
    let mut pectoral = Vec::new();
    for size in [256, 650] {
        let generator =
            PhantomGenerator::new(PhantomSettings { seed: 78, size, overlap: false, confounder: false }).unwrap();
        for number in 1..=if size == 256 { 24 } else { 4 } {
            let subject = generator.subject(number);
            for view in View::ALL {
                let phantom = generator.view(&subject, view);
                let side = size as usize;
                let image = Raster::new(side, side, Channels::Grey, phantom.image.clone().into_raw());
                let regions = PictureRegions::of(&image, TrueMasks::default(), SkinBandWidth::default()).unwrap();
                let truth = mask(&phantom.dense);
                draw_outlines(
                    &format!("phantom_{size}_{number}_{}_{view}", subject.label),
                    &image,
                    &regions,
                    Some(&truth),
                );
                let of_class = &mut dense[subject.label.index()];
                of_class.push(regions.dense.as_ref().map_or(0.0, |found| jaccard(found, &truth)));
                match (&regions.pectoral, phantom.pectoral.as_ref().map(mask)) {
                    (Some(found), Some(truth)) => pectoral.push(jaccard(found, &truth)),
                    (None, Some(_)) => pectoral.push(0.0),
                    (found, None) => assert!(found.is_none(), "a muscle in {view} of subject {number}"),
                }
            }
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let least = |values: &[f64]| values.iter().copied().fold(1.0, f64::min);
    eprintln!("pectoral: Jaccard {:.3}, {:.3} at worst of {}", mean(&pectoral), least(&pectoral), pectoral.len());
    for (class, values) in DensityClass::ALL.iter().zip(&dense) {
        let none = values.iter().filter(|&&value| value == 0.0).count();
        let (mean, least) = (mean(values), least(values));
        eprintln!("dense {class}: Jaccard {mean:.3}, {least:.3} at worst, none in {none} of {}", values.len());
        match class {
            // A phantom of class A is up to 11 % dense, most of it single strands: nothing that a rule could outline.
            DensityClass::A => assert!(none * 2 > values.len(), "dense tissue found in {none} fatty breasts"),
            DensityClass::B => assert!(mean > 0.4, "{mean}"),
            // LIBRA, which is widely used, agrees with experts to .62.
            DensityClass::C | DensityClass::D => assert!(mean > 0.62 && least > 0.4, "{mean}, {least} at worst"),
        }
    }
    // The muscle's edge is known to the pixel; only the opening rounds its corners.
    assert!(least(&pectoral) > 0.98);
}

#[test]
fn the_dense_share_of_real_mammograms_rises_with_the_class() {
    let Some(folder) = shared("seed/TestSet") else { return };
    let (mut shares, mut classes) = (Vec::new(), Vec::new());
    for view in ["CC_R", "MLO_R"] {
        for class in DensityClass::ALL {
            let class_folder = folder.join(view).join("test").join(class.letter());
            let file = std::fs::read_dir(class_folder).unwrap().next().unwrap().unwrap().path();
            let image = nearest_pil(&decode_file(&file).unwrap().into_8_bit(), 650, 650);
            let image = Raster::new(
                650,
                650,
                Channels::Grey,
                image.samples().chunks_exact(image.channels().count()).map(|pixel| pixel[0]).collect(),
            );
            let regions = PictureRegions::of(&image, TrueMasks::default(), SkinBandWidth::default()).unwrap();
            let share = regions.dense.as_ref().map_or(0, Mask::area) as f32 / regions.breast.area() as f32;
            eprintln!("{view} {class}: dense share {share:.3}, muscle {:?}", regions.pectoral.as_ref().map(Mask::area));
            assert_eq!(regions.pectoral.is_some(), view == "MLO_R", "{}", file.display());
            draw_outlines(&format!("real_{view}_{class}"), &image, &regions, None);
            shares.push(share);
            classes.push(class.index() as f32);
        }
    }
    let correlation = spearman(&shares, &classes).unwrap();
    eprintln!("Spearman of dense share and class: {correlation:.2}");
    assert!(correlation > 0.8, "{correlation}");
}
