//! The protocol buffers of TensorBoard's event files, as far as scalars need them.
//!
//! Field numbers are those of `tensorflow/core/util/event.proto` and `tensorflow/core/framework/summary.proto`.

/// The first event's `file_version`; from version 2 on a [`SessionLog`] makes readers drop what is void.
pub(super) const FILE_VERSION: &str = "brain.Event:2";

/// One record of an event file.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    /// Updates of the weights.
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    /// What happened.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub(super) what: Option<What>,
}

/// What an event says.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum What {
    /// [`FILE_VERSION`], in a file's first event.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// A training began, or goes on.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Values of one step.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<Value>,
}

/// A value and its name.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    /// Its name, such as `loss/train`.
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    /// The value.
    #[prost(oneof = "Scalar", tags = "2")]
    pub(super) value: Option<Scalar>,
}

/// A scalar is a oneof of its own, so that a value of zero is written, too.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Scalar {
    /// The value in single precision, which is all that the format has for plain scalars.
    #[prost(float, tag = "2")]
    SimpleValue(f32),
}

/// The state of a training.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SessionLog {
    /// What happened to it.
    #[prost(enumeration = "SessionStatus", tag = "1")]
    pub(super) status: i32,
}

/// What happened to a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum SessionStatus {
    /// Not said.
    Unspecified = 0,
    /// It began; what was recorded of this step and later ones is void.
    Start = 1,
}
