use super::*;

/// The characters that mean something in one of the formats.
const HOSTILE: &str = r#"a&b_1 100%{x}~^\$#|*`<c>[d]!--,,''"e"#;

fn hostile_table() -> Table {
    let cell = |value: f64| {
        let number = Number {
            figure: "accuracy",
            value: Some(value),
            source: HOSTILE.to_owned(),
            ..Number::of(SetName::Total, 3)
        };
        Cell::of(value.to_string(), number)
    };
    Table {
        set: Some(SetName::Total),
        topic: "metrics".to_owned(),
        caption: HOSTILE.to_owned(),
        indent: Indent::all(2),
        spanner: Some(Spanner { title: "over", columns: 1..2, plain_end: 12 }),
        columns: vec![Column::left("set", 4), Column::right("κ", 8), Column::remark(HOSTILE, 2)],
        rows: vec![vec!["[first]".into(), cell(-0.5), HOSTILE.into()], vec!["*".into(), cell(0.25), Cell::default()]],
    }
}

#[test]
fn cells_stand_at_the_places_of_their_columns() {
    let mut table = hostile_table();
    table.indent = Indent { titles: 0, rows: 2 };
    table.rows[0][2] = "*".into();
    assert_eq!(
        TableFormat::Plain.render(&[Block::Table(table), Block::Gap, Block::Line("end".to_owned())]),
        "        over\nset        κ\n  [first]-0.5 *\n  *     0.25\n\nend\n"
    );
}

#[test]
fn no_character_of_a_name_means_anything_to_latex() {
    let text = TableFormat::Latex.render(&[
        Block::Heading { title: "a\nb".to_owned(), below: Some("%".to_owned()) },
        Block::Table(hostile_table()),
        Block::note(HOSTILE),
    ]);
    let name = r"a\&b\_1 100\%\{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}\$\#\textbar{}*`\textless{}c\textgreater{}[d]!-{}-,{},'{}'";
    assert_eq!(text.matches(name).count(), 4, "{text}");
    assert!(text.contains("    {}[first] & $-$0.5 & "), "{text}");
    assert!(text.contains("    {}* & 0.25 &  \\\\\n"), "{text}");
    assert!(text.contains("    & \\multicolumn{1}{c}{over} & \\\\\n    \\cmidrule(lr){2-2}\n"), "{text}");
    assert!(text.contains("    set & $\\kappa$ & "), "{text}");
    assert!(text.contains("\\label{tab:total-metrics}\n  \\begin{tabular}{lrl}\n"), "{text}");
    assert!(text.contains("% a b (%)\n"), "a comment has one line: {text}");
}

#[test]
fn no_character_of_a_name_means_anything_to_markdown() {
    let text = TableFormat::Markdown.render(&[Block::Table(hostile_table())]);
    let name = r#"a\&b\_1 100%\{x\}\~\^\\\$\#\|\*\`\<c\>\[d\]\!--,,''"e"#;
    assert_eq!(text.matches(name).count(), 3, "{text}");
    let lines: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(lines.len(), 4, "{text}");
    let lengths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
    assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    assert!(lines[1].starts_with("| :-------- | -----: | :---"), "{text}");
}

#[test]
fn numbers_alone_make_the_csv() {
    let blocks = [
        Block::note("a note"),
        Block::Table(hostile_table()),
        Block::Numbers(vec![Number {
            quantity: Quantity::FoldSd,
            figure: "f1",
            class: Some(DensityClass::D),
            predicted: Some(DensityClass::A),
            bin: Some(14),
            ends: Some([0.125, 1.0]),
            ..Number::default()
        }]),
    ];
    let text = TableFormat::Csv.render(&blocks);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let lines: Vec<Vec<String>> =
        reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(lines[0], ["total", "network", "accuracy", "", "", "", "-0.5", "", "", "3", HOSTILE]);
    assert_eq!(lines[1][6], "0.25");
    assert_eq!(lines[2], ["", "fold_sd", "f1", "D", "A", "14", "", "0.125", "1", "", ""]);
    assert_eq!(lines.len(), 3);
}
