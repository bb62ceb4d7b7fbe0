//! Copies of a picture in two splits, which would leak from training into testing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use rayon::prelude::*;

use super::duplicate_audit::find_duplicates;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample};
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::picture_signature::{COPY, PictureSignature};

/// The most pairs listed in a message; the rest are counted.
const LISTED: usize = 3;

/// The way in which two files show the same picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyKind {
    /// The same bytes.
    Bytes,
    /// The same pixels.
    Pixels,
    /// Compressed or scaled again.
    Alike,
    /// Mirrored, perhaps compressed or scaled again.
    Mirrored,
}

impl CopyKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Bytes => "the same file",
            Self::Pixels => "the same pixels",
            Self::Alike => "the same picture, compressed or scaled again",
            Self::Mirrored => "the same picture, mirrored",
        }
    }
}

/// A picture in two splits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedImage {
    pub kind: CopyKind,
    /// The files, relative to the data set's root, and their splits.
    pub places: [(PathBuf, Split); 2],
}

impl fmt::Display for CopiedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(one, first), (other, second)] = &self.places;
        let (one, other) = (printable_path(one), printable_path(other));
        write!(f, "{one} ({first}) and {other} ({second}) are {}", self.kind.text())
    }
}

/// The pictures in two splits, each later file once; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedImages(Vec<CopiedImage>);

impl CopiedImages {
    /// `None` if there are no copies.
    #[must_use]
    pub fn some(copies: Vec<CopiedImage>) -> Option<Self> {
        (!copies.is_empty()).then_some(Self(copies))
    }
}

impl fmt::Display for CopiedImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let pictures = counted_as(count, "picture is", "pictures are");
        write!(f, "{pictures} in two splits: ")?;
        for (at, copy) in self.0.iter().take(LISTED).enumerate() {
            write!(f, "{}{copy}", if at == 0 { "" } else { "; " })?;
        }
        f.write_str(if count > LISTED { "; …" } else { "" })
    }
}

impl std::error::Error for CopiedImages {}

/// Finds files with the same bytes in two splits of a run, without decoding any image. Unreadable files are ignored here.
/// Returns `None` if cancelled.
#[must_use]
pub fn copied_files(manifest: &DatasetManifest, cancellation: Cancellation<'_>) -> Option<Vec<CopiedImage>> {
    let sample_of: BTreeMap<PathBuf, &ManifestSample> = manifest.paths().zip(&manifest.samples).collect();
    let audit = find_duplicates(manifest.paths().collect(), cancellation)?;
    let mut copies = Vec::new();
    for group in &audit.groups {
        let samples: Vec<&ManifestSample> = group.iter().filter_map(|path| sample_of.get(path).copied()).collect();
        for (at, sample) in samples.iter().enumerate() {
            if let Some(other) = samples[..at].iter().find(|other| other.split != sample.split) {
                copies.push(copy(CopyKind::Bytes, other, sample));
            }
        }
    }
    Some(copies)
}

/// An image with its checksum and signatures.
struct Candidate<'m> {
    sample: &'m ManifestSample,
    checksum: &'m str,
    signature: Option<&'m PictureSignature>,
    mirrored: Option<PictureSignature>,
}

/// Finds pictures in two splits of a run: with the same pixels, compressed or scaled again, or mirrored.
///
/// `signature` returns the signature of the image at a position of the manifest. Images of a single grey level are
/// skipped, since another warning names them. Returns `None` if cancelled.
pub fn copied_pictures<'s>(
    manifest: &DatasetManifest,
    signature: &(dyn Fn(usize) -> Option<&'s PictureSignature> + Sync),
    cancellation: Cancellation<'_>,
) -> Option<Vec<CopiedImage>> {
    let candidate = |(position, sample)| candidate(sample, signature(position));
    let candidates: Vec<Candidate<'_>> = manifest.samples.iter().enumerate().filter_map(candidate).collect();
    let copies: Option<Vec<Option<CopiedImage>>> = (0..candidates.len())
        .into_par_iter()
        .map(|at| {
            let later = &candidates[at];
            let others = candidates[..at].iter().filter(|earlier| earlier.sample.split != later.sample.split);
            let found =
                || others.clone().find_map(|earlier| Some(copy(kind(earlier, later)?, earlier.sample, later.sample)));
            (!cancellation.is_cancelled()).then(found)
        })
        .collect();
    Some(copies?.into_iter().flatten().collect())
}

fn candidate<'m>(sample: &'m ManifestSample, signature: Option<&'m PictureSignature>) -> Option<Candidate<'m>> {
    let facts = sample.pixels.as_ref().filter(|_| sample.unusable.is_none())?;
    if facts.findings.as_ref().is_some_and(|findings| findings.doubts.contains(&ImageDoubt::OneLevel)) {
        return None;
    }
    let mirrored = signature.map(PictureSignature::mirrored);
    Some(Candidate { sample, checksum: &facts.sha256, signature, mirrored })
}

fn kind(one: &Candidate<'_>, other: &Candidate<'_>) -> Option<CopyKind> {
    if one.checksum == other.checksum {
        return Some(CopyKind::Pixels);
    }
    let signature = one.signature?;
    let is_copy = |of: Option<&PictureSignature>| of.is_some_and(|of| signature.likeness(of) >= COPY);
    if is_copy(other.signature) {
        Some(CopyKind::Alike)
    } else {
        is_copy(other.mirrored.as_ref()).then_some(CopyKind::Mirrored)
    }
}

fn copy(kind: CopyKind, one: &ManifestSample, other: &ManifestSample) -> CopiedImage {
    CopiedImage { kind, places: [one, other].map(|sample| (sample.file.clone(), sample.split)) }
}
