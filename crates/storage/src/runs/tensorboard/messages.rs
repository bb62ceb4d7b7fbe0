//! The protocol buffers of TensorBoard's event files that scalars need.
//!
//! Field numbers are those of `tensorflow/core/util/event.proto` and `tensorflow/core/framework/summary.proto`.

/// The first event's `file_version`; from version 2 on, a [`SessionLog`] makes readers drop void events.
pub(super) const FILE_VERSION: &str = "brain.Event:2";

/// One record of an event file.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    /// The number of weight updates.
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(oneof = "Content", tags = "3, 5, 7")]
    pub(super) content: Option<Content>,
}

/// The content of an event.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Content {
    /// [`FILE_VERSION`], in a file's first event.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Scalars.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// A training started, or continues.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// The values of one step.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<Value>,
}

/// A named value.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    /// The name, such as `loss/train`.
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(oneof = "Scalar", tags = "2")]
    pub(super) value: Option<Scalar>,
}

/// A scalar. It is a oneof of its own so that zeros are written too.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Scalar {
    /// The value in f32, the only precision of the format for plain scalars.
    #[prost(float, tag = "2")]
    SimpleValue(f32),
}

/// The state of a training session.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SessionLog {
    #[prost(enumeration = "SessionStatus", tag = "1")]
    pub(super) status: i32,
}

/// The event in a training session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum SessionStatus {
    Unspecified = 0,
    /// The session started: everything recorded for this step and later ones is void.
    Start = 1,
}
