//! Framing: a length (4 bytes, little-endian), then that many bytes of JSON.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest frame. Commands with a hundred thousand paths need some 10 MB; a longer length is not from an engine.
const MAX_FRAME: u32 = 256 << 20;

/// Encodes a message as one frame.
pub fn encode_frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let bytes = frame.len() - 4;
    let length = u32::try_from(bytes).ok().filter(|length| *length <= MAX_FRAME).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{bytes} bytes are more than {MAX_FRAME}"))
    })?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Writes one frame and flushes it.
pub fn write_frame(writer: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    writer.write_all(&encode_frame(message)?)?;
    writer.flush()
}

/// Reads one frame; `None` at the end of the stream, if that falls between frames.
pub fn read_frame<M: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<M>> {
    let mut length = [0; 4];
    let read = loop {
        match reader.read(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if read == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut length[read..])?;
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a frame of the engine protocol"));
    }
    // Grows as bytes arrive, so that a false length cannot claim memory.
    let mut json = Vec::new();
    reader.take(u64::from(length)).read_to_end(&mut json)?;
    if json.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&json)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::JobId;
    use crate::event::{EngineEvent, PredictedSample};
    use mammoscope_domain::image::image_findings::ImageFindings;

    proptest! {
        #[test]
        fn frames_are_read_back(
            index in any::<u32>(),
            logits in prop::array::uniform4(-1e6_f32..1e6),
            reason in any::<String>(),
        ) {
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
            let sample = PredictedSample { logits, findings };
            let events = [
                EngineEvent::SampleDone { job: JobId(7), index, result: Ok(sample) },
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
        fn arbitrary_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
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
}
