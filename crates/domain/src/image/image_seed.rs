//! Seeds of the random numbers of an image, which do not depend on the other images of a job.

use std::path::Path;

use crate::subject::view::View;

/// The seed of a view's images, so that equal file names of two views get different numbers.
#[must_use]
pub fn view_seed(seed: u64, view: Option<View>) -> u64 {
    mixed(seed, view.map_or("", View::name).as_bytes())
}

/// The seed of one image, from the seed of its view, its name and the name of its folder. The location of the data set
/// does not matter.
#[must_use]
pub fn image_seed(view_seed: u64, path: &Path) -> u64 {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let name = path.file_name().unwrap_or_default();
    mixed(mixed(view_seed, folder.as_encoded_bytes()), name.as_encoded_bytes())
}

/// FNV-1a of the seed and the bytes, then the finaliser of `SplitMix64`, so that similar inputs are far apart.
fn mixed(seed: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = seed.to_le_bytes().iter().chain(bytes).fold(0xcbf2_9ce4_8422_2325, step);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_matters_except_the_location_of_the_data_set() {
        let seed = |seed, view, path: &str| image_seed(view_seed(seed, view), Path::new(path));
        let reference = seed(0, Some(View::CcR), "/data/CC_R/A/1.png");
        assert_eq!(reference, seed(0, Some(View::CcR), "elsewhere/test/A/1.png"));
        let others = [
            seed(1, Some(View::CcR), "/data/CC_R/A/1.png"),
            seed(0, Some(View::CcL), "/data/CC_R/A/1.png"),
            seed(0, None, "/data/CC_R/A/1.png"),
            seed(0, Some(View::CcR), "/data/CC_R/B/1.png"),
            seed(0, Some(View::CcR), "/data/CC_R/A/2.png"),
        ];
        assert!(others.iter().all(|&other| other != reference));
    }
}
