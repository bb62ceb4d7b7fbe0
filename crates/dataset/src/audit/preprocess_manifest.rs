//! The record of `mammoscope preprocess` beside its images: scanner, greyscale transformation, findings and size of each
//! source.
//!
//! `manifest.jsonl` has one JSON object per line. It is read tolerantly: unknown keys are ignored, and missing ones, or ones
//! of another type, count as unknown.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde_json::Value;

use super::image_measures::Pectoral;

/// The manifest's name in the folder of the data set.
pub const PREPROCESS_MANIFEST: &str = "manifest.jsonl";

/// The source of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PreprocessedImage {
    /// Manufacturer and model.
    pub(super) scanner: Option<String>,
    /// The greyscale transformation that was taken, such as `window 1 LINEAR`.
    pub(super) transformation: Option<String>,
    /// Centre and width of the window.
    pub(super) window: Option<[f64; 2]>,
    /// Width and height before cropping, in pixels.
    pub(super) original_size: Option<[u64; 2]>,
    /// Findings in words.
    pub(super) findings: Vec<String>,
    /// The state of the muscle in the output; `None` if it was kept without being examined.
    pub(super) pectoral: Option<Pectoral>,
}

/// The images of a manifest by their paths below its folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreprocessManifest {
    pub(super) images: BTreeMap<String, PreprocessedImage>,
    /// Lines that are not JSON objects with an output.
    pub(super) bad_lines: usize,
}

impl PreprocessManifest {
    /// Reads a manifest. A later line about an output replaces an earlier one.
    pub fn read(lines: impl BufRead) -> io::Result<Self> {
        let mut manifest = Self::default();
        for line in lines.split(b'\n') {
            let line = line?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let read = serde_json::from_slice::<Value>(&line).ok();
            match read.as_ref().and_then(|value| Some((value, value.get("output")?.as_str()?))) {
                Some((value, output)) => {
                    let output = output.replace('\\', "/");
                    let output = output.trim_start_matches("./").to_owned();
                    manifest.images.insert(output, PreprocessedImage::of(value));
                }
                // Sources that were refused have no output.
                None if read.as_ref().is_some_and(Value::is_object) => {}
                None => manifest.bad_lines += 1,
            }
        }
        Ok(manifest)
    }

    /// Manufacturer and model of the scanner of an image, by its path below the folder.
    #[must_use]
    pub fn scanner(&self, output: &str) -> Option<&str> {
        self.images.get(output)?.scanner.as_deref()
    }
}

impl PreprocessedImage {
    fn of(value: &Value) -> Self {
        let text = |value: &Value, key: &str| value.get(key).map(plain).filter(|text| !text.is_empty());
        let scanner = value.get("scanner").and_then(|scanner| match scanner {
            Value::String(name) => Some(name.clone()),
            _ => joined([text(scanner, "manufacturer"), text(scanner, "model")]),
        });
        let grey = value.pointer("/steps/grey");
        let transformation =
            grey.and_then(|grey| joined([text(grey, "kind"), text(grey, "index"), text(grey, "function")]));
        let number = |key: &str| grey.and_then(|grey| grey.get(key)?.as_f64());
        let strings = value.get("findings").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let size = value.pointer("/steps/original_size").and_then(Value::as_array);
        Self {
            scanner,
            transformation,
            window: number("center").zip(number("width")).map(|(center, width)| [center, width]),
            original_size: size.and_then(|size| Some([size.first()?.as_u64()?, size.get(1)?.as_u64()?])),
            findings: strings.map(str::to_owned).collect(),
            pectoral: match value.pointer("/steps/pectoral/state").and_then(Value::as_str) {
                Some("filled" | "already-filled") => Some(Pectoral::Filled),
                Some("none") => Some(Pectoral::None),
                Some("uncertain") => Some(Pectoral::Uncertain),
                _ => None,
            },
        }
    }
}

/// A string without its quotes, a number in digits; empty for anything else.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn joined(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_tolerantly() {
        let text = r#"{"output": "CC_L/A/1_1_A_CC_L.png", "source_sha256": "00", "scanner": {"manufacturer": "Acme", "model": "M 7"}, "findings": ["implant", 7], "steps": {"grey": {"kind": "window", "index": 1, "center": 500.5, "width": 1000, "function": "LINEAR"}, "pectoral": {"state": "kept"}, "original_size": [2294, 1914]}, "new": {}}
{"output": "MLO_L\\A\\1.png", "steps": {"pectoral": {"state": "uncertain"}, "grey": 3, "original_size": ["a"]}, "scanner": null}

{"source": "refused.dcm", "decision": "refuse"}
not JSON
[1]
"#;
        let manifest = PreprocessManifest::read(text.as_bytes()).unwrap();
        assert_eq!((manifest.images.len(), manifest.bad_lines), (2, 2));
        assert_eq!(
            manifest.images["CC_L/A/1_1_A_CC_L.png"],
            PreprocessedImage {
                scanner: Some("Acme M 7".to_owned()),
                transformation: Some("window 1 LINEAR".to_owned()),
                window: Some([500.5, 1000.0]),
                original_size: Some([2294, 1914]),
                findings: vec!["implant".to_owned()],
                pectoral: None,
            }
        );
        let expected = PreprocessedImage { pectoral: Some(Pectoral::Uncertain), ..PreprocessedImage::default() };
        assert_eq!(manifest.images["MLO_L/A/1.png"], expected);
    }
}
