//! The entry of a class into a label file, as a reader gives it.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;

use super::LabelFile;

/// The first line of a new label file.
const HEAD: &str = "subject,exam,class\n";

/// A label file into which a class cannot be entered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelEntryError {
    #[error("it is not a table with the columns subject, exam and class, separated by commas")]
    OtherForm,
    #[error("it has a line per file; an entry is for a subject and an examination")]
    ByFile,
    #[error("it has the classes of several readers, between which an entry would not decide")]
    Readers,
    #[error("another line about the subject gives this view another class, or none; correct it in an editor")]
    Contradicted,
    /// Without details, which would name subjects.
    #[error("it has lines that cannot be used; correct it in an editor")]
    Unusable,
}

/// The bytes of a label file with the class of an examination entered: its line is changed, or appended if there is
/// none; all other lines stay as they are. `bytes` is `None` if there is no file yet. The class then holds for all views
/// of the examination; the view of `case` is the one for which this is checked.
pub fn with_label(
    bytes: Option<&[u8]>,
    case: (&SubjectId, &ExamId, View),
    class: DensityClass,
) -> Result<Vec<u8>, LabelEntryError> {
    let (subject, exam, view) = case;
    let entered = entered(bytes.unwrap_or(HEAD.as_bytes()), subject, exam, class)?;
    let read = LabelFile::parse(Path::new(""), &entered).map_err(|_| LabelEntryError::Unusable)?;
    if read.is_by_file() {
        return Err(LabelEntryError::ByFile);
    }
    if !read.readers().is_empty() {
        return Err(LabelEntryError::Readers);
    }
    match read.class_of(subject, Some(exam), Some(view)) {
        Some(found) if found == class => Ok(entered),
        _ => Err(LabelEntryError::Contradicted),
    }
}

fn entered(bytes: &[u8], subject: &SubjectId, exam: &ExamId, class: DensityClass) -> Result<Vec<u8>, LabelEntryError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let head = lines.first().and_then(|line| cells(line)).ok_or(LabelEntryError::OtherForm)?;
    let column = |name: &str| head.iter().position(|cell| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
    let (subjects, classes) = column("subject").zip(column("class")).ok_or(LabelEntryError::OtherForm)?;
    if column("file").is_some() {
        return Err(LabelEntryError::ByFile);
    }
    // Without it, an entry would be about all examinations of the subject.
    let exams = column("exam").ok_or(LabelEntryError::OtherForm)?;
    // A line about a view or a reader is another statement.
    let narrower: Vec<usize> = ["view", "laterality", "reader"].into_iter().filter_map(column).collect();
    let is_case = |line: &ByteRecord| {
        let cell = |at: usize| line.get(at).unwrap_or_default().trim_ascii();
        cell(subjects) == subject.0.as_bytes()
            && cell(exams) == exam.0.as_bytes()
            && narrower.iter().all(|&at| cell(at).is_empty())
    };
    let new_cells = |mut line: Vec<Vec<u8>>| {
        line.resize(head.len().max(line.len()), Vec::new());
        line[classes] = class.letter().as_bytes().to_vec();
        line
    };
    let ends = lines.iter().any(|line| line.ends_with(b"\r\n"));
    let found = (1..lines.len()).find(|&at| cells(&lines[at]).is_some_and(|line| is_case(&line)));
    if let Some(at) = found {
        let old = cells(&lines[at]).expect("the line was just read");
        lines[at] = line_of(&new_cells(old.iter().map(<[u8]>::to_vec).collect()), ends);
    } else {
        if let Some(last) = lines.last_mut().filter(|line| !line.ends_with(b"\n")) {
            last.push(b'\n');
        }
        let mut line = vec![Vec::new(); head.len()];
        line[subjects] = subject.0.as_bytes().to_vec();
        line[exams] = exam.0.as_bytes().to_vec();
        lines.push(line_of(&new_cells(line), ends));
    }
    Ok(lines.concat())
}

/// The cells of one line.
fn cells(line: &[u8]) -> Option<ByteRecord> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    let mut record = ByteRecord::new();
    matches!(reader.read_byte_record(&mut record), Ok(true)).then_some(record)
}

fn line_of(cells: &[Vec<u8>], ends_with_return: bool) -> Vec<u8> {
    let terminator = if ends_with_return { Terminator::CRLF } else { Terminator::Any(b'\n') };
    let mut writer = WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
    writer.write_record(cells).expect("writing to memory does not fail");
    writer.into_inner().expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: Option<&str>, subject: &str, class: DensityClass) -> Result<String, LabelEntryError> {
        let case = (&SubjectId::new(subject), &ExamId::new("1"), View::MloL);
        with_label(bytes.map(str::as_bytes), case, class).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_class_is_entered_and_changed_and_other_lines_stay() {
        let first = entry(None, "P1", DensityClass::B).unwrap();
        assert_eq!(first, "subject,exam,class\nP1,1,B\n");
        let second = entry(Some(&first), "P2", DensityClass::D).unwrap();
        assert_eq!(entry(Some(&second), "P1", DensityClass::C).unwrap(), "subject,exam,class\nP1,1,C\nP2,1,D\n");
        let other = "Class,Note,Subject,Exam\r\nA,\"one, two\",P9,1\r\n";
        assert_eq!(entry(Some(other), "P1", DensityClass::A).unwrap(), format!("{other}A,,P1,1\r\n"));
        let unfinished = "subject,exam,class\nP9,1,A";
        assert_eq!(entry(Some(unfinished), "P1", DensityClass::A).unwrap(), format!("{unfinished}\nP1,1,A\n"));
    }

    #[test]
    fn files_of_another_form_are_left_alone() {
        let refused = |text: &str| entry(Some(text), "P1", DensityClass::A).unwrap_err();
        assert_eq!(refused("image,class\na.png,B\n"), LabelEntryError::OtherForm);
        assert_eq!(refused("subject,class\nP1,B\n"), LabelEntryError::OtherForm);
        assert_eq!(refused("file,subject,exam,class\na.png,P1,1,B\n"), LabelEntryError::ByFile);
        assert_eq!(refused("subject,exam,reader_1,class\nP2,1,B,B\n"), LabelEntryError::Readers);
        assert_eq!(refused("subject,exam,view,class\nP1,1,MLO_L,B\n"), LabelEntryError::Contradicted);
        assert_eq!(refused("subject,exam,class\nP2,1,X\n"), LabelEntryError::Unusable);
    }
}
