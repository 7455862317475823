// The loop over time, forward: for a few steps the product with the input at once, then step by step the recurrent product
// and, while its result is in the first cache, the cell.
#pragma once

#include "rows.h"

namespace recurra::RECURRA_TARGET {

// Units of 16 lie in a group of panels: those of all gates of 16 units, or of 64 units of a cell with one gate.
template <class Cell>
constexpr i64 GROUP = Cell::gates == 1 ? 4 : 1;

// Rows from which a step's work covers reading the input's weights too, from the outer cache; and bytes of weights that
// stay in the second cache, which are read at no cost.
constexpr i64 ENOUGH_ROWS = 24, NEAR_BYTES = 768 << 10;

template <class Cell, class E>
struct ForwardWeights {
    i64 units;          // H / 16, rounded up
    E *input, *hidden;  // panels: unit block, slot
    float *bias;        // (units, slots, 16)
    float *peephole;    // (P, units, 16)

    void place(const Layer &l, Bump &bump) {
        units = panels(l.H);
        input = bump.take<E>(units * Cell::gates * panel_size<E>(l.I));
        hidden = bump.take<E>(units * Cell::gates * panel_size<E>(l.H));
        bias = bump.take<float>(units * Cell::slots * WIDTH);
        peephole = bump.take<float>(units * Cell::peepholes * WIDTH);
    }

    void pack(const Layer &l, i64 block) {
        const i64 u = block * WIDTH, columns = l.H - u < WIDTH ? l.H - u : WIDTH;
        i64 input_panel = block * Cell::gates, hidden_panel = block * Cell::gates;
        for (int s = 0; s < Cell::slots; ++s) {
            vec sum = splat(0.0f);
            if (Cell::hidden_gate[s] >= 0) {
                const i64 row = Cell::hidden_gate[s] * l.H + u;
                pack_columns(hidden + hidden_panel++ * panel_size<E>(l.H), l.weight_hh + row * l.H, columns, l.H, l.H);
                if (l.bias_hh != nullptr) sum = load_some(l.bias_hh + row, columns);
            }
            if (Cell::input_gate[s] >= 0) {
                const i64 row = Cell::input_gate[s] * l.H + u;
                pack_columns(input + input_panel++ * panel_size<E>(l.I), l.weight_ih + row * l.I, columns, l.I, l.I);
                if (l.bias_ih != nullptr) sum = sum + load_some(l.bias_ih + row, columns);
            }
            store(bias + (block * Cell::slots + s) * WIDTH, sum);
        }
        for (int p = 0; p < Cell::peepholes; ++p)
            store(peephole + (p * units + block) * WIDTH, load_some(l.peephole + p * l.H + u, columns));
    }

    void pack_all(const Layer &l, int parts) {
        parallel_for(parts, [&](int part) {
            for (i64 n = part; n < units; n += parts) pack(l, n);
        });
    }
};

template <class Cell, class E>
struct ForwardRows {
    const Layer &l;
    const ForwardWeights<Cell, E> &w;
    Rows rows;
    bool at_once;         // the input's product is made for a few steps at once, else with each step
    i64 steps_at_once, columns, ldx, padded;  // columns: of the input's panels; ldx: elements of x as a row of A; padded: of h, c
    E *x;                 // (rows of a few steps, ldx)
    float *xw;            // (rows of a few steps, columns), if at once
    E *h[2];              // (rows, padded): before and after a step
    float *c, *own;       // (rows, padded): the memory; h in float32, for a cell that mixes it in
    float *tile;          // (rows, a group's slots)
    i64 *offset;          // (steps_at_once + 1): where the rows of a step begin in x and xw

    static constexpr i64 TILE = GROUP<Cell> * Cell::slots * WIDTH;
    static constexpr i64 FIRST = (Cell::slots - Cell::gates) * WIDTH;  // the input's slots are the last
    static_assert(FIRST == 0 || GROUP<Cell> == 1);

    ForwardRows(const Layer &layer, const ForwardWeights<Cell, E> &weights) : l(layer), w(weights) {}

    void place(i64 count, Bump &bump) {
        columns = w.units * Cell::gates * WIDTH;
        at_once = count < ENOUGH_ROWS && columns * (l.I + l.H) * i64(sizeof(E)) > NEAR_BYTES;
        steps_at_once = chunk_steps(l.T, count);
        padded = w.units * WIDTH;
        ldx = round_up(l.I, PAIR<E>);
        rows.index = bump.take<i64>(count);
        rows.length = bump.take<i64>(count);
        x = bump.take<E>(steps_at_once * count * ldx);
        xw = bump.take<float>(at_once ? steps_at_once * count * columns : 0);
        for (E *&one : h) one = bump.take<E>(count * padded);
        c = bump.take<float>(Cell::memory ? count * padded : 0);
        own = bump.take<float>(Cell::direct ? count * padded : 0);
        tile = bump.take<float>(count * TILE);
        offset = bump.take<i64>(steps_at_once + 1);
    }

    void begin() {
        for (i64 r = 0; r < rows.count; ++r) {
            const i64 b = rows.index[r];
            for (i64 u = 0; u < padded; u += WIDTH) {
                const i64 n = l.H - u;
                const vec h0 = l.h0 == nullptr ? splat(0.0f) : load_some(l.h0 + b * l.H + u, n);
                store(h[0] + r * padded + u, h0);
                if (Cell::direct) store(own + r * padded + u, h0);
                if (rows.length[r] == 0) store_some(l.hT + b * l.H + u, h0, n);
                if (!Cell::memory) continue;
                const vec c0 = l.c0 == nullptr ? splat(0.0f) : load_some(l.c0 + b * l.H + u, n);
                store(c + r * padded + u, c0);
                if (rows.length[r] == 0) store_some(l.cT + b * l.H + u, c0, n);
            }
        }
    }

    void run() {
        begin();
        i64 running = rows.count;
        for (i64 first = 0; first < rows.longest(); first += steps_at_once) {
            const i64 last = first + steps_at_once < rows.longest() ? first + steps_at_once : rows.longest();
            inputs(first, last, running);
            for (i64 step = first; step < last; ++step) {
                running = rows.running(step, running);
                one_step(step, running, offset[step - first]);
            }
        }
    }

    void inputs(i64 first, i64 last, i64 running) {
        i64 filled = 0;
        for (i64 step = first; step < last; ++step) {
            running = rows.running(step, running);
            offset[step - first] = filled;
            for (i64 r = 0; r < running; ++r, ++filled)
                copy_from(x + filled * ldx, l.x, rows.time(r, step), rows.index[r], l.I, ldx);
        }
        offset[last - first] = filled;
        if (at_once)
            product(filled, w.units * Cell::gates, l.I, x, ldx, w.input, panel_size<E>(l.I), xw, columns, false);
    }

    // The sums of a slot are one chain, over the input and then over h, however the input's part is made.
    void one_step(i64 step, i64 running, i64 place) {
        const E *before = h[step & 1];
        E *after = h[1 - (step & 1)];
        for (i64 block = 0; block < w.units; block += GROUP<Cell>) {
            const i64 blocks = w.units - block < GROUP<Cell> ? w.units - block : GROUP<Cell>;
            const i64 panel = block * Cell::gates, wide = blocks * Cell::gates * WIDTH;
            for (i64 r = 0; r < running; ++r) {
                float *row = tile + r * TILE;
                for (i64 j = 0; j < FIRST; j += WIDTH) store(row + j, splat(0.0f));
                for (i64 j = 0; at_once && j < wide; j += WIDTH)
                    store(row + FIRST + j, load(xw + (place + r) * columns + panel * WIDTH + j));
            }
            if (!at_once)
                product(running, blocks * Cell::gates, l.I, x + place * ldx, ldx, w.input + panel * panel_size<E>(l.I),
                        panel_size<E>(l.I), tile + FIRST, TILE, false);
            product(running, blocks * Cell::gates, l.H, before, padded, w.hidden + panel * panel_size<E>(l.H),
                    panel_size<E>(l.H), tile, TILE, true);
            for (i64 n = 0; n < blocks; ++n) pointwise(step, running, block + n, tile + n * Cell::slots * WIDTH, after);
        }
    }

    void pointwise(i64 step, i64 running, i64 block, const float *sums, E *after) {
        const i64 u = block * WIDTH, n = l.H - u;
        const i64 kept_row = Cell::saved * l.H;
        vec bias[Cell::slots], p[Cell::peepholes + 1];
        for (int s = 0; s < Cell::slots; ++s) bias[s] = load(w.bias + (block * Cell::slots + s) * WIDTH);
        for (int k = 0; k < Cell::peepholes; ++k) p[k] = load(w.peephole + (k * w.units + block) * WIDTH);
        for (i64 r = 0; r < running; ++r) {
            vec sum[Cell::slots], kept[Cell::saved];
            for (int s = 0; s < Cell::slots; ++s) sum[s] = load(sums + r * TILE + s * WIDTH) + bias[s];
            vec memory = Cell::memory ? load(c + r * padded + u) : splat(0.0f);
            const vec own_h = Cell::direct ? load(own + r * padded + u) : splat(0.0f);
            const vec out = Cell::forward(sum, memory, own_h, p, kept);
            store(after + r * padded + u, out);
            if (Cell::memory) store(c + r * padded + u, memory);
            if (Cell::direct) store(own + r * padded + u, out);

            const i64 b = rows.index[r], time = rows.time(r, step), place = time * l.B + b;
            store_some(at<E>(l.y, time, b) + u, out, n);
            if (l.kept != nullptr) {
                E *to = static_cast<E *>(l.kept) + place * kept_row + u;
                for (int s = 0; s < Cell::saved; ++s) store_kept<Cell>(to + s * l.H, s, kept[s], n);
                if (Cell::memory) store_some(l.memory + place * l.H + u, memory, n);
            }
            if (step + 1 == rows.length[r]) {
                store_some(l.hT + b * l.H + u, out, n);
                if (Cell::memory) store_some(l.cT + b * l.H + u, memory, n);
            }
        }
    }
};

template <class Cell, class E>
bool forward_layer(const Layer &l) {
    const int parts = useful_threads(l, Cell::gates);
    ForwardWeights<Cell, E> w;
    Bump shared;
    shared.take<i64>(l.B);
    shared.take<i64>(l.T + 2);
    if (l.packed == nullptr) w.place(l, shared);
    Bump own;
    if (Bump kept{static_cast<char *>(l.packed)}; l.packed != nullptr) w.place(l, kept);
    ForwardRows<Cell, E> sizes(l, w);
    sizes.place(rows_of_part(l.B, 0, parts), own);
    Block block;
    if (!block.take(shared.used + own.used * parts)) return false;
    const std::size_t begin = shared.used, size = own.used;
    shared = Bump{block.bytes()};
    i64 *order = shared.take<i64>(l.B), *counts = shared.take<i64>(l.T + 2);
    sort_rows(l.lengths, l.T, l.B, order, counts);
    if (l.packed == nullptr) {
        w.place(l, shared);
        w.pack_all(l, parts);
    }
    parallel_for(parts, [&](int part) {
        ForwardRows<Cell, E> rows(l, w);
        Bump bump{block.bytes() + begin + size * part};
        rows.place(rows_of_part(l.B, 0, parts), bump);
        rows.rows.choose(l, order, part, parts);
        rows.run();
    });
    return true;
}

}  // namespace recurra::RECURRA_TARGET
