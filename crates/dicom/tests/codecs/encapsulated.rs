//! The codestreams in the shared DICOM files, with what `expected.json` says of their pixels.

use std::fs;

use mammoscope_dicom::codec::{DecodedFrame, Encoding, FrameLayout};
use mammoscope_test_support::shared;
use serde_json::Value;

/// A shared file's first frame.
pub(crate) struct SharedFrame {
    pub(crate) name: String,
    pub(crate) encoding: Encoding,
    pub(crate) codestream: Vec<u8>,
    pub(crate) layout: FrameLayout,
    pub(crate) signed: bool,
    /// CRC-32, smallest, largest and mean stored value, if known.
    pub(crate) stored: Option<(u32, i32, i32, f64)>,
}

/// All shared files of one frame that are encapsulated in a transfer syntax with a decoder, except those in `bad`; none
/// where the folder is absent.
pub(crate) fn shared_frames() -> Vec<SharedFrame> {
    let Some(expected) = expected() else { return Vec::new() };
    let files = expected["files"].as_object().unwrap();
    let good = files.keys().filter(|name| !name.starts_with("bad/") && !name.contains("5-frames"));
    good.filter_map(|name| read(name, &files[name])).collect()
}

/// The file of this name, or none where the folder is absent.
pub(crate) fn shared_frame(name: &str) -> Option<SharedFrame> {
    let expected = expected()?;
    let frame = read(name, &expected["files"][name]);
    Some(frame.unwrap_or_else(|| panic!("{name} has a codestream")))
}

fn expected() -> Option<Value> {
    let path = shared("dicom/expected.json")?;
    Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
}

fn read(name: &str, facts: &Value) -> Option<SharedFrame> {
    let bytes = fs::read(shared(&format!("dicom/{name}"))?).unwrap();
    let encoding = match facts["transfer_syntax"].as_str()?.strip_prefix("1.2.840.10008.1.2.")? {
        "4.50" | "4.51" | "4.57" | "4.70" => Encoding::Jpeg,
        "4.80" | "4.81" => Encoding::JpegLs,
        "5" => Encoding::Rle,
        _ => return None,
    };
    let number = |key: &str| facts[key].as_u64();
    let layout = FrameLayout {
        rows: number("rows")? as usize,
        columns: number("columns")? as usize,
        bits_allocated: number("bits_allocated")? as u8,
        bits_stored: number("bits_stored")? as u8,
    };
    let stored = &facts["stored"];
    let stored = stored["crc32_u16le"].as_str().map(|crc| {
        let level = |key: &str| stored[key].as_i64().unwrap() as i32;
        (u32::from_str_radix(crc, 16).unwrap(), level("min"), level("max"), stored["mean"].as_f64().unwrap())
    });
    let codestream = fragments(&bytes)?;
    let signed = number("pixel_representation") == Some(1);
    Some(SharedFrame { name: name.to_owned(), encoding, codestream, layout, signed, stored })
}

/// The fragments of the last Pixel Data element of undefined length, joined, without the offset table.
fn fragments(bytes: &[u8]) -> Option<Vec<u8>> {
    let element = |vr: &[u8; 2]| [&[0xE0, 0x7F, 0x10, 0x00], &vr[..], &[0, 0, 0xFF, 0xFF, 0xFF, 0xFF]].concat();
    let find = |element: Vec<u8>| bytes.windows(element.len()).rposition(|window| window == element);
    let start = find(element(b"OB")).or_else(|| find(element(b"OW")))?;
    let (mut rest, mut items) = (&bytes[start + 12..], Vec::new());
    while let Some(header) = rest.first_chunk::<8>().filter(|header| header.starts_with(&[0xFE, 0xFF, 0x00, 0xE0])) {
        let length = u32::from_le_bytes(header[4..].try_into().unwrap()) as usize;
        let end = (8 + length).min(rest.len());
        items.push(&rest[8..end]);
        rest = &rest[end..];
    }
    Some(items[1..].concat())
}

/// The values that the samples stand for: those of signed images in two's complement, if the codestream does not say so.
pub(crate) fn stored_values(frame: &SharedFrame, decoded: &DecodedFrame) -> Vec<i32> {
    let unused = 32 - u32::from(frame.layout.bits_stored);
    let value = |&sample: &i32| if frame.signed && !decoded.signed { sample << unused >> unused } else { sample };
    decoded.samples.iter().map(value).collect()
}

/// The CRC-32 of the values as 16-bit little-endian words.
pub(crate) fn crc32(values: &[i32]) -> u32 {
    let bytes = values.iter().flat_map(|&value| (value as u16).to_le_bytes());
    !bytes.fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 * (crc & 1))))
}
