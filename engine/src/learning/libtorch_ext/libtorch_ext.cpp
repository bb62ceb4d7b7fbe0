// What tch 0.24 lacks. Every function catches C++ exceptions and returns them as a message that the caller frees;
// nullptr means that all went well. Tensors are the `at::Tensor *` that tch holds.

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/leaky_relu.h>
#include <cstdint>
#include <cstring>
#include <string>
#include <torch/headeronly/version.h>

namespace {
template <typename Body> char *guarded(Body body) {
  try {
    body();
    return nullptr;
  } catch (const std::exception &error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("an exception of unknown type");
  }
}
} // namespace

extern "C" {

// leaky_relu with a slope of the caller's choice, into a new tensor.
char *mammoscope_leaky_relu(at::Tensor *input, double slope, at::Tensor **output) {
  return guarded([&] { *output = new at::Tensor(at::leaky_relu(*input, slope)); });
}

// The same in place.
char *mammoscope_leaky_relu_in_place(at::Tensor *tensor, double slope) {
  return guarded([&] { at::leaky_relu_(*tensor, slope); });
}

// The same values, laid out N×H×W×C in memory; a tensor that is so already is shared, not copied.
char *mammoscope_channels_last(at::Tensor *input, at::Tensor **output) {
  return guarded([&] { *output = new at::Tensor(input->contiguous(at::MemoryFormat::ChannelsLast)); });
}

char *mammoscope_is_channels_last(at::Tensor *tensor, int *output) {
  return guarded([&] { *output = tensor->is_contiguous(at::MemoryFormat::ChannelsLast); });
}

// Whether f32 convolutions and matrix products on the GPU may round their inputs to TF32.
char *mammoscope_allow_tf32(int allowed) {
  return guarded([&] {
    at::globalContext().setAllowTF32CuDNN(allowed != 0);
    at::globalContext().setAllowTF32CuBLAS(allowed != 0);
  });
}

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

// The version of the libtorch that this file was compiled for, such as 2.11.0.
const char *mammoscope_libtorch_version() { return TORCH_VERSION; }

// The message of a failed call, freed.
void mammoscope_free_message(char *message) { free(message); }
}
