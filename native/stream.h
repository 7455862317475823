// One step of one row, as a stream takes it: every weight is read once, and nothing else is done.
//
// The weights lie as they are read: for a group of unit blocks, the input's panels and then the hidden state's, k after k.
// They are float32, bfloat16 or int8 with a scale for each row; the sums are float32, each one chain over the input and
// then over h, as in the loop over time: with float32 weights a stream's results are those of the whole sequence, bit for bit.
// What int8 weights multiply is rounded to 16 bits first (bytes.h), and their sums are float32 from one chunk to the next.
#pragma once

#include "bytes.h"
#include "forward.h"

namespace recurra::RECURRA_TARGET {

// Panels whose sums are made at once: eight chains side by side hide the time that each sum takes, and sums of whole numbers
// leave no other room in 16 registers. So many unit blocks are those of a cell.
template <class W>
constexpr int CHAINS = sizeof(W) == 1 && RECURRA_VEC_BYTES < 64 ? 4 : 8;
template <class Cell, class W>
constexpr int STREAM_GROUP = CHAINS<W> / Cell::gates;

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

template <class Cell, class W>
struct StreamWeights {
    i64 units;
    W *panels_of_all;  // group after group: (I, blocks · gates, 16), then (H, blocks · gates, 16)
    float *bias;       // (units, slots, 16)
    float *input_scale, *hidden_scale;  // of int8: (units, gates, 16), in the order of the panels
    float *peephole;   // (P, units, 16)
    bool far;

    std::size_t place(i64 I, i64 H, void *memory) {
        Bump bump{static_cast<char *>(memory)};
        units = panels(H);
        const i64 columns = units * Cell::gates * WIDTH, whole = whole_depth<W>(I) + whole_depth<W>(H);
        far = std::size_t(columns * whole) * sizeof(W) > FAR;
        panels_of_all = bump.take<W>(columns * whole);
        bias = bump.take<float>(units * Cell::slots * WIDTH);
        input_scale = bump.take<float>(sizeof(W) == 1 ? columns : 0);
        hidden_scale = bump.take<float>(sizeof(W) == 1 ? columns : 0);
        peephole = bump.take<float>(units * Cell::peepholes * WIDTH);
        return bump.used;
    }

    void pack(const Layer &l) {
        for (i64 first = 0; first < units; first += STREAM_GROUP<Cell, W>) {
            const i64 blocks = units - first < STREAM_GROUP<Cell, W> ? units - first : STREAM_GROUP<Cell, W>;
            W *to = group(l.I, l.H, first);
            const i64 place = first * Cell::gates * WIDTH;
            side(l, l.weight_ih, l.I, Cell::input_gate + Cell::slots - Cell::gates, first, blocks, to, input_scale + place);
            to += blocks * Cell::gates * WIDTH * whole_depth<W>(l.I);
            side(l, l.weight_hh, l.H, Cell::hidden_gate, first, blocks, to, hidden_scale + place);
        }
        for (i64 block = 0; block < units; ++block)
            for (int s = 0; s < Cell::slots; ++s)
                for (i64 j = 0; j < WIDTH; ++j) {
                    const i64 u = block * WIDTH + j, place = (block * Cell::slots + s) * WIDTH + j;
                    const int in = Cell::input_gate[s], hid = Cell::hidden_gate[s];
                    float sum = 0.0f;
                    if (u < l.H && hid >= 0 && l.bias_hh != nullptr) sum = l.bias_hh[hid * l.H + u];
                    if (u < l.H && in >= 0 && l.bias_ih != nullptr) sum = sum + l.bias_ih[in * l.H + u];
                    bias[place] = sum;
                }
        for (int p = 0; p < Cell::peepholes; ++p)
            for (i64 j = 0; j < units * WIDTH; ++j) peephole[p * units * WIDTH + j] = j < l.H ? l.peephole[p * l.H + j] : 0.0f;
    }

    // The panels of the group that begins with a block.
    W *group(i64 I, i64 H, i64 first) const {
        return panels_of_all + first * Cell::gates * WIDTH * (whole_depth<W>(I) + whole_depth<W>(H));
    }

    static void side(const Layer &l, const float *weight, i64 columns, const int *gate_of, i64 first, i64 blocks, W *to, float *scales) {
        const i64 wide = blocks * Cell::gates * WIDTH;
        for (i64 n = 0; n < wide; ++n) {
            const i64 u = (first + n / (Cell::gates * WIDTH)) * WIDTH + n % WIDTH;
            const int gate = gate_of[n / WIDTH % Cell::gates];
            const float *row = u < l.H ? weight + (gate * l.H + u) * columns : nullptr;
            const float scale = row != nullptr ? row_scale<W>(row, columns) : 1.0f;
            if (sizeof(W) == 1) scales[n] = scale;
            for (i64 k = 0; k < whole_depth<W>(columns); ++k)
                put_weight(to[weight_at<W>(k, n, wide)], row != nullptr && k < columns ? row[k] : 0.0f, scale);
        }
    }
};

template <class Cell, class W, int BLOCKS = STREAM_GROUP<Cell, W>>
RECURRA_INLINE void stream_group(const StreamWeights<Cell, W> &w, i64 I, i64 H, i64 first, i64 blocks, const Read<W> &x,
                                 const float *sums, const Read<W> &read_h, const float *h, float *h_after, float *c) {
    if constexpr (BLOCKS > 1)
        if (blocks < BLOCKS) return stream_group<Cell, W, BLOCKS - 1>(w, I, H, first, blocks, x, sums, read_h, h, h_after, c);
    constexpr int gates = Cell::gates, slots = Cell::slots, skip = slots - gates;
    vec from_x[BLOCKS * gates], from_h[BLOCKS * gates];
    const i64 place = first * gates * WIDTH;
    const W *panel = w.group(I, H, first);
    if (sums != nullptr) {
        for (int p = 0; p < BLOCKS * gates; ++p) from_x[p] = load(sums + place + p * WIDTH);
    } else {
        for (vec &v : from_x) v = splat(0.0f);
        row_product<BLOCKS * gates>(I, x, panel, w.far, w.input_scale + place, from_x);
    }
    // What both products share goes on as one chain; the candidate's part of a GRU, which they do not, begins anew.
    for (int b = 0; b < BLOCKS; ++b)
        for (int g = 0; g < gates; ++g) from_h[b * gates + g] = g >= skip ? from_x[b * gates + g - skip] : splat(0.0f);
    row_product<BLOCKS * gates>(H, read_h, panel + BLOCKS * gates * WIDTH * whole_depth<W>(I), w.far, w.hidden_scale + place, from_h);
    for (int b = 0; b < BLOCKS; ++b) {
        const i64 block = first + b, u = block * WIDTH, n = H - u;
        vec sum[slots], kept[Cell::saved], p[Cell::peepholes + 1];
        for (int s = 0; s < slots; ++s) {
            sum[s] = s < gates ? from_h[b * gates + s] : from_x[b * gates + s - skip];
            sum[s] = sum[s] + load(w.bias + (block * slots + s) * WIDTH);
        }
        for (int k = 0; k < Cell::peepholes; ++k) p[k] = load(w.peephole + (k * w.units + block) * WIDTH);
        vec memory = Cell::memory ? load_some(c + u, n) : splat(0.0f);
        const vec out = Cell::forward(sum, memory, load_some(h + u, n), p, kept);
        store_some(h_after + u, out, n);
        if (Cell::memory) store_some(c + u, memory, n);
    }
}

// Threads pay where each reads what its own cache would not hold with the others'.
RECURRA_INLINE int stream_threads(std::size_t bytes, int threads) {
    const i64 most = i64(bytes >> 19);
    return most < 2 ? 1 : most < threads ? int(most) : threads;
}

template <class Cell, class W>
void stream_cell(const StreamLayer &l, const float *x, const float *sums, const float *h, float *h_after, float *c, void *scratch) {
    StreamWeights<Cell, W> w;
    w.place(l.I, l.H, l.memory);
    const Read<W> read_h(l.H, h, scratch);
    const Read<W> read_x(l.I, sums == nullptr ? x : nullptr, static_cast<char *>(scratch) + Read<W>::bytes(l.H));
    const i64 groups = (w.units + STREAM_GROUP<Cell, W> - 1) / STREAM_GROUP<Cell, W>;
    const i64 read = sums == nullptr ? l.I + l.H : l.H;
    const int parts = stream_threads(std::size_t(w.units * Cell::gates * WIDTH * read) * sizeof(W), l.threads);
    parallel_for(parts, [&](int part) {
        for (i64 group = groups * part / parts; group < groups * (part + 1) / parts; ++group) {
            const i64 first = group * STREAM_GROUP<Cell, W>, left = w.units - first;
            stream_group(w, l.I, l.H, first, left < STREAM_GROUP<Cell, W> ? left : STREAM_GROUP<Cell, W>, read_x, sums, read_h, h, h_after, c);
        }
    });
}

// The sums of the input alone, to be kept and given to steps that read the same input: the chain stops here and goes on there.
template <class Cell, class W, int BLOCKS = STREAM_GROUP<Cell, W>>
RECURRA_INLINE void input_group(const StreamWeights<Cell, W> &w, i64 I, i64 H, i64 first, i64 blocks, const Read<W> &x, float *sums) {
    if constexpr (BLOCKS > 1)
        if (blocks < BLOCKS) return input_group<Cell, W, BLOCKS - 1>(w, I, H, first, blocks, x, sums);
    vec from_x[BLOCKS * Cell::gates];
    for (vec &v : from_x) v = splat(0.0f);
    const i64 place = first * Cell::gates * WIDTH;
    row_product<BLOCKS * Cell::gates>(I, x, w.group(I, H, first), w.far, w.input_scale + place, from_x);
    for (int p = 0; p < BLOCKS * Cell::gates; ++p) store(sums + place + p * WIDTH, from_x[p]);
}

template <class Cell, class W>
void stream_cell_input(const StreamLayer &l, const float *x, float *sums, void *scratch) {
    StreamWeights<Cell, W> w;
    w.place(l.I, l.H, l.memory);
    const Read<W> read_x(l.I, x, scratch);
    for (i64 first = 0; first < w.units; first += STREAM_GROUP<Cell, W>) {
        const i64 left = w.units - first;
        input_group(w, l.I, l.H, first, left < STREAM_GROUP<Cell, W> ? left : STREAM_GROUP<Cell, W>, read_x, sums);
    }
}

// ---- a linear layer: y = W x + b -----------------------------------------------------------------------------------

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

// Many rows: the same chains, by the product of matrices.
inline bool linear_rows(i64 rows, i64 N, i64 K, const float *x, const float *weight, const float *bias, float *y, int threads) {
    constexpr i64 some = 64;
    const i64 count = panels(N), size = panel_size<float>(K), blocks = (rows + some - 1) / some;
    const int parts = int(blocks < threads ? (blocks > 0 ? blocks : 1) : threads);
    const std::size_t weights = (std::size_t(count * size) * sizeof(float) + 63) / 64 * 64;
    const std::size_t sums = std::size_t(some * count * WIDTH) * sizeof(float);
    Block block;
    if (!block.take(weights + sums * parts)) return false;
    float *packed = reinterpret_cast<float *>(block.bytes());
    parallel_for(parts, [&](int part) {
        for (i64 p = part; p < count; p += parts) {
            const i64 n = p * WIDTH;
            pack_columns(packed + p * size, weight + n * K, N - n < WIDTH ? N - n : WIDTH, K, K);
        }
    });
    parallel_for(parts, [&](int part) {
        float *c = reinterpret_cast<float *>(block.bytes() + weights + sums * part);
        for (i64 b = part; b < blocks; b += parts) {
            const i64 first = b * some, here = rows - first < some ? rows - first : some;
            product(here, count, K, x + first * K, K, packed, size, c, count * WIDTH, false);
            for (i64 r = 0; r < here; ++r)
                for (i64 n = 0; n < N; n += WIDTH) {
                    const vec sum = load(c + r * count * WIDTH + n);
                    store_some(y + (first + r) * N + n, bias == nullptr ? sum + splat(0.0f) : sum + load_some(bias + n, N - n), N - n);
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
