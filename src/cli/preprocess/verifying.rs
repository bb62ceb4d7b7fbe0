//! `mammoscope preprocess --verify`: every output made again from its source and its record.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::cli::console::{Console, Outcome, print_result};
use crate::cli::interruption::Interruption;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_preprocessing::manifest::read_manifest;
use mammoscope_preprocessing::pseudonym::PseudonymKey;
use mammoscope_preprocessing::record::Record;
use mammoscope_preprocessing::replay::replay;
use mammoscope_preprocessing::source::{Source, find_sources};

/// Makes every output again and compares.
pub(super) fn verify(
    input: &Path,
    output: &Path,
    key: &PseudonymKey,
    jobs: usize,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let records = read_manifest(output)?;
    let outputs: Vec<&Record> = records.values().filter(|record| record.output.is_some()).collect();
    anyhow::ensure!(!outputs.is_empty(), "{}: no manifest with outputs", printable_path(output));
    let found = find_sources(input, output);
    let sources: BTreeMap<String, &Source> =
        found.sources.iter().map(|source| (key.path(&source.relative), source)).collect();
    let interruption = Interruption::watch()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().context("start threads")?;
    let problems: Vec<String> = pool.install(|| {
        let pending = outputs.par_iter().filter(|_| !interruption.requested());
        pending.filter_map(|record| difference(record, &sources, output)).collect()
    });
    if interruption.requested() {
        return Ok(Outcome::Interrupted);
    }
    for problem in &problems {
        console.error(&anyhow::anyhow!("{problem}"));
    }
    let (good, all) = (outputs.len() - problems.len(), counted(outputs.len(), "output"));
    print_result(&format!("{good} of {all} made again, bit by bit the same\n"))?;
    Ok(if problems.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// The difference between an output and its replay, in one line; `None` if there is none.
fn difference(record: &Record, sources: &BTreeMap<String, &Source>, folder: &Path) -> Option<String> {
    let output = &record.output.as_ref()?.output;
    let problem = |reason: String| Some(format!("{output}: {reason}"));
    let Some(source) = sources.get(&record.source.path) else { return problem("its source is gone".to_owned()) };
    let bytes = match fs::read(&source.path) {
        Ok(bytes) => bytes,
        Err(error) => return problem(format!("its source cannot be read: {error}")),
    };
    let png = match replay(record, bytes) {
        Ok(png) => png,
        Err(fault) => return problem(fault.to_string()),
    };
    match fs::read(folder.join(output)) {
        Ok(written) if written == png => None,
        Ok(_) => problem("the file was changed after it was written".to_owned()),
        Err(error) => problem(format!("cannot be read: {error}")),
    }
}
