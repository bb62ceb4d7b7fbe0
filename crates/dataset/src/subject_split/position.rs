//! The draw of a subject: a position in [0, 1) that depends on her id and the seed alone.

use sha2::{Digest as _, Sha256};

/// The steps between the positions of consecutive numbers, in units of 2⁻⁶⁴.
///
/// Found by a random search among 26,000: for every distance of numbers in `DISTANCES` of the tests, the positions of the
/// first 160 numbers with that distance are spread so evenly that no interval contains 5.6 more or fewer of them than its
/// length says. Independent random positions average 15.6.
const STEPS: [u64; 8] = [
    0xb192_c276_bd1d_5651,
    0x7963_edb9_f9fc_9833,
    0x6259_d017_464f_9291,
    0x894b_a3cf_c218_b857,
    0xc4d2_78a3_d1c4_5f1b,
    0xec79_cf5e_1492_31cf,
    0x4345_282d_e4f7_c027,
    0x2736_bc41_4c07_005b,
];
/// The most digits of a number; longer ones are not running numbers.
const MAX_DIGITS: usize = 18;

/// The position of a key at a seed.
///
/// The key is taken apart into a stem and the number at its end, 0 without one. The first eight bytes of the SHA-256 of
/// `mammoscope split\0`, the seed (u64, little-endian) and the stem are the position of number 0 (u64, big-endian, of which
/// the upper 53 bits count), and the lower three bits of the ninth choose the step to the next number. Ids without numbers
/// are thus drawn independently, and running numbers systematically, as in survey sampling: from a random start, evenly.
pub(super) fn position(key: &str, seed: u64) -> f64 {
    let (stem, number) = stem_and_number(key);
    let mut hasher = Sha256::new();
    hasher.update(b"mammoscope split\0");
    hasher.update(seed.to_le_bytes());
    hasher.update(stem.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let (words, _) = digest.as_chunks::<8>();
    let step = STEPS[usize::from(digest[8]) % STEPS.len()];
    let position = u64::from_be_bytes(words[0]).wrapping_add(number.wrapping_mul(step));
    (position >> 11) as f64 / (1_u64 << 53) as f64
}

fn stem_and_number(key: &str) -> (&str, u64) {
    let stem = key.trim_end_matches(|character: char| character.is_ascii_digit());
    let digits = &key[stem.len()..];
    match digits.parse() {
        Ok(number) if digits.len() <= MAX_DIGITS => (stem, number),
        _ => (key, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances between the numbers of subjects of one class or site.
    const DISTANCES: [u64; 21] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 20, 24, 25, 32, 50, 64, 100, 1000];

    /// The largest difference, over all intervals, between the points in it and the share of its length.
    fn discrepancy(mut points: Vec<f64>) -> f64 {
        points.sort_by(f64::total_cmp);
        let count = points.len() as f64;
        let excess = points.iter().enumerate().map(|(before, point)| before as f64 - count * point);
        let (least, most) = excess
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), excess| (least.min(excess), most.max(excess)));
        most - least + 1.0
    }

    #[test]
    fn running_numbers_are_spread_evenly() {
        for step in STEPS {
            for distance in DISTANCES {
                for count in [10, 20, 40, 80, 160] {
                    let point = |number: u64| (number * distance).wrapping_mul(step) as f64 / 2.0_f64.powi(64);
                    let found = discrepancy((0..count).map(point).collect());
                    assert!(found < 5.6, "{step:x}, every {distance}th of {count}: {found}");
                }
            }
        }
    }

    #[test]
    fn keys_are_taken_apart() {
        for (key, expected) in [
            ("7", ("", 7)),
            ("p12", ("p", 12)),
            ("12_1", ("12_", 1)),
            ("ab", ("ab", 0)),
            ("", ("", 0)),
            ("a9999999999999999999", ("a9999999999999999999", 0)),
            ("3.1.4", ("3.1.", 4)),
        ] {
            assert_eq!(stem_and_number(key), expected, "{key}");
        }
    }

    #[test]
    fn ids_without_numbers_are_drawn_independently() {
        let names: Vec<String> =
            (0..4000_u32).map(|number| format!("{:x}x", number.wrapping_mul(2_654_435_761))).collect();
        let points: Vec<f64> = names.iter().map(|name| position(name, 3)).collect();
        // Kuiper's statistic of random points exceeds twice the root of their number once in 600 times.
        let found = discrepancy(points.clone());
        assert!(found < 2.0 * 4000_f64.sqrt() && found > 20.0, "{found}");
        let same = points.iter().zip(&names).filter(|(point, name)| (position(name, 4) - **point).abs() < 0.1).count();
        // 19 % of independent pairs are so close; five standard deviations.
        assert!((same as f64 - 760.0).abs() < 125.0, "{same}");
    }
}
