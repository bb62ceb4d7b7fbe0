//! Pairs of similar pictures among many, without comparing every picture with every other.
//!
//! Up to [`ALL_PAIRS`] pictures, all pairs are compared. Above that, signatures are hashed by the signs of 1024 random
//! projections (Charikar, STOC 2002; a randomised Hadamard transform stands for the random matrix), in 64 tables of 16 bits.
//! Only neighbours in one of the sorted tables are compared, so the work grows like n log n. A pair with the likeness 0.95
//! shares a table with the probability 1 − 3·10⁻⁶, one with 0.88 with 0.985.

use std::collections::BTreeMap;

use rayon::prelude::*;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_imaging::picture_signature::{COPY, PictureSignature};

/// The number of pictures up to which all pairs are compared.
const ALL_PAIRS: usize = 2500;
/// Length of a hashed signature; shorter ones are padded with zeros.
const LENGTH: usize = 1024;
/// Words of a sketch: one bit per projection.
const WORDS: usize = LENGTH / 64;
/// Bits of a table's key.
const KEY_BITS: u32 = 16;
/// Tables per word of a sketch.
const TABLES_PER_WORD: u32 = 64 / KEY_BITS;
/// The neighbours in a sorted table with which a picture is compared: bounds the work if many pictures share a key.
const NEIGHBOURS: usize = 48;

/// Two pictures that are alike, upright or with one of them mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SimilarPair {
    /// Indices of the pictures, the smaller first.
    pub(super) pictures: [usize; 2],
    pub(super) mirrored: bool,
}

/// Finds the pairs of signatures whose likeness makes them copies. `None` if cancelled.
pub(super) fn similar_pairs(
    signatures: &[&PictureSignature],
    cancellation: Cancellation<'_>,
) -> Option<Vec<SimilarPair>> {
    similar_pairs_above(signatures, ALL_PAIRS, cancellation)
}

fn similar_pairs_above(
    signatures: &[&PictureSignature],
    all_pairs: usize,
    cancellation: Cancellation<'_>,
) -> Option<Vec<SimilarPair>> {
    let compare = |one: usize, other: usize, mirrored: &PictureSignature| {
        let pictures = [one.min(other), one.max(other)];
        let likeness = signatures[one].likeness(signatures[other]);
        if likeness >= COPY {
            return Some(SimilarPair { pictures, mirrored: false });
        }
        (signatures[one].likeness(mirrored) >= COPY).then_some(SimilarPair { pictures, mirrored: true })
    };
    if signatures.len() <= all_pairs {
        let of_later = |later: usize| {
            let mirrored = signatures[later].mirrored();
            let found = || (0..later).filter_map(|earlier| compare(earlier, later, &mirrored)).collect::<Vec<_>>();
            (!cancellation.is_cancelled()).then(found)
        };
        let found: Option<Vec<Vec<SimilarPair>>> = (0..signatures.len()).into_par_iter().map(of_later).collect();
        return Some(found?.concat());
    }
    // Signatures of different lengths are never alike.
    let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, signature) in signatures.iter().enumerate() {
        by_length.entry(signature.units().len()).or_default().push(index);
    }
    let mut pairs = Vec::new();
    for members in by_length.into_values() {
        let centre = centre(&members.iter().map(|&index| signatures[index]).collect::<Vec<_>>());
        let sketches: Vec<[Sketch; 2]> = members
            .par_iter()
            .map(|&index| [sketch(signatures[index], &centre), sketch(&signatures[index].mirrored(), &centre)])
            .collect();
        for table in 0..WORDS as u32 * TABLES_PER_WORD {
            if cancellation.is_cancelled() {
                return None;
            }
            let found = neighbours(&sketches, table).into_par_iter();
            let found = found.filter_map(|[one, other]| {
                let (one, other) = (members[one], members[other]);
                compare(one, other, &signatures[other].mirrored())
            });
            pairs.par_extend(found);
        }
        pairs.sort_unstable();
        pairs.dedup();
    }
    Some(pairs)
}

/// The mean of the signatures and their mirror images: what all pictures have in common says nothing about copies.
fn centre(signatures: &[&PictureSignature]) -> Vec<f32> {
    let length = signatures[0].units().len();
    let mut sums = vec![0_i64; length];
    for signature in signatures {
        for (sum, &unit) in sums.iter_mut().zip(signature.units()) {
            *sum += i64::from(unit);
        }
    }
    let rows = sums.chunks_exact(length.isqrt());
    let with_mirrored = rows.flat_map(|row| row.iter().zip(row.iter().rev()).map(|(sum, mirrored)| sum + mirrored));
    with_mirrored.map(|sum| sum as f32 / (2 * signatures.len()) as f32).collect()
}

type Sketch = [u64; WORDS];

/// The signs of the random projections of a signature.
fn sketch(signature: &PictureSignature, centre: &[f32]) -> Sketch {
    let mut values = [0.0_f32; LENGTH];
    for ((value, &unit), &centre) in values.iter_mut().zip(signature.units()).zip(centre) {
        *value = f32::from(unit) - centre;
    }
    for round in 0..2 {
        for (at, value) in values.iter_mut().enumerate() {
            if scrambled((round * LENGTH + at) as u64) & 1 == 1 {
                *value = -*value;
            }
        }
        hadamard(&mut values);
    }
    let (words, _) = values.as_chunks::<64>();
    let mut sketch = [0; WORDS];
    for (bits, word) in sketch.iter_mut().zip(words) {
        *bits = word.iter().fold(0, |bits, &value| bits << 1 | u64::from(value > 0.0));
    }
    sketch
}

/// The unnormalised Walsh–Hadamard transform.
fn hadamard(values: &mut [f32; LENGTH]) {
    let mut half = 1;
    while half < LENGTH {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
fn scrambled(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The pairs of pictures that are neighbours in a table, sorted and each once; `sketches` are those of the upright and the
/// mirrored pictures.
fn neighbours(sketches: &[[Sketch; 2]], table: u32) -> Vec<[usize; 2]> {
    let (word, turn) = ((table / TABLES_PER_WORD) as usize, table % TABLES_PER_WORD * KEY_BITS);
    // The table's bits come first; the others of the word bring similar pictures together among equal keys.
    let mut entries: Vec<(u64, usize, bool)> = sketches
        .iter()
        .enumerate()
        .flat_map(|(at, sketches)| {
            [false, true].map(|mirrored| (sketches[usize::from(mirrored)][word].rotate_left(turn), at, mirrored))
        })
        .collect();
    entries.par_sort_unstable();
    let of_entry = |at: usize| {
        let (key, picture, mirrored) = entries[at];
        let same_key = move |other: &&(u64, usize, bool)| (other.0 ^ key) >> (64 - KEY_BITS) == 0;
        // Two mirrored pictures are alike if the upright ones are.
        let others = entries[at + 1..].iter().take(NEIGHBOURS).take_while(same_key);
        let others = others.filter(move |other| other.1 != picture && !(mirrored && other.2));
        others.map(move |other| [picture.min(other.1), picture.max(other.1)]).collect::<Vec<_>>()
    };
    let mut pairs: Vec<[usize; 2]> = (0..entries.len()).into_par_iter().flat_map_iter(of_entry).collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::view::View;
    use mammoscope_imaging::raster::{Channels, Raster};

    use crate::phantom::{PhantomGenerator, PhantomSettings};

    /// Signatures of phantoms, of which each fifth is followed by a noisy copy and each seventh by a mirrored one.
    fn signatures(subjects: u32) -> (Vec<PictureSignature>, usize) {
        let settings = PhantomSettings { seed: 5, size: 128, overlap: false, confounder: false };
        let generator = PhantomGenerator::new(settings).unwrap();
        let mut copies = 0;
        let mut found = Vec::new();
        for number in 1..=subjects {
            let picture = generator.view(&generator.subject(number), View::CcL).image;
            let raster = |pixels: Vec<u8>| Raster::new(128, 128, Channels::Grey, pixels);
            found.push(PictureSignature::of(&raster(picture.as_raw().clone())).unwrap());
            if number % 5 == 0 {
                let noisy = picture.as_raw().iter().enumerate();
                let noisy = noisy.map(|(at, &level)| level.saturating_add((scrambled(at as u64) & 3) as u8));
                found.push(PictureSignature::of(&raster(noisy.collect())).unwrap());
                copies += 1;
            }
            if number % 7 == 0 {
                let mirrored = image::imageops::flip_horizontal(&picture);
                found.push(PictureSignature::of(&raster(mirrored.into_raw())).unwrap());
                copies += if number % 5 == 0 { 2 } else { 1 };
            }
        }
        (found, copies)
    }

    #[test]
    fn tables_find_what_all_pairs_find() {
        let (signatures, copies) = signatures(210);
        let signatures: Vec<&PictureSignature> = signatures.iter().collect();
        let all = similar_pairs(&signatures, Cancellation::never()).unwrap();
        assert_eq!(all.len(), copies);
        assert_eq!(all.iter().filter(|pair| pair.mirrored).count(), 30 + 6);
        let mut all = all;
        all.sort_unstable();
        assert_eq!(similar_pairs_above(&signatures, 10, Cancellation::never()).unwrap(), all);
    }

    #[test]
    fn tables_compare_few_pairs() {
        let (signatures, _) = signatures(210);
        let all: Vec<&PictureSignature> = signatures.iter().collect();
        let centre = centre(&all);
        let sketches: Vec<_> =
            all.iter().map(|signature| [sketch(signature, &centre), sketch(&signature.mirrored(), &centre)]).collect();
        let compared: usize = (0..64).map(|table| neighbours(&sketches, table).len()).sum();
        let pairs = all.len() * (all.len() - 1) / 2;
        assert!(compared < pairs / 2, "{compared} comparisons, of {pairs} pairs");
    }

    #[test]
    fn a_cancelled_search_has_no_result() {
        let (signatures, _) = signatures(10);
        let signatures: Vec<&PictureSignature> = signatures.iter().collect();
        let cancelled = || true;
        for all_pairs in [2, 100] {
            assert_eq!(similar_pairs_above(&signatures, all_pairs, Cancellation::new(&cancelled)), None);
        }
    }
}
