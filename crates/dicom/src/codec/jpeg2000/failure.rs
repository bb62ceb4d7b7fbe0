//! The errors of this codestream.

use crate::codec::codec_error::{CodecError, Codestream};

pub(super) fn damaged(reason: impl Into<String>) -> CodecError {
    CodecError::Damaged { codestream: Codestream::Jpeg2000, reason: reason.into() }
}

pub(super) fn unsupported(reason: impl Into<String>) -> CodecError {
    CodecError::Unsupported { codestream: Codestream::Jpeg2000, reason: reason.into() }
}

pub(super) const ENDS_EARLY: CodecError = CodecError::EndsEarly(Codestream::Jpeg2000);
