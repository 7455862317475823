// A linear layer, y = W x + b, of one row or of many, whose results are the same; and a normalisation of rows.
#pragma once

#include "row.h"

namespace recurra::RECURRA_TARGET {

template <class W>
struct LinearWeights {
    i64 count;  // panels
    W *all;     // group after group: (K, panels of the group, 16)
    float *scale, *bias;  // (panels, 16)
    bool far;

    std::size_t place(i64 N, i64 K, void *memory) {
        Bump bump{static_cast<char *>(memory)};
        count = panels(N);
        far = std::size_t(count * WIDTH * whole_depth<W>(K)) * sizeof(W) > FAR;
        all = bump.take<W>(count * WIDTH * whole_depth<W>(K));
        scale = bump.take<float>(count * WIDTH);
        bias = bump.take<float>(count * WIDTH);
        return bump.used;
    }
    void pack(i64 N, i64 K, const float *weight, const float *given_bias) {
        for (i64 n = 0; n < count * WIDTH; ++n) {
            const i64 group = n / (CHAINS<W> * WIDTH) * CHAINS<W>;
            const i64 wide = (count - group < CHAINS<W> ? count - group : CHAINS<W>) * WIDTH;
            scale[n] = n < N ? row_scale<W>(weight + n * K, K) : 1.0f;
            bias[n] = n < N && given_bias != nullptr ? given_bias[n] : 0.0f;
            W *to = all + group * WIDTH * whole_depth<W>(K);
            for (i64 k = 0; k < whole_depth<W>(K); ++k)
                put_weight(to[weight_at<W>(k, n - group * WIDTH, wide)], n < N && k < K ? weight[n * K + k] : 0.0f, scale[n]);
        }
    }
};

template <class W, int PANELS = CHAINS<W>>
RECURRA_INLINE void linear_group(const LinearWeights<W> &w, i64 N, i64 K, i64 first, i64 count, const Read<W> &x, float *y) {
    if constexpr (PANELS > 1)
        if (count < PANELS) return linear_group<W, PANELS - 1>(w, N, K, first, count, x, y);
    vec sum[PANELS];
    for (vec &v : sum) v = splat(0.0f);
    row_product<PANELS>(K, x, w.all + first * WIDTH * whole_depth<W>(K), w.far, w.scale + first * WIDTH, sum);
    for (int p = 0; p < PANELS; ++p) {
        const i64 n = (first + p) * WIDTH;
        store_some(y + n, sum[p] + load(w.bias + n), N - n);
    }
}

template <class W>
void linear_row(i64 N, i64 K, void *memory, const float *x, float *y, int threads, void *scratch) {
    LinearWeights<W> w;
    w.place(N, K, memory);
    const Read<W> read_x(K, x, scratch);
    const i64 groups = (w.count + CHAINS<W> - 1) / CHAINS<W>;
    const int parts = stream_threads(std::size_t(w.count * WIDTH * K) * sizeof(W), threads);
    parallel_for(parts, [&](int part) {
        for (i64 group = groups * part / parts; group < groups * (part + 1) / parts; ++group) {
            const i64 first = group * CHAINS<W>, left = w.count - first;
            linear_group(w, N, K, first, left < CHAINS<W> ? left : CHAINS<W>, read_x, y);
        }
    });
}

inline std::size_t panels_bytes(i64 N, i64 K) { return std::size_t(panels(N) * panel_size<float>(K)) * sizeof(float); }
inline void panels_pack(i64 N, i64 K, const float *weight, float *packed) {
    for (i64 n = 0; n < N; n += WIDTH)
        pack_columns(packed + n / WIDTH * panel_size<float>(K), weight + n * K, N - n < WIDTH ? N - n : WIDTH, K, K);
}

// Many rows: the same chains, by the product of matrices. Some panels of weights are packed at a time, for as many rows as there
// are: where these are few, the packing is most of the work, and what is packed must not leave the cache.
inline bool linear_rows(i64 rows, i64 N, i64 K, const float *x, const float *weight, const float *packed, const float *bias, float *y,
                        int threads) {
    constexpr i64 some = 64, wide = 8;  // rows, and panels, of a tile of sums
    const i64 size = panel_size<float>(K), blocks = (rows + some - 1) / some, groups = (panels(N) + wide - 1) / wide;
    const int by_group = stream_threads(panels_bytes(N, K), threads);
    const int by_block = int(blocks < threads ? (blocks > 0 ? blocks : 1) : threads);
    const bool over_blocks = by_block >= by_group;
    const int parts = over_blocks ? by_block : by_group;
    const i64 weights = packed == nullptr ? wide * size : 0, sums = some * wide * WIDTH;  // floats, whole lines of the cache
    Block block;
    if (!block.take(std::size_t((weights + sums) * parts) * sizeof(float))) return false;
    parallel_for(parts, [&](int part) {
        float *own = reinterpret_cast<float *>(block.bytes()) + (weights + sums) * part, *c = own + weights;
        const i64 group_step = over_blocks ? 1 : parts, block_step = over_blocks ? parts : 1;
        for (i64 g = over_blocks ? 0 : part; g < groups; g += group_step) {
            const i64 first = g * wide * WIDTH, columns = N - first < wide * WIDTH ? N - first : wide * WIDTH;
            if (packed == nullptr) panels_pack(columns, K, weight + first * K, own);
            const float *b = packed == nullptr ? own : packed + g * wide * size;
            for (i64 n_block = over_blocks ? part : 0; n_block < blocks; n_block += block_step) {
                const i64 row = n_block * some, here = rows - row < some ? rows - row : some;
                product(here, panels(columns), K, x + row * K, K, b, size, c, wide * WIDTH, false);
                for (i64 r = 0; r < here; ++r)
                    for (i64 n = 0; n < columns; n += WIDTH) {
                        const vec sum = load(c + r * wide * WIDTH + n);
                        const vec start = bias == nullptr ? splat(0.0f) : load_some(bias + first + n, columns - n);
                        store_some(y + (row + r) * N + first + n, sum + start, columns - n);
                    }
            }
        }
    });
    return true;
}

// Each row to mean 0 and variance 1, times weight, plus bias; x and y may be the same.
inline void normalise_rows(i64 rows, i64 n, const float *x, const float *weight, const float *bias, float eps, float *y) {
    for (i64 r = 0; r < rows; ++r, x += n, y += n) {
        vec total = splat(0.0f);
        for (i64 j = 0; j < n; j += WIDTH) total = total + load_some(x + j, n - j);
        const vec mean = splat(sum(total) / float(n));
        vec squares = splat(0.0f);
        i64 j = 0;
        for (; j + WIDTH <= n; j += WIDTH) {
            const vec off = load(x + j) - mean;
            squares = fma(off, off, squares);
        }
        if (j < n) {
            float mask[WIDTH];  // beyond the end stands 0 - mean, which does not count
            for (int q = 0; q < WIDTH; ++q) mask[q] = j + q < n ? 1.0f : 0.0f;
            const vec off = (load_some(x + j, n - j) - mean) * load(mask);
            squares = fma(off, off, squares);
        }
        const vec by = splat(1.0f / __builtin_sqrtf(sum(squares) / float(n) + eps));
        for (j = 0; j < n; j += WIDTH) {
            const vec value = (load_some(x + j, n - j) - mean) * by;
            store_some(y + j, fma(value, load_some(weight + j, n - j), load_some(bias + j, n - j)), n - j);
        }
    }
}

}  // namespace recurra::RECURRA_TARGET
