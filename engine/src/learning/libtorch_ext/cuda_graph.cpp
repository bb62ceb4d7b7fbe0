// Recording what a GPU does and doing it again at once, with at::cuda::CUDAGraph. Its symbols are looked up at run time:
// the program links the CPU libraries only, and the class needs CUDA's headers. Every function returns a message on
// failure (guarded.h).

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

#include "guarded.h"

namespace {

// The members of at::cuda::CUDAGraph in libtorch 2.11. Their names contain their signatures, so that a release that
// changes one does not have it.
constexpr const char *CONSTRUCT = "_ZN2at4cuda9CUDAGraphC1Eb";
constexpr const char *DESTROY = "_ZN2at4cuda9CUDAGraphD1Ev";
constexpr const char *BEGIN = "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode";
constexpr const char *END = "_ZN2at4cuda9CUDAGraph11capture_endEv";
constexpr const char *REPLAY = "_ZN2at4cuda9CUDAGraph6replayEv";
constexpr const char *RESET = "_ZN2at4cuda9CUDAGraph5resetEv";
constexpr const char *POOL = "_ZN2at4cuda9CUDAGraph4poolEv";

// cudaStreamCaptureModeThreadLocal: other threads, such as those of CUDA's libraries, may do what they want.
constexpr int THREAD_LOCAL = 1;

void *address(const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  if (found == nullptr) throw std::runtime_error(std::string(name) + " is not in this libtorch");
  return found;
}

template <typename Function> Function *symbol(const char *name) { return reinterpret_cast<Function *>(address(name)); }

// An at::cuda::CUDAGraph, which takes 104 bytes in libtorch 2.11, and is built in place by its constructor.
struct Graph {
  alignas(std::max_align_t) std::byte object[1024];

  Graph() {
    for (const char *name : {DESTROY, BEGIN, END, REPLAY, RESET, POOL}) address(name);
    symbol<void(void *, bool)>(CONSTRUCT)(object, false);
  }
  ~Graph() { symbol<void(void *)>(DESTROY)(object); }
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;
};

}  // namespace

extern "C" {

// Fails with the name of the first symbol that is missing.
char *mammoscope_check_graphs() {
  return guarded([] {
    for (const char *name : {CONSTRUCT, DESTROY, BEGIN, END, REPLAY, RESET, POOL}) address(name);
  });
}

// Begins to record on the current stream of the current device. Memory comes from the pool of `shared`, unless it is null.
char *mammoscope_begin_graph(Graph *shared, Graph **graph) {
  return guarded([&] {
    auto created = std::make_unique<Graph>();
    c10::MempoolId_t pool{0, 0};
    if (shared != nullptr) pool = symbol<c10::MempoolId_t(void *)>(POOL)(shared->object);
    if (at::globalContext().hasCUDA()) {
      at::accelerator::synchronizeDevice(at::accelerator::getDeviceIndex());
      // Memory that is kept for later tensors is of no use to a recording.
      at::accelerator::emptyCache();
    }
    symbol<void(void *, c10::MempoolId_t, int)>(BEGIN)(created->object, pool, THREAD_LOCAL);
    *graph = created.release();
  });
}

char *mammoscope_end_graph(Graph *graph) {
  return guarded([&] { symbol<void(void *)>(END)(graph->object); });
}

char *mammoscope_replay_graph(Graph *graph) {
  return guarded([&] { symbol<void(void *)>(REPLAY)(graph->object); });
}

// Frees the recording and its memory. The destructor would only print an error.
char *mammoscope_free_graph(Graph *graph) {
  const std::unique_ptr<Graph> freed(graph);
  return guarded([&] { symbol<void(void *)>(RESET)(freed->object); });
}

// Makes a device the current one of this thread, with a stream of its own: nothing can be recorded on the usual one.
char *mammoscope_own_stream(int device) {
  return guarded([&] {
    const c10::Device gpu(c10::kCUDA, static_cast<c10::DeviceIndex>(device));
    at::accelerator::setDeviceIndex(gpu.index());
    at::accelerator::synchronizeDevice(gpu.index());
    at::accelerator::setCurrentStream(c10::impl::VirtualGuardImpl(c10::kCUDA).getStreamFromGlobalPool(gpu, true));
  });
}
}
