//! The distribution of grey levels of a picture with background.

/// The numbers of pixels of each of the 256 grey levels.
pub(super) struct GreyHistogram([u64; 256]);

/// The grey levels of the background, and the threshold above which there is breast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BackgroundLevels {
    /// The most frequent level of the background.
    pub(super) mode: f32,
    /// Above this level a pixel belongs to the breast, or to something else that is bright.
    pub(super) threshold: f32,
}

/// The share of the distance from the background to the threshold that separates dark from bright best, at which the
/// breast begins: the skin is much darker than the tissue under it.
const SKIN: f32 = 0.2;

/// The distance from the background in standard deviations of its noise, at least.
const NOISE: f32 = 3.0;

/// The share of the distance to the best separating threshold that noise can add, at most.
const MAX_NOISE: f32 = 0.5;

impl GreyHistogram {
    /// The histogram of levels, rounded.
    pub(super) fn of(levels: impl Iterator<Item = f32>) -> Self {
        let mut counts = [0; 256];
        for level in levels {
            counts[usize::from(level.round().clamp(0.0, 255.0) as u8)] += 1;
        }
        Self(counts)
    }

    /// The level up to which pixels belong to the darker of two classes whose means differ most (Otsu 1979), the middle one
    /// of several; `None` if there is only one level.
    fn separating_level(&self) -> Option<usize> {
        let total: u64 = self.0.iter().sum();
        let moment: f64 = self.0.iter().zip(0_u32..).map(|(&count, level)| count as f64 * f64::from(level)).sum();
        let (mut below, mut moment_below, mut best) = (0_u64, 0.0, (0.0, None));
        for (level, &count) in self.0.iter().enumerate() {
            below += count;
            moment_below += count as f64 * level as f64;
            let above = total - below;
            if below == 0 || above == 0 {
                continue;
            }
            let difference = moment_below / below as f64 - (moment - moment_below) / above as f64;
            let between = below as f64 * above as f64 * difference * difference;
            if between > best.0 {
                best = (between, Some((level, level)));
            } else if let (true, Some((_, last))) = (count == 0, &mut best.1)
                && *last + 1 == level
            {
                // An empty level separates as well as the one before it.
                *last = level;
            }
        }
        best.1.map(|(first, last)| usize::midpoint(first, last))
    }

    /// The background of a picture that has one darker than the breast: the most frequent of the darker levels, each
    /// counted with its neighbours. `None` for a picture of a single level.
    pub(super) fn background(&self) -> Option<BackgroundLevels> {
        let separating = self.separating_level()?;
        let around = |level: usize| -> u64 { self.0[level.saturating_sub(1)..=(level + 1).min(255)].iter().sum() };
        let mode = (0..=separating).rev().max_by_key(|&level| (around(level), self.0[level]))?;
        // The noise of the darker half, since the brighter one has the skin in it.
        let darker = self.0[..=mode].iter().enumerate();
        let (count, squares) = darker.fold((0_u64, 0.0), |(count, squares), (level, &pixels)| {
            (count + pixels, squares + pixels as f64 * ((mode - level) as f64).powi(2))
        });
        let noise = (squares / count.max(1) as f64).sqrt() as f32;
        let contrast = (separating - mode) as f32;
        let above = (SKIN * contrast).max((NOISE * noise).min(MAX_NOISE * contrast)).max(1.0);
        Some(BackgroundLevels { mode: mode as f32, threshold: mode as f32 + above })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_a_fifth_of_the_way_to_the_tissue() {
        let levels = [(20.0, 400), (21.0, 100), (120.0, 300), (130.0, 300)];
        let levels = levels.into_iter().flat_map(|(level, count)| std::iter::repeat_n(level, count));
        let background = GreyHistogram::of(levels).background().unwrap();
        assert_eq!(background, BackgroundLevels { mode: 20.0, threshold: 30.0 });
        assert!(GreyHistogram::of([7.0; 9].into_iter()).background().is_none());
    }
}
