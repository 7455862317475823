// One row times packed weights: every weight is read once, and nothing else is done.
//
// The weights are float32, bfloat16 or int8 with a scale for each row of the matrix. They lie as they are read: panels of 16
// sums side by side, k after k. Each sum is one float32 chain over k. What int8 weights multiply is rounded to 16 bits first
// (bytes.h), and their sums are float32 from one chunk to the next.
#pragma once

#include "bytes.h"
#include "forward.h"

namespace recurra::RECURRA_TARGET {

// Panels whose sums are made at once: eight chains side by side hide the time that each sum takes, and sums of whole numbers
// leave no other room in 16 registers.
template <class W>
constexpr int CHAINS = sizeof(W) == 1 && RECURRA_VEC_BYTES < 64 ? 4 : 8;

// What a product reads: the row itself, or what is made of it.
template <class W>
struct Read {
    const float *row;
    static std::size_t bytes(i64) { return 0; }
    Read(i64, const float *x, void *) : row(x) {}
};
template <>
struct Read<std::int8_t> {
    Quantised row;
    static std::size_t bytes(i64 count) { return Quantised{}.place(count, nullptr); }
    Read(i64 count, const float *x, void *scratch) {
        row.place(count, scratch);
        if (x != nullptr) row.make(count, x);
    }
};

// Bytes of weights that no third cache is sure to hold. From memory they come in time where they are asked for long before they
// are needed, into the second cache, for the first would lose them again. Out of a cache the processor fetches them better itself.
constexpr std::size_t FAR = std::size_t(12) << 20;
constexpr int AHEAD = 12288, LINES = 128;  // bytes; lines come in pairs

template <int BYTES>
RECURRA_INLINE void fetch(const void *w) {
    for (int line = 0; line < BYTES; line += LINES) __builtin_prefetch(static_cast<const char *>(w) + AHEAD + line, 0, 2);
}

// acc[p] += x[k] · w[k][p], k after k.
template <int PANELS, class W>
RECURRA_INLINE void row_product(i64 count, const Read<W> &x, const W *w, bool far, const float *, vec *acc) {
    vec sum[PANELS];
    for (int p = 0; p < PANELS; ++p) sum[p] = acc[p];
    for (i64 k = 0; k < count; ++k, w += PANELS * WIDTH) {
        if (far) fetch<PANELS * WIDTH * int(sizeof(W))>(w);
        const vec single = splat(x.row[k]);
        for (int p = 0; p < PANELS; ++p) sum[p] = fma(single, load(w + p * WIDTH), sum[p]);
    }
    for (int p = 0; p < PANELS; ++p) acc[p] = sum[p];
}

// The same of bytes, times the scales of the row and of the weights (PANELS, 16), chunk after chunk.
template <int PANELS>
RECURRA_INLINE void row_product(i64 count, const Read<std::int8_t> &x, const std::int8_t *w, bool far, const float *scale, vec *acc) {
    for (i64 from = 0; from < count; from += CHUNK) {
        const i64 to = from + CHUNK < count ? from + CHUNK : count;
        WholeSums sum[PANELS];
        for (int p = 0; p < PANELS; ++p) sum[p].begin(x.row, from / CHUNK);
        for (i64 k = from; k < to; k += DEPTH, w += PANELS * WIDTH * DEPTH) {
            if (far) fetch<PANELS * WIDTH * DEPTH>(w);
            const Numbers numbers(x.row, k);
            for (int p = 0; p < PANELS; ++p) sum[p].add(w + p * WIDTH * DEPTH, numbers);
        }
        for (int p = 0; p < PANELS; ++p) acc[p] = fma(sum[p].value(), load(scale + p * WIDTH) * splat(x.row.scale), acc[p]);
    }
}

// Threads pay where each reads what its own cache would not hold with the others'.
RECURRA_INLINE int stream_threads(std::size_t bytes, int threads) {
    const i64 most = i64(bytes >> 19);
    return most < 2 ? 1 : most < threads ? int(most) : threads;
}

}  // namespace recurra::RECURRA_TARGET
