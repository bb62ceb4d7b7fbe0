//! The breast mask and the spread of grey levels, on phantoms with a known breast and on real mammograms.

use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::breast_mask::breast_mask;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::intensity_sd::intensity_sd;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_test_support::shared;

#[test]
fn the_breast_of_a_phantom_is_found() {
    for (size, least) in [(64, 0.995), (256, 0.999), (650, 0.999)] {
        let settings = PhantomSettings { seed: 61, size, overlap: false, confounder: true };
        let generator = PhantomGenerator::new(settings).unwrap();
        let mut worst = 1.0_f64;
        for number in 1..=4 {
            let subject = generator.subject(number);
            for view in View::ALL {
                let drawn = generator.view(&subject, view);
                let side = size as usize;
                let image = Raster::new(side, side, Channels::Grey, drawn.image.into_raw());
                let found = breast_mask(&image).unwrap();
                let truth = drawn.breast.as_raw().iter().map(|&pixel| pixel > 0);
                let (mut both, mut either) = (0, 0);
                for (&found, truth) in found.pixels().iter().zip(truth) {
                    both += usize::from(found && truth);
                    either += usize::from(found || truth);
                }
                worst = worst.min(f64::from(u32::try_from(both).unwrap()) / f64::from(u32::try_from(either).unwrap()));
            }
        }
        eprintln!("{size} px: IoU {worst:.4} at worst");
        assert!(worst >= least, "{size} px: IoU {worst:.4} at worst, {least} expected");
    }
}

#[test]
fn the_spread_of_grey_rises_with_the_class_of_real_mammograms() {
    let Some(folder) = shared("seed/TestSet") else { return };
    for view in ["CC_R", "MLO_R"] {
        let spreads = DensityClass::ALL.map(|class| {
            let class_folder = folder.join(view).join("test").join(class.letter());
            let file = std::fs::read_dir(class_folder).unwrap().next().unwrap().unwrap().path();
            let image = decode_file(&file).unwrap().into_8_bit();
            let share = breast_mask(&image).unwrap().area() as f64 / (image.width() * image.height()) as f64;
            // Cropped at the skin, a breast fills 60 to 90 % of its picture.
            assert!((0.6..0.9).contains(&share), "{}: {share:.2} of the picture is breast", file.display());
            intensity_sd(&image).unwrap()
        });
        eprintln!("{view}: {spreads:.1?}");
        assert!(spreads.windows(2).all(|pair| pair[0] + 1.0 < pair[1]), "{view}: {spreads:.1?}");
    }
}
