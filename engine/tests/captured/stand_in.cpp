// A stand-in for the part of libtorch_cuda that records CUDA graphs, with the same symbols: it notes the calls and fails on
// request, and a replay does nothing. -DWITHOUT=<n> leaves the n-th symbol out. No templates of the standard library: other
// libraries would use them, and this one could not be unloaded.

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

enum cudaStreamCaptureMode : unsigned { global = 0, thread_local_mode = 1, relaxed = 2 };

namespace {

char calls[4096], answer[4096], failing[64];
int graphs = 0;

// Notes a call without failing.
void list(const char *call) {
  if (calls[0] != 0) strcat(calls, " ");
  strcat(calls, call);
}

void note(const char *call) {
  list(call);
  if (strcmp(call, failing) != 0) return;
  char message[128];
  snprintf(message, sizeof message, "the stand-in fails at %s\n#0 a frame", call);
  throw std::runtime_error(message);
}

void note(const char *call, int number) {
  char text[64];
  snprintf(text, sizeof text, "%s%d", call, number);
  note(text);
}

void list(const char *call, int number) {
  char text[64];
  snprintf(text, sizeof text, "%s%d", call, number);
  list(text);
}

}  // namespace

namespace at::cuda {

// As large as the original in libtorch 2.11.
struct CUDAGraph {
  explicit CUDAGraph(bool keep);
  ~CUDAGraph();
  void capture_begin(std::pair<unsigned long long, unsigned long long> pool, cudaStreamCaptureMode mode);
  void capture_end();
  void replay();
  void reset();
  std::pair<unsigned long long, unsigned long long> pool();

  int number;
  unsigned long long memory;
  char rest[88];
};

static_assert(sizeof(CUDAGraph) == 104);

#if WITHOUT != 1
CUDAGraph::CUDAGraph(bool keep) : number(++graphs), memory(0) { note(keep ? "keep" : "new", number); }
#endif
#if WITHOUT != 2
CUDAGraph::~CUDAGraph() { list("free", number); }
#endif
#if WITHOUT != 3
void CUDAGraph::capture_begin(std::pair<unsigned long long, unsigned long long> pool, cudaStreamCaptureMode mode) {
  memory = pool.first == 0 ? 100 + number : pool.first;
  char text[64];
  snprintf(text, sizeof text, "begin%d%s@%llu", number, mode == thread_local_mode ? "" : "!", memory);
  note(text);
}
#endif
#if WITHOUT != 4
void CUDAGraph::capture_end() { note("end", number); }
#endif
#if WITHOUT != 5
void CUDAGraph::replay() { note("replay", number); }
#endif
#if WITHOUT != 6
void CUDAGraph::reset() { list("reset", number); }
#endif
#if WITHOUT != 7
std::pair<unsigned long long, unsigned long long> CUDAGraph::pool() {
  std::pair<unsigned long long, unsigned long long> pool;
  pool.first = memory;
  pool.second = 0;
  return pool;
}
#endif

}  // namespace at::cuda

extern "C" {

// The calls so far, which are forgotten; from now on `call` fails.
const char *stand_in_calls(const char *call) {
  strcpy(answer, calls);
  calls[0] = 0;
  graphs = 0;
  strcpy(failing, call);
  return answer;
}
}
