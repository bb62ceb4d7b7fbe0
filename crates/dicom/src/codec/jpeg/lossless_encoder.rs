//! Encoding of lossless JPEG, process 14: the twin of the decoder.

use super::predictor::predict;

/// Categories of differences: the number of bits that follow the code, 0 to 16.
const SIZES: usize = 17;

/// Encodes one grey frame as lossless JPEG with the predictor 1 to 7 and Huffman codes that are optimal for it.
///
/// `precision` is 2 to 16 bits, `rows` and `columns` are at most 65,535. With `restart_interval_rows`, a restart marker
/// follows every so many rows; fewer if the interval would be longer than 65,535 samples. The codestream has no padding.
///
/// # Panics
/// If there are not `rows` × `columns` samples, or a sample has more than `precision` bits, or an argument is out of range.
#[must_use]
pub fn encode_jpeg_lossless(
    samples: &[u16],
    rows: usize,
    columns: usize,
    precision: u8,
    predictor: u8,
    restart_interval_rows: Option<usize>,
) -> Vec<u8> {
    assert!((2..=16).contains(&precision), "a precision of 2 to 16 bits");
    assert!((1..=7).contains(&predictor), "a predictor of 1 to 7");
    let size = |pixels: usize| u16::try_from(pixels).expect("at most 65,535 rows and columns");
    let (height, width) = (size(rows), size(columns));
    assert!(rows > 0 && columns > 0 && samples.len() == rows * columns, "all samples of an image");
    assert!(samples.iter().all(|&sample| u32::from(sample) >> precision == 0), "samples of the given precision");
    let interval = restart_interval_rows.map(|interval| interval.clamp(1, (65_535 / columns).min(rows)));
    let interval_rows = interval.unwrap_or(rows);

    let differences = differences(samples, columns, interval_rows, precision, predictor);
    let mut counts = [0_u32; SIZES];
    for &difference in &differences {
        counts[category(difference)] += 1;
    }
    let table = CodeTable::optimal(&counts);

    let mut bytes = Vec::with_capacity(samples.len() + 128);
    bytes.extend([0xFF, 0xD8]);
    let mut segment = |marker: u8, content: &[u8]| {
        bytes.extend([0xFF, marker]);
        bytes.extend(size(content.len() + 2).to_be_bytes());
        bytes.extend(content);
    };
    let ([high, low], [left, right]) = (height.to_be_bytes(), width.to_be_bytes());
    segment(0xC3, &[precision, high, low, left, right, 1, 1, 0x11, 0]);
    segment(0xC4, &table.segment());
    if let Some(interval) = interval {
        segment(0xDD, &size(interval * columns).to_be_bytes());
    }
    segment(0xDA, &[1, 1, 0, predictor, 0, 0]);
    for (index, part) in differences.chunks(interval_rows * columns).enumerate() {
        if index > 0 {
            bytes.extend([0xFF, 0xD0 + ((index - 1) % 8) as u8]);
        }
        table.write(part, &mut bytes);
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// The differences from the predictions, modulo 2^16 and as signed numbers.
fn differences(samples: &[u16], columns: usize, interval_rows: usize, precision: u8, predictor: u8) -> Vec<i16> {
    let predict = match predictor {
        1 => predict::<1>,
        2 => predict::<2>,
        3 => predict::<3>,
        4 => predict::<4>,
        5 => predict::<5>,
        6 => predict::<6>,
        _ => predict::<7>,
    };
    let mut differences = Vec::with_capacity(samples.len());
    for (row, line) in samples.chunks(columns).enumerate() {
        let above = (row % interval_rows != 0).then(|| &samples[(row - 1) * columns..row * columns]);
        let mut left = above.map_or(1 << (precision - 1), |above| i32::from(above[0]));
        for (column, &sample) in line.iter().enumerate() {
            let prediction = match above {
                Some(above) if column > 0 => predict(left, i32::from(above[column]), i32::from(above[column - 1])),
                _ => left,
            };
            left = i32::from(sample);
            differences.push((left - prediction) as i16);
        }
    }
    differences
}

/// The number of bits of a difference; −32,768 stands for 32,768, which has no bits after its code.
fn category(difference: i16) -> usize {
    (16 - difference.unsigned_abs().leading_zeros()) as usize
}

/// A Huffman code of categories.
struct CodeTable {
    /// The number of codes per length, 1 to 16.
    lengths: [u8; 16],
    /// Categories from the shortest code to the longest.
    values: Vec<u8>,
    /// Per category: the code and its length.
    codes: [(u32, u32); SIZES],
}

impl CodeTable {
    /// The code with the fewest bits for these frequencies, none of it all ones (T.81 K.2).
    fn optimal(counts: &[u32; SIZES]) -> Self {
        // The last leaf takes the code of all ones.
        let mut weights: Vec<u64> = counts.iter().map(|&count| u64::from(count)).collect();
        weights.push(1);
        let mut depths = [0_usize; SIZES + 1];
        let mut groups: Vec<(u64, Vec<usize>)> = weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0)
            .map(|(leaf, &weight)| (weight, vec![leaf]))
            .collect();
        while groups.len() > 1 {
            groups.sort_by_key(|(weight, leaves)| std::cmp::Reverse((*weight, leaves.contains(&SIZES))));
            let (second, first) = (groups.pop().expect("two groups"), groups.pop().expect("two groups"));
            let leaves = [second.1, first.1].concat();
            leaves.iter().for_each(|&leaf| depths[leaf] += 1);
            groups.push((first.0 + second.0, leaves));
        }
        let mut lengths = [0_usize; SIZES + 2];
        depths.iter().filter(|&&depth| depth > 0).for_each(|&depth| lengths[depth] += 1);
        // Eighteen leaves are at most seventeen deep: two at that depth move up, below a leaf that moves down.
        while lengths[17] > 0 {
            let donor = (1..16).rev().find(|&length| lengths[length] > 0).expect("a shorter code");
            lengths[17] -= 2;
            lengths[16] += 1;
            lengths[donor] -= 1;
            lengths[donor + 1] += 2;
        }
        let longest = (1..=16).rev().find(|&length| lengths[length] > 0).expect("a code");
        lengths[longest] -= 1;

        let mut values: Vec<u8> = (0..SIZES as u8).filter(|&value| counts[usize::from(value)] > 0).collect();
        values.sort_by_key(|&value| (depths[usize::from(value)], value));
        let mut codes = [(0, 0); SIZES];
        let (mut code, mut next) = (0, values.iter());
        for length in 1..=16 {
            for &value in next.by_ref().take(lengths[length]) {
                codes[usize::from(value)] = (code, length as u32);
                code += 1;
            }
            code <<= 1;
        }
        Self { lengths: std::array::from_fn(|index| lengths[index + 1] as u8), values, codes }
    }

    /// The content of the segment that defines the table.
    fn segment(&self) -> Vec<u8> {
        let mut content = vec![0];
        content.extend(self.lengths);
        content.extend(&self.values);
        content
    }

    /// Appends the codes and bits of differences, filled up with ones to a whole byte.
    fn write(&self, differences: &[i16], bytes: &mut Vec<u8>) {
        let (mut bits, mut count) = (0_u64, 0_u32);
        for &difference in differences {
            let category = category(difference);
            let (code, length) = self.codes[category];
            bits = bits << length | u64::from(code);
            count += length;
            if category < 16 {
                // A negative difference is written as its value minus one, without the sign.
                let value = (i32::from(difference) - i32::from(difference < 0)) as u32;
                bits = bits << category | u64::from(value & ((1 << category) - 1));
                count += category as u32;
            }
            while count >= 8 {
                count -= 8;
                push_stuffed((bits >> count) as u8, bytes);
            }
        }
        if count > 0 {
            push_stuffed((bits << (8 - count)) as u8 | (0xFF >> count), bytes);
        }
    }
}

fn push_stuffed(byte: u8, bytes: &mut Vec<u8>) {
    bytes.push(byte);
    if byte == 0xFF {
        bytes.push(0);
    }
}
