//! CUDA graphs: what a GPU does is recorded once and then started by one call instead of hundreds.

use std::ffi::{c_char, c_int};
use std::ptr::{NonNull, null_mut};

use tch::{Device, TchError};

use super::checked;

/// libtorch's `at::cuda::CUDAGraph`.
#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn mammoscope_check_graphs() -> *mut c_char;
    fn mammoscope_begin_graph(shared: *mut Opaque, graph: *mut *mut Opaque) -> *mut c_char;
    fn mammoscope_end_graph(graph: *mut Opaque) -> *mut c_char;
    fn mammoscope_replay_graph(graph: *mut Opaque) -> *mut c_char;
    fn mammoscope_free_graph(graph: *mut Opaque) -> *mut c_char;
    fn mammoscope_own_stream(device: c_int) -> *mut c_char;
}

/// Fails with the name of the first symbol that the loaded libtorch lacks. Needs its CUDA libraries, but no GPU.
pub fn check_graphs() -> Result<(), TchError> {
    // SAFETY: the callee only looks up names.
    checked(unsafe { mammoscope_check_graphs() })
}

/// Lets this thread work on a stream of its own if the device is a GPU: nothing can be recorded on the usual stream. Call
/// it before the first tensor of a job, since streams do not wait for each other.
pub fn use_own_stream(device: Device) -> Result<(), TchError> {
    match device {
        // SAFETY: the callee takes a number only. libtorch stores device numbers in eight bits.
        Device::Cuda(number) => {
            checked(unsafe { mammoscope_own_stream(c_int::from(i8::try_from(number).unwrap_or(i8::MAX))) })
        }
        _ => Ok(()),
    }
}

/// A recording of operations on the current stream, with the memory of their results.
#[derive(Debug)]
pub struct CudaGraph(NonNull<Opaque>);

impl CudaGraph {
    /// Records what `operations` do; they are not carried out. `shared` is a recording whose memory may be used again,
    /// since the two are only ever replayed one after the other.
    pub fn record(shared: Option<&Self>, operations: impl FnOnce() -> Result<(), TchError>) -> Result<Self, TchError> {
        let mut graph = null_mut();
        let shared = shared.map_or_else(null_mut, |shared| shared.0.as_ptr());
        // SAFETY: `shared` is null or alive, and the pointer is written on success only.
        checked(unsafe { mammoscope_begin_graph(shared, &raw mut graph) })?;
        let graph = Self(NonNull::new(graph).expect("a graph was stored"));
        let outcome = operations();
        // A recording that has begun must end, whatever happened within.
        // SAFETY: the graph is alive and is recording.
        let ended = checked(unsafe { mammoscope_end_graph(graph.0.as_ptr()) });
        outcome.and(ended).map(|()| graph)
    }

    /// Starts all recorded operations on the current stream.
    pub fn replay(&mut self) -> Result<(), TchError> {
        // SAFETY: the graph is alive and its recording has ended.
        checked(unsafe { mammoscope_replay_graph(self.0.as_ptr()) })
    }
}

impl Drop for CudaGraph {
    fn drop(&mut self) {
        // SAFETY: it was allocated by `mammoscope_begin_graph` and is not used again.
        if let Err(error) = checked(unsafe { mammoscope_free_graph(self.0.as_ptr()) }) {
            tracing::warn!("a CUDA graph could not be freed: {error}");
        }
    }
}
