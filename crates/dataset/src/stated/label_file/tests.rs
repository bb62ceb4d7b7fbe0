use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<LabelFile, String> {
    LabelFile::parse(Path::new("t.csv"), text.as_bytes()).map_err(|error| error.to_string())
}

fn stated(file: &LabelFile, path: &str) -> Option<(String, Option<View>, Option<DensityClass>)> {
    let statement = file.by_file()?.statement(Path::new(path))?;
    let subject = statement.subject.as_ref().map_or_else(|| "-".to_owned(), |subject| subject.0.clone());
    Some((subject, statement.view(), statement.class))
}

/// The class of subject, examination and view as a letter; `-` if there is none.
fn class(file: &LabelFile, subject: &str, exam: &str, view: &str) -> &'static str {
    let exam = Some(ExamId::new(exam)).filter(|exam| !exam.0.is_empty());
    let class = file.class_of(&SubjectId::new(subject), exam.as_ref(), view.parse().ok());
    class.map_or("-", DensityClass::letter)
}

#[test]
fn images_are_found_by_path_name_and_stem() {
    let table =
        parse("file,subject,view,laterality,class\nCC/a.png,1,CC,L,A\nMLO/a.png,2,MLO,L,B\nb.png,3,CC_R,,3\n").unwrap();
    assert_eq!(stated(&table, "CC/a.png"), Some(("1".to_owned(), Some(View::CcL), Some(DensityClass::A))));
    assert_eq!(stated(&table, "x/b.png").unwrap().1, Some(View::CcR));
    assert_eq!(stated(&table, "x/b.tif").unwrap().0, "3");
    assert_eq!(stated(&table, "x/a.png"), None, "two lines have that name");
    assert_eq!(stated(&table, "c.png"), None);
    assert_eq!(stated(&table, "MLO/c.png"), None, "another image in the folder does not count");
    let dicom = parse("file,subject\nseries/1.dcm,1\n").unwrap();
    assert_eq!(stated(&dicom, "series/2.png"), None);
    assert_eq!(stated(&dicom, "series/1.png").unwrap().0, "1");
    let unknown = SubjectId::new("");
    let images = |paths: &'static [&str]| paths.iter().map(|path| (Path::new(path), &unknown)).collect::<Vec<_>>();
    assert_eq!(table.missing_from(images(&["CC/a.png", "q/b.png"]).into_iter()).unwrap(), ["MLO/a.png"]);
    let error = table.missing_from(images(&["z.png"]).into_iter()).unwrap_err().to_string();
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
        "t.csv:3: a is B here and A in line 2; t.csv:4: column view: 'LM' is not CC, MLO or a view such as CC_R; \
         t.csv:5: column laterality: L contradicts the view; t.csv:6: column class: 'E' is not A, B, C or D, or 1 to 4; \
         t.csv:7: column file: empty"
    );
    assert!(parse("name,class\n1,A\n").unwrap_err().contains("the column file is missing"));
    assert!(parse("file,age\na,40\n").unwrap_err().contains("it has no column besides file"));
    assert!(parse("file,class\n").unwrap_err().contains("no lines after the first"));
}

#[test]
fn cases_are_found_by_subject_examination_and_view() {
    let file = parse(
        "subject;exam;view;laterality;Density\r\n7;;;;B\r\n7;2;;;c\r\n7;2;CC;R;BI-RADS D\r\n8;1;MLO_L;;1\r\n9;;;L;2\r\n9;;;R;3\r\n",
    )
    .unwrap();
    for (subject, exam, view, expected) in [
        ("7", "1", "CC_R", "B"),
        ("7", "2", "MLO_R", "C"),
        ("7", "2", "CC_R", "D"),
        ("7", "1", "", "B"),
        ("7", "", "CC_R", "-"),
        ("7", "2", "", "-"),
        ("8", "1", "MLO_L", "A"),
        ("8", "1", "CC_L", "-"),
        ("8", "", "", "A"),
        ("9", "4", "CC_L", "B"),
        ("9", "4", "MLO_R", "C"),
        ("9", "4", "", "-"),
        ("10", "", "", "-"),
        ("07", "1", "CC_R", "-"),
    ] {
        assert_eq!(class(&file, subject, exam, view), expected, "{subject} {exam} {view}");
    }
    assert_eq!(file.find(&SubjectId::new("7"), None, None), FoundLabel::Ambiguous);
    assert_eq!(file.find(&SubjectId::new("10"), None, None), FoundLabel::Missing);
    assert!(!file.is_by_file() && file.warnings().is_empty() && file.readers().is_empty());
}

#[test]
fn wide_and_long_tables_of_readers_are_equal() {
    let wide = parse("subject,reader_1,reader_2,reader:Miller\n1,A,A,B\n2,B,c,\n3,4,D,D\n4,,,\n5,B,C,2\n").unwrap();
    let long = parse(
        "class,reader,subject\nA,1,1\nA,2,1\nB,Miller,1\nB,1,2\nC,2,2\nD,1,3\nD,2,3\nD,miller,3\n,1,4\nB,1,5\nC,2,5\nB,Miller,5\n",
    )
    .unwrap();
    for file in [&wide, &long] {
        assert_eq!(file.readers(), ["1", "2", "Miller"]);
        let classes: Vec<_> = ["1", "2", "3", "4", "5"].map(|subject| class(file, subject, "", "")).into();
        assert_eq!(classes, ["A", "C", "D", "-", "B"]);
        let FoundLabel::Label(label) = file.find(&SubjectId::new("2"), None, None) else { panic!("subject 2") };
        assert_eq!(label.votes.unwrap().shares(), Some([0.0, 0.5, 0.5, 0.0]));
        assert_eq!(file.find(&SubjectId::new("4"), None, None), FoundLabel::NoClass);
        let cases: Vec<_> = file.reader_pairs().iter().map(|pair| (pair.cases, pair.agreed)).collect();
        assert_eq!(cases, [(4, 2), (3, 2), (3, 1)]);
        let ties: Vec<_> = file.ties().iter().map(|tie| (tie.name.as_str(), tie.class)).collect();
        assert_eq!(ties, [("subject 2", DensityClass::C)]);
    }
    assert_eq!(
        wide.warnings(),
        [
            "t.csv: 1 case for which as many readers chose one class as another, and the denser one counts: subject 2 \
             (C, line 3)",
            "t.csv: 1 line has no class: 5"
        ]
    );
    assert_eq!(long.ties()[0].line, 5);
}

#[test]
fn a_stated_class_takes_precedence_over_the_readers() {
    let file = parse("subject,reader_1,reader_2,class\n1,A,A,B\n2,C,D,\n").unwrap();
    assert_eq!((class(&file, "1", "", ""), class(&file, "2", "", "")), ("B", "D"));
    let FoundLabel::Label(label) = file.find(&SubjectId::new("1"), None, None) else { panic!("subject 1") };
    assert_eq!(label.votes.unwrap().shares(), Some([1.0, 0.0, 0.0, 0.0]));
    assert_eq!(file.ties().len(), 1);
}

#[test]
fn readers_of_images_are_read_too() {
    let file = parse("file,reader_1,reader_2\na.png,A,B\nb.png,C,C\n").unwrap();
    assert_eq!(stated(&file, "x/a.png").unwrap().2, Some(DensityClass::B));
    let label = file.label_of_file(Path::new("b.png")).unwrap();
    assert_eq!((label.class, label.votes.unwrap().readers()), (DensityClass::C, 2));
    assert_eq!(file.ties()[0].name, "a.png");
    let long = parse("file,reader,class\na.png,x,A\na.png,y,A\na.png,z,B\n").unwrap();
    assert_eq!(stated(&long, "a.png").unwrap().2, Some(DensityClass::A));
}

#[test]
fn all_faults_of_cases_and_readers_are_reported_in_one_message() {
    assert_eq!(
        parse("subject,exam,class\n1,1,A\n1,1,C\n,1,A\n2,1,E\n2,1,B-C\n3,1\n1,1,A\n").unwrap_err(),
        "t.csv:3: subject 1 exam 1 is C here and A in line 2; t.csv:4: column subject: empty; t.csv:5: column class: 'E' is \
         not A, B, C or D, or 1 to 4; t.csv:6: column class: 'B-C' is not A, B, C or D, or 1 to 4; t.csv:7: the line ends \
         before column class"
    );
    assert_eq!(
        parse("subject,reader_1,reader_2\n1,A,5\n1,A,B\n1,C,B\n2,A\n").unwrap_err(),
        "t.csv:2: column reader 2: '5' is not A, B, C or D, or 1 to 4; t.csv:4: subject 1: reader 1 says C here and A in \
         line 3; t.csv:5: the line ends before column reader 2"
    );
    assert_eq!(
        parse("subject,reader,class\n1,x,A\n1,X,B\n1,,B\n").unwrap_err(),
        "t.csv:3: subject 1: reader x says B here and A in line 2; t.csv:4: column reader: empty"
    );
}

#[test]
fn files_without_usable_columns_are_refused() {
    let reason = |text: &str| parse(text).unwrap_err();
    assert!(reason("subject,exam\n1,1\n").contains("it has neither a column class nor columns of readers"));
    assert!(reason("subject,reader,reader_1,class\n").contains("both a column reader and columns of single readers"));
    assert!(reason("subject,reader\n1,x\n").contains("a column reader but no column class"));
    assert!(reason("subject,reader_1,Reader 1\n").contains("the column of reader 1 occurs twice"));
    assert!(reason("subjct,class\n1,A\n").contains("the column subject (did you mean subjct?) is missing"));
    assert!(reason("subject,class\n").contains("no lines after the first"));
    let many = (0..70).map(|reader| format!("{reader},r{reader},A\n")).collect::<Vec<_>>().concat();
    assert!(reason(&format!("subject,reader,class\n{many}")).contains("70 different names"));
}

#[test]
fn repeated_lines_and_unclear_columns_are_reported() {
    let file = parse("\u{feff}Patient ID;Class;reader_anna\r\n1;A;x\r\n1;A;x\r\n2;unknown;\r\n").unwrap();
    assert_eq!(class(&file, "1", "3", "CC_R"), "A");
    assert_eq!(
        file.warnings(),
        [
            "t.csv: 1 line repeats what an earlier one says: 3",
            "t.csv: 1 line has no class: 4",
            "t.csv: the column reader_anna is ignored; a reader's column is named reader_1 or reader:NAME"
        ]
    );
}

#[test]
fn subjects_that_do_not_match_are_found() {
    let file = parse("subject,class\n1,A\n02,B\n3,B\n").unwrap();
    let ids = ["1", "2", "9"].map(SubjectId::new);
    let images = || ids.iter().map(|subject| (Path::new("x.png"), subject));
    assert_eq!(file.missing_from(images()).unwrap(), ["02", "3"]);
    assert_eq!(file.spelled_differently(ids.iter()).to_string(), "02 and 2");
    let error = file.missing_from(images().skip(1)).unwrap_err().to_string();
    assert_eq!(error, "t.csv: none of the data's subjects is named in it: it has 02, 1, 3, the data 2, 9");
}
