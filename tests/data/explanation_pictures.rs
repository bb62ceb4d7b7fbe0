//! From a native map to scores and pictures, on phantoms with known dense tissue.

use std::io::Cursor;
use std::path::Path;

use image::GrayImage;
use mammoscope::report::contact_sheet::ContactSheet;
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::explanation::explanation_scores::{ExplanationScores, MapRegions};
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::contour::{contours, drawn};
use mammoscope_imaging::map_zoom::bilinear_zoom;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::overlay::{MapScale, overlay};
use mammoscope_imaging::picture_regions::{PictureRegions, TrueMasks};
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::skin_band::SkinBandWidth;

const SIDE: usize = 650;
const NATIVE: usize = 21;

fn mask(picture: &GrayImage) -> Mask {
    Mask::new(SIDE, SIDE, picture.as_raw().iter().map(|&pixel| pixel > 0).collect())
}

/// A mask as a layer of the network would see it at best: the share of each of 21 × 21 fields that it covers.
fn native(mask: &Mask) -> Raster<f32> {
    let (mut sums, mut counts) = ([0.0_f32; NATIVE * NATIVE], [0.0_f32; NATIVE * NATIVE]);
    for (at, &inside) in mask.pixels().iter().enumerate() {
        let field = at / SIDE * NATIVE / SIDE * NATIVE + at % SIDE * NATIVE / SIDE;
        sums[field] += f32::from(u8::from(inside));
        counts[field] += 1.0;
    }
    let values = sums.iter().zip(counts).map(|(sum, count)| sum / count).collect();
    Raster::new(NATIVE, NATIVE, Channels::Grey, values)
}

#[test]
fn a_map_of_the_dense_tissue_scores_high_and_its_reverse_low() {
    let settings = PhantomSettings { seed: 5, size: SIDE as u32, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).unwrap();
    let mut sheet = ContactSheet::new("phantoms  class C  map of the truth", Cursor::new(Vec::new()));
    for number in [3, 7] {
        let subject = generator.subject(number);
        for view in View::ALL {
            let phantom = generator.view(&subject, view);
            let image = Raster::new(SIDE, SIDE, Channels::Grey, phantom.image.clone().into_raw());
            let known = TrueMasks {
                breast: Some(mask(&phantom.breast)),
                dense: Some(mask(&phantom.dense)),
                pectoral: phantom.pectoral.as_ref().map(mask),
                ..TrueMasks::default()
            };
            let regions = PictureRegions::of(&image, known, SkinBandWidth::default()).unwrap();
            let dense = regions.dense.as_ref().unwrap();
            let score = |map: &Raster<f32>| {
                let regions = MapRegions {
                    breast: regions.breast.pixels(),
                    skin_band: regions.skin_band.pixels(),
                    dense: Some(dense.pixels()),
                };
                ExplanationScores::of(bilinear_zoom(map, SIDE, SIDE).samples(), image.samples(), &regions)
            };
            let truth = score(&native(dense));
            let reverse = score(&native(&regions.breast.without(dense)));
            let flat = score(&native(&regions.breast));
            let everywhere = score(&Raster::new(NATIVE, NATIVE, Channels::Grey, vec![1.0; NATIVE * NATIVE]));
            let enrichment = |scores: &ExplanationScores| scores.dense_enrichment.unwrap();
            eprintln!(
                "{number} {view}: truth {:.2}, breast {:.2}, everywhere {:.2}, reverse {:.2}",
                enrichment(&truth),
                enrichment(&flat),
                enrichment(&everywhere),
                enrichment(&reverse)
            );
            assert!(enrichment(&truth) > 1.2 && truth.pointing_hit == Some(true) && truth.dense_iou > Some(0.6));
            assert!((enrichment(&flat) - 1.0).abs() < 0.06 && enrichment(&everywhere) < 0.95);
            assert!(enrichment(&reverse) < 0.8 && reverse.dense_iou < Some(0.4));
            assert!(truth.grey_spearman > reverse.grey_spearman && truth.skin_energy < Some(0.1));

            let map = MapScale::PerImage.shares(&bilinear_zoom(&native(dense), SIDE, SIDE));
            let over = overlay(&image, &map, Colormap::Inferno, 0.6);
            let lines: Vec<_> = [0.25, 0.5, 0.75].into_iter().flat_map(|level| contours(&map, level)).collect();
            assert!(!lines.is_empty());
            // Where the map is 0, the picture is unchanged.
            let untouched = map.samples().iter().zip(image.samples()).zip(over.samples().as_chunks::<3>().0);
            assert!(untouched.filter(|((share, _), _)| **share == 0.0).all(|((_, &grey), pixel)| *pixel == [grey; 3]));
            let outlined = drawn(&image, &lines, [255, 170, 0], 1.5);
            let facts = format!("class {}, enrichment {:.2}", subject.label, enrichment(&truth));
            sheet.add(&format!("{number}_1_{}_{view}.png", subject.label), &facts, [&image, &over, &outlined]).unwrap();
        }
    }
    let mut png = Vec::new();
    sheet.write_png(&mut png).unwrap();
    if let Some(folder) = std::env::var_os("MAMMOSCOPE_LOOK") {
        std::fs::write(Path::new(&folder).join("contact_sheet.png"), png).unwrap();
    }
}
