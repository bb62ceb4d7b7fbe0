//! Bright borders around a picture: collimator edges, white padding, frames of a digitiser.

use super::pixel_box::PixelBox;

/// Greys that differ by at most this from the middle one of a line still belong to a border.
const UNIFORM: u8 = 16;

/// The share of a line's pixels with the border's grey, at least; letters may cover the rest.
const MIN_UNIFORM: f64 = 0.9;

/// The least grey of a border.
const MIN_GREY: u8 = 64;

/// The fall of grey after a border, and the share of the line's pixels that have it, at least: the tissue at a chest wall
/// has no such step.
const STEP: u8 = 20;
const MIN_STEP: f64 = 0.4;

/// The share of a picture's side that a border takes, at most.
const MAX_DEPTH: f64 = 0.25;

/// The lines over which a border's edge is blurred, at most.
const BLUR: usize = 3;

/// The part of a grey picture that is not a bright border: from each edge, lines of one bright grey are left out if they
/// end at a step to darker greys.
pub(super) fn without_bright_border(grey: &[u8], width: usize) -> PixelBox {
    let height = grey.len() / width;
    let column = |x: usize| -> Vec<u8> { (0..height).map(|y| grey[y * width + x]).collect() };
    let row = |y: usize| -> Vec<u8> { grey[y * width..][..width].to_vec() };
    let left = depth(width, column);
    let right = depth(width, |x| column(width - 1 - x));
    let top = depth(height, row);
    let bottom = depth(height, |y| row(height - 1 - y));
    PixelBox { left, top, right: width - right, bottom: height - bottom }
}

/// The number of border lines among `count`, the outermost first.
fn depth(count: usize, line: impl Fn(usize) -> Vec<u8>) -> usize {
    let most = (MAX_DEPTH * count as f64) as usize;
    let Some(level) = uniform_level(&line(0)) else { return 0 };
    let continues = |at: usize| uniform_level(&line(at)).is_some_and(|other| other.abs_diff(level) <= UNIFORM);
    let Some(uniform) = (1..most).find(|&at| !continues(at)) else { return 0 };
    let outside = line(uniform - 1);
    let stepped = |inside: &[u8]| {
        let darker = outside.iter().zip(inside).filter(|&(&outside, &inside)| outside >= inside.saturating_add(STEP));
        darker.count() as f64 >= MIN_STEP * outside.len() as f64
    };
    let inner = line((uniform + BLUR).min(count - 1));
    if !stepped(&inner) {
        return 0;
    }
    // Lines on the slope of a blurred edge belong to the border.
    let sloping = (uniform..uniform + BLUR).take_while(|&at| {
        let here = line(at);
        let brighter = here.iter().zip(&inner).filter(|&(&here, &inner)| here >= inner.saturating_add(STEP / 2));
        brighter.count() as f64 >= MIN_STEP * here.len() as f64
    });
    uniform + sloping.count()
}

/// The grey of a line that is bright and uniform.
fn uniform_level(line: &[u8]) -> Option<u8> {
    let mut sorted = line.to_vec();
    let middle = *sorted.select_nth_unstable(line.len() / 2).1;
    let close = line.iter().filter(|&&grey| grey.abs_diff(middle) <= UNIFORM).count();
    (middle >= MIN_GREY && close as f64 >= MIN_UNIFORM * line.len() as f64).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 40;

    /// A breast on the left half, 60 rows.
    fn picture(border: impl Fn(usize, usize) -> Option<u8>) -> PixelBox {
        let tissue = |x: usize, y: usize| if x < 20 { 100 + ((x * 7 + y * 3) % 30) as u8 } else { 5 };
        let grey: Vec<u8> = (0..WIDTH * 60)
            .map(|at| (at % WIDTH, at / WIDTH))
            .map(|(x, y)| border(x, y).unwrap_or_else(|| tissue(x, y)))
            .collect();
        without_bright_border(&grey, WIDTH)
    }

    #[test]
    fn frames_are_left_out_and_tissue_is_not() {
        assert_eq!(picture(|_, _| None), PixelBox { left: 0, top: 0, right: 40, bottom: 60 });
        let uniform_tissue = picture(|x, _| (x < 20).then_some(120));
        assert_eq!(uniform_tissue.left, 0, "tissue of one grey is deeper than a border");
        let framed =
            picture(|x, y| (!(4..37).contains(&x) || !(5..58).contains(&y)).then(|| 250 - ((x + y) % 9) as u8));
        assert_eq!(framed, PixelBox { left: 4, top: 5, right: 37, bottom: 58 });
        let blurred = picture(|x, _| [255, 255, 255, 220, 170].get(x).copied());
        assert_eq!(blurred.left, 5);
    }
}
