//! `mammoscope split`: assigns the subjects of a data set to splits or folds.

pub(super) mod compared_subjects;

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::compared_subjects::ComparedSubjects;
use super::console::{Console, Outcome, WrongUse, print_result};
use super::data_arguments::DataArguments;
use super::new_file::{check_new_file, write_new};
use crate::report::split_counts::{PartSize, split_counts_text};
use mammoscope_dataset::data_warning::DataWarning;
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_dataset::split::densest_classes;
use mammoscope_dataset::subject_split::{
    ClosestSeed, Division, Part, PartCounts, SubjectUnit, closest_seed, split_csv,
};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;

/// The shares without options, as in the reference.
const DEFAULT_SHARES: [f64; 3] = [0.8, 0.1, 0.1];

/// Divide the subjects of a data set into splits or folds, and write the table
///
/// A subject's part depends on her id and the seed alone: the same for every view, and unchanged when other subjects are
/// added, removed or relabelled. Subjects who share a picture (the same pixels, compressed or scaled again, or mirrored)
/// stay together, and so do ids that differ only in spelling. The shares hold within every class up to chance; a seed
/// that comes closer is suggested. `train --splits FILE` uses the table.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  80 : 10 : 10, as a table with the columns subject and split:
    mammoscope split DIR --out splits.csv
  Other shares:
    mammoscope split DIR --train .7 --validation .15 --test .15 --seed 4 \\
      --out splits.csv
  Five folds, with a tenth of the subjects kept for a final test:
    mammoscope split DIR --folds 5 --test .1 --out folds.csv
    mammoscope train --data DIR --view all --preset modern \\
      --splits folds.csv --fold 1
  Labels of several readers:
    mammoscope split DIR --labels readers.csv --out splits.csv")]
pub(super) struct SplitArguments {
    /// A tree of images, `<VIEW>/[split/]<CLASS>/*`; its split folders are ignored
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// The table to write; an existing file is not replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Share of the subjects for training [default: 0.8]
    #[arg(long, value_name = "SHARE", conflicts_with = "folds")]
    train: Option<f64>,
    /// Share of the subjects for validation [default: 0.1]
    #[arg(long, value_name = "SHARE", conflicts_with = "folds")]
    validation: Option<f64>,
    /// Share of the subjects for the test [default: 0.1, none with --folds]
    #[arg(long, value_name = "SHARE")]
    test: Option<f64>,
    /// Seed of the draw
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Write K folds of equal shares instead of splits
    #[arg(long, value_name = "K")]
    folds: Option<u32>,
    #[command(flatten)]
    data_options: DataArguments,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

impl SplitArguments {
    fn division(&self) -> Result<Division, WrongUse> {
        let [train, validation, test] = DEFAULT_SHARES;
        let division = match self.folds {
            Some(folds) => Division::Folds { folds, test: self.test.unwrap_or(0.0) },
            None => Division::Splits {
                train: self.train.unwrap_or(train),
                validation: self.validation.unwrap_or(validation),
                test: self.test.unwrap_or(test),
            },
        };
        division.check().map_err(|error| WrongUse(error.to_string()))?;
        Ok(division)
    }
}

pub(super) fn run(arguments: &SplitArguments, console: &Console) -> anyhow::Result<Outcome> {
    let division = arguments.division()?;
    // Runs may refer to a table that exists.
    check_new_file(&arguments.out)?;
    let scanned = arguments.data_options.scan(&arguments.data, console)?;
    let labelled: Vec<&DatasetSample> = scanned.samples.iter().filter(|sample| sample.label.is_some()).collect();
    if labelled.is_empty() {
        bail!(
            "none of the {} images has a label; splits are stratified by class, from class folders <VIEW>/<A|B|C|D>/*.png or \
             --labels FILE",
            scanned.samples.len()
        );
    }
    let unlabelled = scanned.samples.len() - labelled.len();
    if unlabelled > 0 {
        console.warn(DataWarning::Unlabelled { images: unlabelled });
    }
    if scanned.facts.names_without_ids > 0 {
        console.warn(DataWarning::NamesWithoutIds { images: scanned.facts.names_without_ids });
    }
    let classes = densest_classes(&labelled);
    let alike = LookAlikes::among(classes.keys().map(|subject| subject.0.as_str()));
    if !alike.is_empty() {
        console.warn(DataWarning::LookAlikes { alike });
    }
    let compared = ComparedSubjects { labelled: &labelled, root: &arguments.data, grey: &arguments.data_options.grey };
    let (units, unreadable) = compared.units(&division, console)?;

    let table = split_csv(&division, &units, arguments.seed);
    write_new(&arguments.out, &table).with_context(|| format!("--out: write {}", printable_path(&arguments.out)))?;
    let drawn = Drawn::new(division, &units, &labelled, arguments.seed);
    drawn.warn(console);
    if arguments.json {
        let document = drawn.document(arguments, &table, &units, &unreadable);
        print_result(&(serde_json::to_string_pretty(&document)? + "\n"))?;
    } else {
        print_result(&split_counts_text(&drawn.sizes))?;
        console.note(format!("wrote {}", printable_path(&arguments.out)));
    }
    Ok(if unreadable.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// A drawn division and its numbers.
struct Drawn {
    division: Division,
    seed: u64,
    sizes: Vec<(Part, PartSize)>,
    empty: Vec<(Part, DensityClass)>,
    deviation: f64,
    closest: ClosestSeed,
}

impl Drawn {
    fn new(division: Division, units: &[SubjectUnit], labelled: &[&DatasetSample], seed: u64) -> Self {
        let classes = densest_classes(labelled);
        let mut images: HashMap<&SubjectId, usize> = HashMap::new();
        for sample in labelled {
            *images.entry(&sample.subject).or_default() += 1;
        }
        let mut sizes: Vec<_> = division.parts().into_iter().map(|(part, _)| (part, PartSize::default())).collect();
        for unit in units {
            let part = division.part_of(unit, seed);
            let Some((_, size)) = sizes.iter_mut().find(|(other, _)| *other == part) else { continue };
            for subject in &unit.subjects {
                size.subjects[classes[subject].index()] += 1;
                size.images += images.get(subject).copied().unwrap_or_default();
            }
        }
        let counts = PartCounts::of(&division, units, seed);
        let (empty, deviation) = (counts.empty(&division), counts.deviation(&division));
        let closest = closest_seed(&division, units);
        Self { division, seed, sizes, empty, deviation, closest }
    }

    /// Warns of parts without a class, and suggests a seed that comes clearly closer to the shares.
    fn warn(&self, console: &Console) {
        if !self.empty.is_empty() {
            let name =
                |part: &Part| if let Part::Fold(fold) = part { format!("fold {fold}") } else { part.to_string() };
            let missing = self.empty.iter().map(|(part, class)| format!("of class {class} in {}", name(part)));
            console.warn(format!("no subject {}", missing.collect::<Vec<_>>().join(", ")));
        }
        let ClosestSeed { seed, last_tried, empty, deviation } = self.closest;
        if empty < self.empty.len() || deviation + 1.0 <= self.deviation {
            let from = self.deviation;
            console.note(format!(
                "--seed {seed} comes closest to the shares among the seeds 0 to {last_tried}: within {deviation:.1} subjects of \
                 each class instead of {from:.1}; choose a seed before models are trained, and keep it"
            ));
        }
    }

    fn document(
        &self,
        arguments: &SplitArguments,
        table: &[u8],
        units: &[SubjectUnit],
        unreadable: &[FileProblem],
    ) -> serde_json::Value {
        let mut parts = serde_json::Map::new();
        for ((part, size), (_, share)) in self.sizes.iter().zip(self.division.parts()) {
            let [a, b, c, d] = size.subjects;
            let classes = json!({ "A": a, "B": b, "C": c, "D": d });
            let size = json!({
                "share": share, "subjects": size.all_subjects(), "images": size.images, "by_class": classes,
            });
            parts.insert(part.to_string(), size);
        }
        let joined: Vec<Vec<&str>> = units
            .iter()
            .filter(|unit| unit.subjects.len() > 1)
            .map(|unit| unit.subjects.iter().map(|subject| subject.0.as_str()).collect())
            .collect();
        json!({
            "schema": 1,
            "out": printable_path(&arguments.out),
            "sha256": hexadecimal(&Sha256::digest(table)),
            "seed": self.seed,
            "folds": arguments.folds,
            "parts": parts,
            "deviation": self.deviation,
            "closest_seed": { "seed": self.closest.seed, "deviation": self.closest.deviation },
            "joined": joined,
            "unreadable": unreadable,
        })
    }
}
