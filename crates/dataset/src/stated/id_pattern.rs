//! Ids from paths, by a pattern with named groups or by the name of a public data set.

use std::path::Path;
use std::str::FromStr;

use regex::{Captures, Regex};

use super::statement::{Statement, slashed};
use super::words::{class, is_absent, projection, side};
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};

/// The groups that a pattern may have.
const GROUPS: [&str; 5] = ["subject", "exam", "view", "laterality", "class"];

/// Public data sets and the patterns of their paths, as distributed or commonly converted.
const PRESETS: [(&str, &str); 3] = [
    // 20586908_6c613a14b80a8591_MG_R_CC_ANON.png: image, patient, modality, side, view (ML stands for MLO).
    ("inbreast", r"(?:^|/)\d+_(?<subject>[0-9a-fA-F]{8,})_MG_(?<laterality>[LR])_(?<view>CC|MLO|ML)(?:_|\.|$)"),
    // Mass-Training_P_00001_LEFT_CC.png, or a folder of that name; with a number appended it is a crop or a mask.
    (
        "cbis-ddsm",
        r"(?:^|/)(?:Mass|Calc)-(?:Training|Test)_(?<subject>P_\d+)_(?<laterality>LEFT|RIGHT)_(?<view>CC|MLO)(?:/|\.[^/]*$|$)",
    ),
    // <study>/<image>.png, both with 32 hexadecimal digits; a study is a subject. View and class are in the tables.
    ("vindr-mammo", r"(?:^|/)(?<subject>[0-9a-f]{32})/[0-9a-f]{32}(?:\.[^/]*)?$"),
];

/// A pattern of paths below a data set's root with named groups.
#[derive(Clone, Debug)]
pub struct IdPattern {
    pattern: Regex,
    /// The groups of this pattern, a subset of [`GROUPS`].
    groups: Vec<&'static str>,
}

/// The error for a text that is not a pattern of ids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdPatternError {
    #[error("'{pattern}' is not a regular expression: {reason}; presets are inbreast, cbis-ddsm and vindr-mammo")]
    Syntax { pattern: String, reason: String },
    #[error("'{0}' has no group (?<subject>…); groups are subject, exam, view, laterality and class")]
    NoSubject(String),
    #[error("(?<{0}>…) is not a known group; groups are subject, exam, view, laterality and class")]
    UnknownGroup(String),
}

impl FromStr for IdPattern {
    type Err = IdPatternError;

    /// Parses a regular expression with the group `(?<subject>…)` and, optionally, `exam`, `view`, `laterality` and
    /// `class`, or looks up the name of a public data set.
    fn from_str(text: &str) -> Result<Self, IdPatternError> {
        let preset = PRESETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let expression = preset.map_or(text, |(_, expression)| expression);
        let pattern = Regex::new(expression).map_err(|error| IdPatternError::Syntax {
            pattern: text.to_owned(),
            reason: error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .trim_start_matches("error: ")
                .to_owned(),
        })?;
        let mut groups = Vec::new();
        for name in pattern.capture_names().flatten() {
            let known = GROUPS.into_iter().find(|group| *group == name);
            groups.push(known.ok_or_else(|| IdPatternError::UnknownGroup(name.to_owned()))?);
        }
        if !groups.contains(&"subject") {
            return Err(IdPatternError::NoSubject(text.to_owned()));
        }
        Ok(Self { pattern, groups })
    }
}

impl IdPattern {
    /// The statement in a path below the root; `None` if the pattern does not match or a group is not a valid view, side or
    /// class.
    pub(super) fn statement(&self, below: &Path) -> Option<Statement> {
        let path = slashed(below);
        let found = self.pattern.captures(&path)?;
        let mut statement = Statement::default();
        for group in &self.groups {
            put(&mut statement, group, &found)?;
        }
        Some(statement)
    }
}

fn put(statement: &mut Statement, group: &str, found: &Captures<'_>) -> Option<()> {
    let text = found.name(group).map_or("", |group| group.as_str()).trim();
    if is_absent(text) {
        return (group != "subject").then_some(());
    }
    match group {
        "subject" => statement.subject = Some(SubjectId::new(text)),
        "exam" => statement.exam = Some(ExamId::new(text)),
        "laterality" => statement.side = Some(side(text)?),
        "class" => statement.class = Some(class(text)?),
        _ => {
            let (projection, side) = projection(text)?;
            statement.projection = Some(projection);
            statement.side = statement.side.or(side);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::view::View;

    fn stated(pattern: &str, path: &str) -> Option<(String, Option<View>)> {
        let statement = pattern.parse::<IdPattern>().unwrap().statement(Path::new(path))?;
        Some((statement.subject.clone().unwrap().0, statement.view()))
    }

    #[test]
    fn paths_of_public_data_sets_are_parsed() {
        let cases = [
            ("inbreast", "B/20586908_6c613a14b80a8591_MG_R_CC_ANON.png", Some(("6c613a14b80a8591", View::CcR))),
            ("INbreast", "20587346_e634830794f5c1bd_MG_L_ML_ANON.dcm.png", Some(("e634830794f5c1bd", View::MloL))),
            ("inbreast", "20587346.png", None),
            ("cbis-ddsm", "Mass-Training_P_00001_LEFT_CC.png", Some(("P_00001", View::CcL))),
            ("cbis-ddsm", "Calc-Test_P_00038_RIGHT_MLO/1.3.6/1-1.png", Some(("P_00038", View::MloR))),
            ("cbis-ddsm", "Mass-Training_P_00001_LEFT_CC_1/1.3.6/1-2.png", None),
        ];
        for (preset, path, expected) in cases {
            let expected = expected.map(|(subject, view)| (subject.to_owned(), Some(view)));
            assert_eq!(stated(preset, path), expected, "{path}");
        }
        let study = "8269f5971eaca3e5d3772d1796e6bd7a";
        let path = format!("images/{study}/d931832a0815df082c085b6e09d20aac.png");
        assert_eq!(stated("vindr-mammo", &path), Some((study.to_owned(), None)));
    }

    #[test]
    fn custom_patterns_are_parsed() {
        let pattern = r"(?<subject>P\d+)/(?<exam>\d{4})/(?<laterality>[LR])(?<view>CC|MLO)_(?<class>[1-4])";
        let statement =
            pattern.parse::<IdPattern>().unwrap().statement(Path::new("site 1/P07/2019/RMLO_3.png")).unwrap();
        assert_eq!((statement.subject, statement.exam), (Some(SubjectId::new("P07")), Some(ExamId::new("2019"))));
        assert_eq!((statement.class, stated(pattern, "P07/2019/RMLO_9.png")), (Some(DensityClass::C), None));
        let error = |text: &str| text.parse::<IdPattern>().unwrap_err().to_string();
        assert!(
            error("(?<subject>").starts_with("'(?<subject>' is not a regular expression: "),
            "{}",
            error("(?<subject>")
        );
        assert!(!error("(?<subject>").contains('\n'));
        assert!(error(r"\d+").contains("has no group (?<subject>…)"));
        assert!(error(r"(?<subject>\d+)_(?<patient>\d+)").starts_with("(?<patient>…) is not a known group"));
    }
}
