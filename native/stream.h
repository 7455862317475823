// One step of one row, as a stream takes it.
//
// The weights lie as they are read (row.h): for a group of unit blocks, the input's panels and then the hidden state's. A sum
// is one chain over the input and then over h, as in the loop over time: with float32 weights a stream's results are those of
// the whole sequence, bit for bit.
#pragma once

#include "row.h"

namespace recurra::RECURRA_TARGET {

// Unit blocks whose panels are as many as are summed at once.
template <class Cell, class W>
constexpr int STREAM_GROUP = CHAINS<W> / Cell::gates;

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
    // What both products share goes on as one chain; the candidate's part of a GRU, which they do not, begins again.
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

}  // namespace recurra::RECURRA_TARGET
