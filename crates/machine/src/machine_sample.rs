//! The load of a machine at one moment: processor, memory and GPUs.

/// The load of a machine. A value without a sensor is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MachineSample {
    pub host: String,
    /// Load of all cores, in per cent.
    pub cpu_percent: Option<u32>,
    pub memory: Option<MemoryUse>,
    /// In the driver's order.
    pub gpus: Vec<GpuSample>,
}

/// Used and total memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    pub used: u64,
    pub total: u64,
}

/// The load of a GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuSample {
    /// The name without the vendor, such as `H200`.
    pub name: String,
    /// Share of the time during which a kernel ran, in per cent.
    pub busy_percent: Option<u32>,
    pub memory: Option<MemoryUse>,
    pub power_watts: Option<u32>,
    pub celsius: Option<u32>,
}

impl MemoryUse {
    /// `61/141 GB`, in units of 10⁹ bytes; values below ten with one decimal.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}/{} GB", gigabytes(self.used), gigabytes(self.total))
    }
}

fn gigabytes(bytes: u64) -> String {
    let gigabytes = bytes as f64 / 1e9;
    if gigabytes < 9.95 { format!("{gigabytes:.1}") } else { format!("{gigabytes:.0}") }
}

impl GpuSample {
    /// `H200 97 % 61/141 GB 640 W 63 °C`, or only the first `figures` of the four figures.
    #[must_use]
    pub fn text(&self, figures: usize) -> String {
        let all = [
            self.busy_percent.map(|percent| format!("{percent} %")),
            self.memory.map(|memory| memory.text()),
            self.power_watts.map(|watts| format!("{watts} W")),
            self.celsius.map(|celsius| format!("{celsius} °C")),
        ];
        let mut text = self.name.clone();
        for figure in all.into_iter().take(figures).flatten() {
            text.push(' ');
            text.push_str(&figure);
        }
        text
    }
}

impl MachineSample {
    /// One-line descriptions from the longest to the shortest; the first that fits should be shown. Empty without any
    /// sensor.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let cpu = self.cpu_percent.map(|percent| format!("CPU {percent} %"));
        let memory = self.memory.map(|memory| memory.text());
        let gpus = |figures: usize| self.gpus.iter().map(|gpu| gpu.text(figures)).collect::<Vec<_>>().join(" | ");
        let busy: Vec<u32> = self.gpus.iter().filter_map(|gpu| gpu.busy_percent).collect();
        let mean = (busy.len() > 1).then(|| {
            let mean = busy.iter().sum::<u32>() / busy.len() as u32;
            format!("{} GPUs {mean} %", self.gpus.len())
        });
        let one = (self.gpus.len() == 1).then(|| gpus(1));
        let some = |text: String| (!text.is_empty()).then_some(text);
        let candidates: [[Option<String>; 3]; 6] = [
            [some(gpus(4)), cpu.clone(), memory.clone()],
            [some(gpus(4)), cpu.clone(), None],
            [some(gpus(2)), cpu.clone(), None],
            [some(gpus(1)), cpu.clone(), None],
            [mean.clone().or_else(|| one.clone()), cpu.clone(), None],
            [mean.or(one).or(cpu), None, None],
        ];
        let mut texts: Vec<String> = Vec::new();
        for parts in candidates {
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let text = parts.join("  ");
            if !text.is_empty() && texts.last() != Some(&text) {
                texts.push(text);
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use crate::machine_sample::*;

    fn h200(busy: u32) -> GpuSample {
        GpuSample {
            name: "H200".to_owned(),
            busy_percent: Some(busy),
            memory: Some(MemoryUse { used: 61_200_000_000, total: 141_000_000_000 }),
            power_watts: Some(640),
            celsius: Some(63),
        }
    }

    #[test]
    fn descriptions_of_a_machine_from_long_to_short() {
        let memory = Some(MemoryUse { used: 3_140_000_000, total: 24_000_000_000 });
        let mut sample =
            MachineSample { host: "node3".to_owned(), cpu_percent: Some(12), memory, gpus: vec![h200(97)] };
        assert_eq!(
            sample.texts(),
            [
                "H200 97 % 61/141 GB 640 W 63 °C  CPU 12 %  3.1/24 GB",
                "H200 97 % 61/141 GB 640 W 63 °C  CPU 12 %",
                "H200 97 % 61/141 GB  CPU 12 %",
                "H200 97 %  CPU 12 %",
                "H200 97 %",
            ]
        );
        sample.gpus.push(h200(3));
        let texts = sample.texts();
        assert!(texts[0].contains(" | H200 3 % "), "{texts:?}");
        assert_eq!(texts[4..], ["2 GPUs 50 %  CPU 12 %", "2 GPUs 50 %"]);
        sample.gpus.clear();
        assert_eq!(sample.texts(), ["CPU 12 %  3.1/24 GB", "CPU 12 %"]);
        assert_eq!(MachineSample::default().texts(), Vec::<String>::new());
    }

    #[test]
    fn a_missing_sensor_is_left_out() {
        let gpu = GpuSample { busy_percent: None, power_watts: None, ..h200(0) };
        assert_eq!(gpu.text(4), "H200 61/141 GB 63 °C");
    }
}
