// GPU memory statistics and the selection of cuDNN algorithms. Only interfaces of libtorch's CPU library are used;
// without the CUDA library they throw.

#include "guarded.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <cstdint>

extern "C" {

// benchmark: cuDNN times its algorithms for each new shape and keeps the fastest. deterministic: it uses only bitwise
// reproducible algorithms.
char *mammoscope_cudnn_choice(int benchmark, int deterministic) {
  return guarded([&] {
    at::globalContext().setBenchmarkCuDNN(benchmark != 0);
    at::globalContext().setDeterministicCuDNN(deterministic != 0);
  });
}

// Bytes of a GPU: allocated, its peak, reserved, its peak, free, total. The allocator must be in use already.
char *mammoscope_gpu_memory(int device, uint64_t *bytes) {
  return guarded([&] {
    const auto statistics = at::accelerator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
    // The first entry of each is the sum over the pools of small and large blocks.
    bytes[0] = statistics.allocated_bytes[0].current;
    bytes[1] = statistics.allocated_bytes[0].peak;
    bytes[2] = statistics.reserved_bytes[0].current;
    bytes[3] = statistics.reserved_bytes[0].peak;
    const auto [free, total] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(device));
    bytes[4] = free;
    bytes[5] = total;
  });
}

// Returns the memory that the allocator keeps for later tensors to the driver.
char *mammoscope_empty_gpu_cache() {
  return guarded([&] { at::accelerator::emptyCache(); });
}

// Resets the peaks to the current values.
char *mammoscope_reset_gpu_peak(int device) {
  return guarded([&] { at::accelerator::resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}
}
