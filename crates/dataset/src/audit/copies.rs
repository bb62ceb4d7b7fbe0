//! Copies of a picture: the same file, the same pixels, compressed again, or mirrored.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::text::counted::counted;

use super::audited_image::AuditedImage;
use super::finding::{Finding, FindingCode, Severity};
use crate::signature_search::similar_pairs;

/// Finds the copies among the images of a data set, one finding per picture and kind. `None` if cancelled.
pub(super) fn find_copies(images: &[AuditedImage<'_>], cancellation: Cancellation<'_>) -> Option<Vec<Finding>> {
    let readable: Vec<usize> = (0..images.len()).filter(|&at| images[at].measures.is_some()).collect();
    let measures = |at: usize| images[at].measures.as_ref().expect("only readable images are compared");
    let mut findings = Vec::new();

    // Each group of copies is represented by its first image in the next, more expensive comparison.
    let same_file = groups(readable, |at| measures(at).bytes);
    findings.extend(several(&same_file).map(|group| finding(FindingCode::SameFile, images, group)));

    let has_structure = |at: &usize| !measures(*at).doubts.contains(&ImageDoubt::OneLevel);
    let distinct = same_file.iter().map(|group| group[0]).filter(has_structure);
    let same_pixels = groups(distinct, |at| measures(at).pixels);
    let of_file: HashMap<usize, &Vec<usize>> = same_file.iter().map(|group| (group[0], group)).collect();
    let with_files = |group: &[usize]| -> Vec<usize> { group.iter().flat_map(|at| of_file[at].clone()).collect() };
    findings.extend(several(&same_pixels).map(|group| finding(FindingCode::SamePixels, images, &with_files(group))));

    let (pictures, signatures): (Vec<&Vec<usize>>, Vec<_>) =
        same_pixels.iter().filter_map(|group| Some((group, measures(group[0]).signature.as_ref()?))).unzip();
    let pairs = similar_pairs(&signatures, cancellation)?;
    let [mut upright, mut either] = [Joined::new(pictures.len()), Joined::new(pictures.len())];
    let mut mirrored = BTreeSet::new();
    for pair in pairs {
        either.join(pair.pictures);
        if pair.mirrored {
            mirrored.insert(pair.pictures[0]);
        } else {
            upright.join(pair.pictures);
        }
    }
    let with_pixels = |group: &[usize]| -> Vec<usize> {
        let mut all: Vec<usize> = group.iter().flat_map(|&picture| with_files(pictures[picture])).collect();
        all.sort_unstable();
        all
    };
    let recompressed = groups(0..pictures.len(), |picture| upright.root(picture));
    findings
        .extend(several(&recompressed).map(|group| finding(FindingCode::Recompressed, images, &with_pixels(group))));
    let turned = groups(0..pictures.len(), |picture| either.root(picture));
    let turned = several(&turned).filter(|group| group.iter().any(|picture| mirrored.contains(picture)));
    findings.extend(turned.map(|group| finding(FindingCode::Mirrored, images, &with_pixels(group))));
    Some(findings)
}

/// Groups by key, in the order of their first members.
fn groups<K: Eq + Hash>(members: impl IntoIterator<Item = usize>, mut key: impl FnMut(usize) -> K) -> Vec<Vec<usize>> {
    let mut index_of: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for member in members {
        let index = *index_of.entry(key(member)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(member);
    }
    groups
}

fn several(groups: &[Vec<usize>]) -> impl Iterator<Item = &Vec<usize>> {
    groups.iter().filter(|group| group.len() > 1)
}

/// A union–find forest.
struct Joined(Vec<usize>);

impl Joined {
    fn new(members: usize) -> Self {
        Self((0..members).collect())
    }

    fn root(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, pair: [usize; 2]) {
        let [one, other] = pair.map(|member| self.root(member));
        self.0[one.max(other)] = one.min(other);
    }
}

/// The finding for a group of copies: an error if they differ in split, class, subject or view, since one of them is then
/// wrong or leaks into testing.
fn finding(code: FindingCode, images: &[AuditedImage<'_>], group: &[usize]) -> Finding {
    let group: Vec<&AuditedImage<'_>> = group.iter().map(|&at| &images[at]).collect();
    let splits: BTreeSet<_> = group.iter().filter_map(|image| image.split).collect();
    let classes: BTreeSet<_> = group.iter().filter_map(|image| image.sample.label).collect();
    let subjects: BTreeSet<_> = group.iter().map(|image| &image.key).collect();
    let views: BTreeSet<_> = group.iter().filter_map(|image| image.sample.view).collect();
    let mut differences = Vec::new();
    if splits.len() > 1 {
        differences.push(format!("in {}", listed(&splits)));
    }
    if classes.len() > 1 {
        differences.push(format!("of classes {}", listed(&classes)));
    }
    if subjects.len() > 1 {
        differences.push(format!("of {}", counted(subjects.len(), "subject")));
    }
    if views.len() > 1 {
        differences.push(format!("of views {}", listed(&views)));
    }
    let kind = match code {
        FindingCode::SameFile => "have the same bytes",
        FindingCode::SamePixels => "have the same pixels in different encodings",
        FindingCode::Recompressed => "show the same picture, compressed or scaled again",
        _ => "show the same picture, mirrored",
    };
    let files: Vec<String> = group.iter().map(|image| image.file.clone()).collect();
    let count = counted(files.len(), "file");
    let (severity, message) = if differences.is_empty() {
        (Severity::Warning, format!("{count} {kind}; each counts as an image"))
    } else {
        (Severity::Error, format!("{count} {kind}, but are {}", differences.join(" and ")))
    };
    let fix = if splits.len() > 1 {
        "keep one and remove the others: the network would be tested on a picture that it was trained on"
    } else if severity == Severity::Error {
        "find out whose picture it is and which class and view it has; remove the others"
    } else {
        "keep one, the one that was never compressed if there is one, and remove the others"
    };
    Finding { severity, ..Finding::error(code, files, message, fix) }
}

fn listed<T: ToString>(items: &BTreeSet<T>) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
