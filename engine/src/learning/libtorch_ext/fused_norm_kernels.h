// The loops of fused_norm.cpp over rows of a feature map, each compiled for several processors.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace {

// Compiled for several processors, of which the best is chosen at the start. GCC 11 has no names for their levels.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#if __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#endif
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE inline __attribute__((always_inline))

// Channels that are computed together: they stay in registers.
constexpr int64_t TILE = 32;
// Rows whose sums are f32.
constexpr int64_t ROWS = 16;
// Values of a part that is read twice: they fit into the first cache.
constexpr int64_t PART = 8192;
// Values for which another block of rows is worth while, and the most blocks.
constexpr int64_t BLOCK = 16384, BLOCKS = 64;

// The bits of a bf16.
using Half = uint16_t;

INLINE float load(const float *place) { return *place; }
INLINE float load(const Half *place) {
  const uint32_t bits = static_cast<uint32_t>(*place) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
INLINE void store(float *place, float value) { *place = value; }
INLINE void store(Half *place, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  *place = static_cast<Half>(value != value ? 0x7fc0 : rounded);
}

// What a gradient is multiplied by first.
enum Mask {
  // Nothing: there is no activation.
  NONE,
  // The slope of the activation at the normalised value, which is computed again.
  COMPUTED,
  // The slope of the activation that has the result given; the product replaces the gradient.
  OF_RESULT,
};

// Channel by channel: a normalised value is `scale` · x + `shift`.
struct Channels {
  int64_t count;
  const float *scale, *shift, *mean;
  float slope;
};

// Calls `body` with the first channel and the number of each tile, which is a constant for all but the last one.
template <typename Body> INLINE void tiles(int64_t channels, const Body &body) {
  int64_t first = 0;
  for (; first + TILE <= channels; first += TILE) body(first, std::integral_constant<int64_t, TILE>());
  if (first < channels) body(first, channels - first);
}

// Adds the sums of x - offset and, if wanted, of its square over rows.
template <bool SQUARES, typename T>
INLINE void add_sums(const T *__restrict x, int64_t rows, int64_t channels, const float *__restrict offset,
                     double *__restrict sum, double *__restrict squares) {
  for (int64_t begin = 0; begin < rows; begin += ROWS) {
    const int64_t end = std::min(rows, begin + ROWS);
    tiles(channels, [&](int64_t first, auto count) {
      float part[TILE] = {}, square[TILE] = {};
      for (int64_t row = begin; row < end; ++row) {
        const T *__restrict values = x + row * channels + first;
        for (int64_t k = 0; k < count; ++k) {
          const float value = load(values + k) - offset[first + k];
          part[k] += value;
          if (SQUARES) square[k] += value * value;
        }
      }
      for (int64_t k = 0; k < count; ++k) {
        sum[first + k] += part[k];
        if (SQUARES) squares[first + k] += square[k];
      }
    });
  }
}

// The mean over rows and the sum of the squared distances from it.
template <typename T>
INLINE void block_statistics(const T *x, int64_t rows, int64_t channels, double *mean, double *squares) {
  std::vector<double> sum(channels), part(channels);
  std::vector<float> offset(channels);
  const int64_t step = std::max<int64_t>(ROWS, PART / channels / ROWS * ROWS);
  for (int64_t done = 0; done < rows; done += step) {
    const T *values = x + done * channels;
    const int64_t count = std::min(step, rows - done);
    // About the first row, then about the mean.
    for (int64_t c = 0; c < channels; ++c) offset[c] = load(values + c);
    std::fill(sum.begin(), sum.end(), 0.0);
    add_sums<false>(values, count, channels, offset.data(), sum.data(), part.data());
    for (int64_t c = 0; c < channels; ++c) offset[c] += static_cast<float>(sum[c] / count);
    std::fill(sum.begin(), sum.end(), 0.0);
    std::fill(part.begin(), part.end(), 0.0);
    add_sums<true>(values, count, channels, offset.data(), sum.data(), part.data());
    const double all = done + count, share = count / all;
    for (int64_t c = 0; c < channels; ++c) {
      const double from_offset = sum[c] / count, part_mean = offset[c] + from_offset;
      const double distance = part_mean - mean[c];
      mean[c] += distance * share;
      squares[c] += part[c] - sum[c] * from_offset + distance * distance * done * share;
    }
  }
}

// y = activation(scale · x + shift + added).
template <typename T, bool ADDS>
INLINE void block_outputs(const T *__restrict x, const T *__restrict added, T *__restrict y, int64_t rows,
                          const Channels &channels) {
  const float *__restrict scale = channels.scale, *__restrict shift = channels.shift;
  const float slope = channels.slope;
  const int64_t count = channels.count;
  for (int64_t row = 0; row < rows; ++row, x += count, y += count) {
    for (int64_t k = 0; k < count; ++k) {
      float value = load(x + k) * scale[k] + shift[k];
      if (ADDS) value += load(added + row * count + k);
      store(y + k, value * (value > 0 ? 1.0f : slope));
    }
  }
}

// What a gradient is multiplied by, given the sign of the output.
INLINE float factor_at(float sign, float slope) { return sign > 0 ? 1.0f : slope; }

// Adds the sums of the gradient and of its product with x - mean.
template <typename T, Mask MASK>
INLINE void block_sums(T *__restrict gradient, const T *__restrict x, const T *__restrict y, int64_t rows,
                       const Channels &channels, double *__restrict sum, double *__restrict product) {
  const float slope = channels.slope;
  for (int64_t begin = 0; begin < rows; begin += ROWS) {
    const int64_t end = std::min(rows, begin + ROWS);
    tiles(channels.count, [&](int64_t first, auto count) {
      const float *__restrict scale = channels.scale + first, *__restrict shift = channels.shift + first,
                  *__restrict mean = channels.mean + first;
      float part[TILE] = {}, products[TILE] = {};
      for (int64_t row = begin; row < end; ++row) {
        const int64_t place = row * channels.count + first;
        T *__restrict values = gradient + place;
        const T *__restrict inputs = x + place;
        for (int64_t k = 0; k < count; ++k) {
          const float input = load(inputs + k);
          float value = load(values + k);
          if (MASK == COMPUTED) value *= factor_at(input * scale[k] + shift[k], slope);
          if (MASK == OF_RESULT) {
            value *= factor_at(load(y + place + k), slope);
            store(values + k, value);
          }
          part[k] += value;
          products[k] += value * (input - mean[k]);
        }
      }
      for (int64_t k = 0; k < count; ++k) {
        sum[first + k] += part[k];
        product[first + k] += products[k];
      }
    });
  }
}

// The gradient of x: `scale` · (gradient - `constant` - `factor` · (x - mean)).
template <typename T, Mask MASK>
INLINE void block_gradients(const T *__restrict gradient, const T *__restrict x, T *__restrict of_x, int64_t rows,
                            const Channels &channels, const float *__restrict constant, const float *__restrict factor) {
  const float *__restrict scale = channels.scale, *__restrict shift = channels.shift, *__restrict mean = channels.mean;
  const float slope = channels.slope;
  const int64_t count = channels.count;
  for (int64_t row = 0; row < rows; ++row, x += count, gradient += count, of_x += count) {
    for (int64_t k = 0; k < count; ++k) {
      const float input = load(x + k);
      float value = load(gradient + k);
      if (MASK == COMPUTED) value *= factor_at(input * scale[k] + shift[k], slope);
      store(of_x + k, scale[k] * (value - constant[k] - factor[k] * (input - mean[k])));
    }
  }
}

// A function for each kind: templates cannot be compiled for several processors.
#define FUNCTIONS(T, NAME)                                                                                             \
  FOR_EACH_PROCESSOR void statistics_##NAME(const T *x, int64_t rows, int64_t channels, double *mean,                  \
                                            double *squares) {                                                         \
    block_statistics(x, rows, channels, mean, squares);                                                                \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void outputs_##NAME(const T *x, const T *added, T *y, int64_t rows, const Channels &channels) {   \
    if (added == nullptr) block_outputs<T, false>(x, added, y, rows, channels);                                        \
    else block_outputs<T, true>(x, added, y, rows, channels);                                                          \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void sums_##NAME(Mask mask, T *gradient, const T *x, const T *y, int64_t rows,                    \
                                      const Channels &channels, double *sum, double *product) {                        \
    if (mask == NONE) block_sums<T, NONE>(gradient, x, y, rows, channels, sum, product);                               \
    else if (mask == COMPUTED) block_sums<T, COMPUTED>(gradient, x, y, rows, channels, sum, product);                  \
    else block_sums<T, OF_RESULT>(gradient, x, y, rows, channels, sum, product);                                       \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void gradients_##NAME(Mask mask, const T *gradient, const T *x, T *of_x, int64_t rows,            \
                                           const Channels &channels, const float *constant, const float *factor) {     \
    if (mask == COMPUTED) block_gradients<T, COMPUTED>(gradient, x, of_x, rows, channels, constant, factor);           \
    else block_gradients<T, NONE>(gradient, x, of_x, rows, channels, constant, factor);                                \
  }
FUNCTIONS(float, f32)
FUNCTIONS(Half, bf16)

// One name for both kinds.
template <typename T> struct Kernels;
template <> struct Kernels<float> {
  static constexpr auto statistics = statistics_f32;
  static constexpr auto outputs = outputs_f32;
  static constexpr auto sums = sums_f32;
  static constexpr auto gradients = gradients_f32;
};
template <> struct Kernels<Half> {
  static constexpr auto statistics = statistics_bf16;
  static constexpr auto outputs = outputs_bf16;
  static constexpr auto sums = sums_bf16;
  static constexpr auto gradients = gradients_bf16;
};

}  // namespace
