//! Confusion matrices.

use plotters::element::Rectangle;
use plotters::prelude::Text;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, RGBColor};

use super::axes::{cell, csv, document, text};
use super::palette::INK;
use super::{Chart, ChartFault};
use crate::report::plots::{ink_on, sequential_color};
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::subject::density::DensityClass;

const CELL: i32 = 150;
const LEFT: i32 = 120;
const TOP: i32 = 16;
const SIZE: (u32, u32) = ((LEFT + 4 * CELL + 20) as u32, (TOP + 4 * CELL + 96) as u32);

/// A confusion matrix with true classes in rows. A cell has its count, its share of the row, and a colour by that share.
pub fn matrix_chart(name: &str, title: &str, matrix: &ConfusionMatrix) -> Result<Chart, ChartFault> {
    let svg = document(name, SIZE, |root| {
        let centred = Pos::new(HPos::Center, VPos::Center);
        for truth in DensityClass::ALL {
            for predicted in DensityClass::ALL {
                let (count, support) = (matrix.count(truth, predicted), matrix.support(truth));
                let share = if support == 0 { 0.0 } else { count as f64 / support as f64 };
                let (x, y) = (LEFT + predicted.index() as i32 * CELL, TOP + truth.index() as i32 * CELL);
                let [ground, ink] =
                    [sequential_color(share), ink_on(share)].map(|color| RGBColor(color.0[0], color.0[1], color.0[2]));
                root.draw(&Rectangle::new([(x, y), (x + CELL - 4, y + CELL - 4)], ground.filled()))?;
                let middle = x + (CELL - 4) / 2;
                root.draw(&Text::new(count.to_string(), (middle, y + 54), text(48.0, ink).pos(centred)))?;
                let share = if support == 0 { "none".to_owned() } else { format!("{:.0} %", 100.0 * share) };
                root.draw(&Text::new(share, (middle, y + 106), text(34.0, ink).pos(centred)))?;
            }
        }
        for class in DensityClass::ALL {
            let along = class.index() as i32 * CELL + CELL / 2;
            root.draw(&Text::new(class.letter(), (LEFT - 28, TOP + along), text(40.0, INK).pos(centred)))?;
            root.draw(&Text::new(class.letter(), (LEFT + along, TOP + 4 * CELL + 22), text(40.0, INK).pos(centred)))?;
        }
        let below = (LEFT + 2 * CELL, TOP + 4 * CELL + 66);
        root.draw(&Text::new("predicted class", below, text(34.0, INK).pos(centred)))?;
        let upwards = text(34.0, INK).pos(centred).transform(plotters::style::FontTransform::Rotate270);
        root.draw(&Text::new("true class", (28, TOP + 2 * CELL), upwards))?;
        Ok(())
    })?;
    let rows: Vec<String> = DensityClass::ALL
        .into_iter()
        .map(|truth| {
            let counts = DensityClass::ALL.map(|predicted| matrix.count(truth, predicted).to_string());
            format!("true {truth}: {}", counts.join(", "))
        })
        .collect();
    let lines = DensityClass::ALL.into_iter().flat_map(|truth| {
        DensityClass::ALL.map(|predicted| [cell(truth), cell(predicted), cell(matrix.count(truth, predicted))])
    });
    Ok(Chart {
        name: name.to_owned(),
        title: title.to_owned(),
        description: format!("{title}. Counts of predicted A, B, C, D; {}.", rows.join("; ")),
        svg,
        csv: csv(["true", "predicted", "cases"], lines),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_count_and_share() {
        let matrix = ConfusionMatrix::new([[10, 0, 0, 0], [5, 15, 0, 0], [0, 0, 0, 0], [0, 0, 0, 7]]);
        let chart = matrix_chart("matrix-total", "Confusion matrix, total", &matrix).unwrap();
        assert_eq!(chart.svg.matches("<rect").count(), 16);
        assert!(chart.svg.contains("75 %") && chart.svg.contains("\nnone\n"));
        assert!(
            chart
                .description
                .ends_with("true A: 10, 0, 0, 0; true B: 5, 15, 0, 0; true C: 0, 0, 0, 0; true D: 0, 0, 0, 7.")
        );
        assert_eq!(chart.csv.lines().nth(6), Some("B,B,15"));
    }
}
