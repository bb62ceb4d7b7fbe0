// What the GPU's allocator holds, and how cuDNN chooses its algorithms. Only interfaces that libtorch's CPU part has
// are used: without its CUDA part they throw.

#include "guarded.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <cstdint>

extern "C" {

// Whether cuDNN tries its algorithms out at each new shape and keeps the fastest, and whether it uses only those that
// give the same bits every time.
char *mammoscope_cudnn_choice(int benchmark, int deterministic) {
  return guarded([&] {
    at::globalContext().setBenchmarkCuDNN(benchmark != 0);
    at::globalContext().setDeterministicCuDNN(deterministic != 0);
  });
}

// Bytes of a GPU: allocated, their peak, reserved, their peak, free, all. The allocator has to be in use by then.
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

// The peaks begin anew at what is allocated now.
char *mammoscope_reset_gpu_peak(int device) {
  return guarded([&] { at::accelerator::resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}
}
