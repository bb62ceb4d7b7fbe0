use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn frames_are_read_back(index in any::<u32>(), logits in prop::array::uniform4(-1e6_f32..1e6), reason in any::<String>()) {
        let index = index as usize;
        let findings = ImageFindings {
            width: 3,
            height: 2,
            bits: 16,
            largest: 9,
            white: 65_535,
            doubts: Vec::new(),
            traits: None,
        };
        let events = [
            EngineEvent::SampleDone { job: JobId(7), index, result: Ok(PredictedSample { logits, findings: findings.clone() }) },
            EngineEvent::SampleDone { job: JobId(7), index, result: Err(reason) },
            EngineEvent::Alive { progress: 3 },
        ];
        let mut bytes = Vec::new();
        for event in &events {
            write_frame(&mut bytes, event).expect("memory");
        }
        let mut reader = bytes.as_slice();
        for event in events {
            prop_assert_eq!(read_frame::<EngineEvent>(&mut reader).expect("a frame"), Some(event));
        }
        prop_assert_eq!(read_frame::<EngineEvent>(&mut reader).expect("the end"), None);
    }

    #[test]
    fn any_bytes_are_an_error_or_nothing(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        prop_assert!(read_frame::<EngineEvent>(&mut bytes.as_slice()).is_err());
    }
}

#[test]
fn a_frame_cut_short_is_an_error() {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &EngineEvent::Alive { progress: 0 }).expect("memory");
    for length in 1..bytes.len() {
        assert!(read_frame::<EngineEvent>(&mut &bytes[..length]).is_err(), "{length}");
    }
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_text_survive() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/data/\xff.png"));
    let json = serde_json::to_string(&WirePath::from(path)).expect("bytes");
    let back: WirePath = serde_json::from_str(&json).expect("bytes");
    assert_eq!(PathBuf::from(back), path);
}
