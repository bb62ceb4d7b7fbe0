// Random generators of their own, so that nothing else draws from them. Every function returns a message on failure
// (guarded.h). Tensors are the `at::Tensor *` that tch holds.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <mutex>

#include "guarded.h"

extern "C" {

// A new generator for the device of a tensor.
char *mammoscope_new_generator(at::Tensor *on_device, at::Generator **generator) {
  return guarded([&] {
    const c10::Device device = on_device->device();
    *generator = new at::Generator(
        device.is_cpu() ? at::detail::createCPUGenerator()
                        : at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index()));
  });
}

char *mammoscope_seed_generator(at::Generator *generator, uint64_t seed) {
  return guarded([&] {
    const std::lock_guard<std::mutex> lock(generator->mutex());
    generator->set_current_seed(seed);
  });
}

void mammoscope_free_generator(at::Generator *generator) { delete generator; }

// Sets each value to 1 / (1 - share), or to 0 with the probability `share`.
char *mammoscope_draw_dropout(at::Tensor *factors, double share, at::Generator *generator) {
  return guarded([&] { factors->bernoulli_(1.0 - share, *generator).div_(1.0 - share); });
}
}
