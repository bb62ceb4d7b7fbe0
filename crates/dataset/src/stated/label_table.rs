//! Tables with one line per image: subject, examination, view, side and class.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::words::{class, is_absent, projection, side};
use super::{Statement, slashed};
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::text::bad_lines::bad_lines;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::text::table::{Column, TableRow, TableText};

/// The columns by their own names and those in the tables of VinDr-Mammo, CBIS-DDSM and INbreast.
const COLUMNS: [Column; 6] = [
    Column::required(&["file", "filename", "file name", "image_id", "image file path", "image", "path"]),
    Column::optional(&["subject", "subject_id", "patient_id", "patient", "study_id"]),
    Column::optional(&["exam", "exam_id", "examination"]),
    Column::optional(&["view", "view_position", "image view", "projection"]),
    Column::optional(&["laterality", "side", "left or right breast"]),
    Column::optional(&["class", "label", "density", "breast_density", "breast density", "acr"]),
];
// Indices in `COLUMNS`.
const FILE: usize = 0;
const SUBJECT: usize = 1;
const EXAM: usize = 2;
const VIEW: usize = 3;
const LATERALITY: usize = 4;
const CLASS: usize = 5;

/// Number of example files from the table and from the data if none matches.
const EXAMPLES: usize = 3;

/// Statements about images, by file.
#[derive(Clone, Debug)]
pub struct LabelTable {
    path: PathBuf,
    lines: Vec<StatedLine>,
    /// Indices in `lines` by path, file name, stem, leading number of the stem, and first folder; `None` if several lines
    /// with different statements have the same key.
    by_key: HashMap<(Key, String), Option<usize>>,
}

#[derive(Clone, Debug)]
struct StatedLine {
    file: String,
    statement: Statement,
}

/// A kind of key by which a line is found, the most reliable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Path,
    Name,
    Stem,
    Folder,
}

/// A one-line reason why a table of images cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelTableError {
    #[error(
        "{}: not a table of images: {reason}; its first line should be file,subject,exam,view,laterality,class, of which \
         only file is needed",
        printable_path(path)
    )]
    NoTable { path: PathBuf, reason: String },
    /// Invalid lines: their numbers, from 1, and the reasons.
    #[error("{}", bad_lines(path, lines.iter().map(|(line, reason)| (*line, reason.as_str()))))]
    BadLines { path: PathBuf, lines: Vec<(u64, String)> },
    /// A table without any of the data's files, with examples from both.
    #[error("{}: none of the data's images is named in it: it has {}, the data {}", printable_path(path), table.join(", "), data.join(", "))]
    Unmatched { path: PathBuf, table: Vec<String>, data: Vec<String> },
}

impl LabelTable {
    /// Parses a table. Columns are found by name, in any order; `file` is a path below the data set's root, a file name, or
    /// a stem. Every invalid line is reported. Several lines about one file, for example one per lesion, must agree. `path`
    /// is used in errors only.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, LabelTableError> {
        let no_table = |reason: String| LabelTableError::NoTable { path: path.to_owned(), reason };
        let text = TableText::of(bytes).map_err(|fault| no_table(fault.to_string()))?;
        let mut table = text.table(&COLUMNS).map_err(|fault| no_table(fault.to_string()))?;
        if (SUBJECT..COLUMNS.len()).all(|column| !table.has(column)) {
            return Err(no_table("it has no column besides file".to_owned()));
        }
        let mut found = Self { path: path.to_owned(), lines: Vec::new(), by_key: HashMap::new() };
        let mut seen: HashMap<String, (u64, Statement)> = HashMap::new();
        let mut bad_lines = Vec::new();
        while let Some(row) = table.next_row() {
            match stated_line(row) {
                Ok(line) => {
                    let first = seen.entry(line.file.clone());
                    let (first_line, first) = first.or_insert_with(|| (row.line, line.statement.clone()));
                    if *first != line.statement {
                        let reason = format!("{} differs from line {first_line}", line.file);
                        bad_lines.push((row.line, reason));
                    } else if *first_line == row.line {
                        found.add(line);
                    }
                }
                Err(reason) => bad_lines.push((row.line, reason)),
            }
        }
        if !bad_lines.is_empty() {
            return Err(LabelTableError::BadLines { path: path.to_owned(), lines: bad_lines });
        }
        if found.lines.is_empty() {
            return Err(no_table("there are no lines after the first".to_owned()));
        }
        Ok(found)
    }

    fn add(&mut self, line: StatedLine) {
        let index = self.lines.len();
        for key in keys_of_line(&line.file) {
            match self.by_key.get(&key) {
                None => drop(self.by_key.insert(key, Some(index))),
                // Lines with the same statement are interchangeable.
                Some(Some(other)) if self.lines[*other].statement == line.statement => {}
                Some(_) => drop(self.by_key.insert(key, None)),
            }
        }
        self.lines.push(line);
    }

    /// The statement about the image with this path below the root.
    pub(super) fn statement(&self, below: &Path) -> Option<&Statement> {
        self.line(below).map(|line| &self.lines[line].statement)
    }

    fn line(&self, below: &Path) -> Option<usize> {
        keys_of_image(&slashed(below)).into_iter().find_map(|key| *self.by_key.get(&key)?)
    }

    /// The files in the table that are not among these paths below the root; an error if none of them is.
    pub fn check_against<'p>(
        &self,
        below: impl Iterator<Item = &'p Path> + Clone,
    ) -> Result<Vec<&str>, LabelTableError> {
        let used: BTreeSet<usize> = below.clone().filter_map(|path| self.line(path)).collect();
        if used.is_empty() {
            let table = self.lines.iter().take(EXAMPLES).map(|line| printable(&line.file)).collect();
            let data = below.take(EXAMPLES).map(printable_path).collect();
            return Err(LabelTableError::Unmatched { path: self.path.clone(), table, data });
        }
        let unused = self.lines.iter().enumerate().filter(|(index, _)| !used.contains(index));
        Ok(unused.map(|(_, line)| line.file.as_str()).collect())
    }
}

/// The keys of a file, the most reliable first.
fn keys(file: &str) -> Vec<(Key, String)> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // INbreast's table has the number at the beginning of its file names.
    let number = stem.split('_').next().unwrap_or(stem);
    let mut keys = vec![(Key::Path, file.to_owned()), (Key::Name, name.to_owned()), (Key::Stem, stem.to_owned())];
    if number != stem && number.len() >= 6 && number.bytes().all(|digit| digit.is_ascii_digit()) {
        keys.push((Key::Stem, number.to_owned()));
    }
    keys
}

/// The keys of a line in the table. CBIS-DDSM's table has the paths of DICOM files, `<case>/<uid>/<uid>/1.dcm`, of which
/// only the first folder is meaningful. With other files a folder does not identify an image.
fn keys_of_line(file: &str) -> Vec<(Key, String)> {
    let mut keys = keys(file);
    let is_dicom = file.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("dcm"));
    if let Some((case, _)) = file.split_once('/').filter(|(_, below)| is_dicom && below.contains('/')) {
        keys.push((Key::Folder, case.to_owned()));
    }
    keys
}

/// The keys of an image. Converted images have the name of a case's folder as their first folder or their stem.
fn keys_of_image(below: &str) -> Vec<(Key, String)> {
    let mut keys = keys(below);
    if let Some((folder, _)) = below.split_once('/') {
        keys.push((Key::Folder, folder.to_owned()));
    }
    let name = below.rsplit('/').next().unwrap_or(below);
    keys.push((Key::Folder, name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()));
    keys
}

fn stated_line(row: TableRow<'_>) -> Result<StatedLine, String> {
    let file = row.text(FILE)?.replace('\\', "/");
    let file = file.trim_start_matches("./").trim_start_matches('/').to_owned();
    if file.is_empty() {
        return Err("column file: empty".to_owned());
    }
    let text = |column: usize| row.text(column).map(|text| Some(text).filter(|text| !is_absent(text)));
    let unknown = |column: &str, text: &str, known: &str| format!("column {column}: '{text}' is not {known}");
    let mut statement = Statement {
        subject: text(SUBJECT)?.map(SubjectId::new),
        exam: text(EXAM)?.map(ExamId::new),
        ..Statement::default()
    };
    if let Some(word) = text(VIEW)? {
        let (projection, side) =
            projection(word).ok_or_else(|| unknown("view", word, "CC, MLO or a view such as CC_R"))?;
        (statement.projection, statement.side) = (Some(projection), side);
    }
    if let Some(word) = text(LATERALITY)? {
        let stated = side(word).ok_or_else(|| unknown("laterality", word, "L or R"))?;
        if statement.side.is_some_and(|of_view| of_view != stated) {
            return Err(format!("column laterality: {word} contradicts the view"));
        }
        statement.side = Some(stated);
    }
    if let Some(word) = text(CLASS)? {
        statement.class = Some(class(word).ok_or_else(|| unknown("class", word, "A, B, C or D, or 1 to 4"))?);
    }
    Ok(StatedLine { file, statement })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::view::View;

    fn parse(text: &str) -> Result<LabelTable, String> {
        LabelTable::parse(Path::new("t.csv"), text.as_bytes()).map_err(|error| error.to_string())
    }

    fn stated(table: &LabelTable, path: &str) -> Option<(String, Option<View>, Option<DensityClass>)> {
        let Statement { subject, class, .. } = table.statement(Path::new(path))?.clone();
        Some((subject.unwrap_or_else(|| SubjectId::new("-")).0, table.statement(Path::new(path))?.view(), class))
    }

    #[test]
    fn images_are_found_by_path_name_and_stem() {
        let table =
            parse("file,subject,view,laterality,class\nCC/a.png,1,CC,L,A\nMLO/a.png,2,MLO,L,B\nb.png,3,CC_R,,3\n")
                .unwrap();
        assert_eq!(stated(&table, "CC/a.png"), Some(("1".to_owned(), Some(View::CcL), Some(DensityClass::A))));
        assert_eq!(stated(&table, "x/b.png").unwrap().1, Some(View::CcR));
        assert_eq!(stated(&table, "x/b.tif").unwrap().0, "3");
        assert_eq!(stated(&table, "x/a.png"), None, "two lines have that name");
        assert_eq!(stated(&table, "c.png"), None);
        assert_eq!(stated(&table, "MLO/c.png"), None, "another image in the folder does not count");
        let dicom = parse("file,subject\nseries/1.dcm,1\n").unwrap();
        assert_eq!(stated(&dicom, "series/2.png"), None);
        assert_eq!(stated(&dicom, "series/1.png").unwrap().0, "1");
        let paths = ["CC/a.png", "q/b.png"].map(Path::new);
        assert_eq!(table.check_against(paths.into_iter()).unwrap(), ["MLO/a.png"]);
        let error = table.check_against([Path::new("z.png")].into_iter()).unwrap_err().to_string();
        assert_eq!(
            error,
            "t.csv: none of the data's images is named in it: it has CC/a.png, MLO/a.png, b.png, the data z.png"
        );
    }

    #[test]
    fn tables_of_public_data_sets_are_parsed() {
        let vindr = parse("study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,split\nabc,s,def,R,MLO,1,1,BI-RADS 2,DENSITY C,training\n").unwrap();
        assert_eq!(stated(&vindr, "abc/def.png"), Some(("abc".to_owned(), Some(View::MloR), Some(DensityClass::C))));
        let inbreast = parse("Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads\nremoved;removed;L;MLO;200801;20586986;4;2\n").unwrap();
        let path = "20586986_6c613a14b80a8591_MG_L_ML_ANON.png";
        assert_eq!(stated(&inbreast, path), Some(("-".to_owned(), Some(View::MloL), Some(DensityClass::D))));
        let cbis = parse("patient_id,breast_density,left or right breast,image view,abnormality id,image file path\nP_00001,3,LEFT,CC,1,Mass-Training_P_00001_LEFT_CC/1.3.6/1.3.7/000000.dcm\nP_00001,3,LEFT,CC,2,Mass-Training_P_00001_LEFT_CC/1.3.6/1.3.7/000000.dcm\n").unwrap();
        assert_eq!(stated(&cbis, "C/Mass-Training_P_00001_LEFT_CC.png").unwrap().1, Some(View::CcL));
        assert_eq!(stated(&cbis, "Mass-Training_P_00001_LEFT_CC/x/1-1.png").unwrap().2, Some(DensityClass::C));
    }

    #[test]
    fn all_invalid_lines_are_reported_in_one_message() {
        assert_eq!(
            parse("file,view,laterality,class\na,CC,L,A\na,CC,L,B\nb,LM,,\nc,CC_R,L,\nd,,,E\n,,,A\n").unwrap_err(),
            "t.csv:3: a differs from line 2; t.csv:4: column view: 'LM' is not CC, MLO or a view such as CC_R; \
             t.csv:5: column laterality: L contradicts the view; t.csv:6: column class: 'E' is not A, B, C or D, or 1 to 4; \
             t.csv:7: column file: empty"
        );
        assert!(parse("subject,class\n1,A\n").unwrap_err().contains("the column file is missing"));
        assert!(parse("file,age\na,40\n").unwrap_err().contains("it has no column besides file"));
        assert!(parse("file,class\n").unwrap_err().contains("no lines after the first"));
    }
}
