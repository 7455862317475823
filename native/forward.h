// The loop over time, forward: for a few steps the product with the input at once, then step by step the recurrent product
// and, while its result is in the first cache, the cell.
#pragma once

#include "rows.h"

namespace recurra::RECURRA_TARGET {

// Units of 16 lie in a group of panels: those of all gates of 16 units, or of 64 units of a cell with one gate.
template <class Cell>
constexpr i64 GROUP = Cell::gates == 1 ? 4 : 1;

template <class Cell, class E>
struct ForwardWeights {
    i64 units;         // H / 16, rounded up
    E *input, *hidden;  // panels: unit block, gate
    float *bias;        // (units, gate, 16): of the input's product, and of the hidden's where nothing comes between
    float *alone;       // (units, gate, 16): of the hidden's product otherwise
    float *peephole;    // (P, units, 16)

    void place(const Layer &l, Bump &bump) {
        units = panels(l.H);
        input = bump.take<E>(units * Cell::gates * panel_size<E>(l.I));
        hidden = bump.take<E>(units * Cell::gates * panel_size<E>(l.H));
        bias = bump.take<float>(units * Cell::gates * WIDTH);
        alone = bump.take<float>(units * Cell::gates * WIDTH);
        peephole = bump.take<float>(units * Cell::peepholes * WIDTH);
    }

    void pack(const Layer &l, i64 block) {
        const i64 u = block * WIDTH, columns = l.H - u < WIDTH ? l.H - u : WIDTH;
        for (int g = 0; g < Cell::gates; ++g) {
            const i64 panel = block * Cell::gates + g, row = g * l.H + u;
            pack_columns(input + panel * panel_size<E>(l.I), l.weight_ih + row * l.I, columns, l.I, l.I);
            pack_columns(hidden + panel * panel_size<E>(l.H), l.weight_hh + row * l.H, columns, l.H, l.H);
            vec ih = l.bias_ih == nullptr ? splat(0.0f) : load_some(l.bias_ih + row, columns);
            vec hh = l.bias_hh == nullptr ? splat(0.0f) : load_some(l.bias_hh + row, columns);
            store(bias + panel * WIDTH, Cell::hidden_alone(g) ? ih : ih + hh);
            store(alone + panel * WIDTH, hh);
        }
        for (int p = 0; p < Cell::peepholes; ++p)
            store(peephole + (p * units + block) * WIDTH, load_some(l.peephole + p * l.H + u, columns));
    }
};

template <class Cell, class E>
struct ForwardRows {
    const Layer &l;
    const ForwardWeights<Cell, E> &w;
    Rows rows;
    i64 steps_at_once, columns, operand, padded;  // columns: of all panels; operand: elements of h as a row of A; padded: of c
    E *x;             // (rows of a few steps, I padded)
    float *xw;        // (rows of a few steps, columns)
    E *h[2];          // (rows, operand): before and after a step
    float *c, *own;   // (rows, padded): the memory; h in float32, for a cell that mixes it in
    float *tile;      // (rows, a group's columns)
    i64 *offset;      // (steps_at_once + 1): where the rows of a step begin in x and xw

    static constexpr i64 TILE = GROUP<Cell> * Cell::gates * WIDTH;

    ForwardRows(const Layer &layer, const ForwardWeights<Cell, E> &weights) : l(layer), w(weights) {}

    void place(i64 count, Bump &bump) {
        steps_at_once = chunk_steps(l.T, count);
        columns = w.units * Cell::gates * WIDTH;
        operand = padded = w.units * WIDTH;
        rows.index = bump.take<i64>(count);
        rows.length = bump.take<i64>(count);
        x = bump.take<E>(steps_at_once * count * round_up(l.I, PAIR<E>));
        xw = bump.take<float>(steps_at_once * count * columns);
        for (E *&one : h) one = bump.take<E>(count * operand);
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
                store(h[0] + r * operand + u, h0);
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
                one_step(step, running, xw + offset[step - first] * columns);
            }
        }
    }

    void inputs(i64 first, i64 last, i64 running) {
        const i64 ldx = round_up(l.I, PAIR<E>);
        i64 filled = 0;
        for (i64 step = first; step < last; ++step) {
            running = rows.running(step, running);
            offset[step - first] = filled;
            for (i64 r = 0; r < running; ++r, ++filled)
                copy_from(x + filled * ldx, l.x, rows.time(r, step), rows.index[r], l.I, ldx);
        }
        offset[last - first] = filled;
        product(filled, w.units * Cell::gates, l.I, x, ldx, w.input, panel_size<E>(l.I), xw, columns, false);
    }

    void one_step(i64 step, i64 running, const float *xw_step) {
        const E *before = h[step & 1];
        E *after = h[1 - (step & 1)];
        for (i64 block = 0; block < w.units; block += GROUP<Cell>) {
            const i64 blocks = w.units - block < GROUP<Cell> ? w.units - block : GROUP<Cell>;
            product(running, blocks * Cell::gates, l.H, before, operand, w.hidden + block * Cell::gates * panel_size<E>(l.H),
                    panel_size<E>(l.H), tile, TILE, false);
            for (i64 n = 0; n < blocks; ++n) pointwise(step, running, block + n, xw_step, tile + n * Cell::gates * WIDTH, after);
        }
    }

    void pointwise(i64 step, i64 running, i64 block, const float *xw_step, const float *hr_block, E *after) {
        const i64 u = block * WIDTH, n = l.H - u;
        const i64 kept_row = Cell::saved * l.H;
        vec bias[Cell::gates], alone[Cell::gates], p[Cell::peepholes + 1];
        for (int g = 0; g < Cell::gates; ++g) {
            bias[g] = load(w.bias + (block * Cell::gates + g) * WIDTH);
            alone[g] = load(w.alone + (block * Cell::gates + g) * WIDTH);
        }
        for (int k = 0; k < Cell::peepholes; ++k) p[k] = load(w.peephole + (k * w.units + block) * WIDTH);
        for (i64 r = 0; r < running; ++r) {
            const float *xw_row = xw_step + r * columns + block * Cell::gates * WIDTH, *hr_row = hr_block + r * TILE;
            vec input[Cell::gates], hidden[Cell::gates], kept[Cell::saved];
            for (int g = 0; g < Cell::gates; ++g) {
                input[g] = load(xw_row + g * WIDTH) + bias[g];
                hidden[g] = load(hr_row + g * WIDTH);
                if (Cell::hidden_alone(g)) hidden[g] = hidden[g] + alone[g];
            }
            vec memory = Cell::memory ? load(c + r * padded + u) : splat(0.0f);
            const vec own_h = Cell::direct ? load(own + r * padded + u) : splat(0.0f);
            const vec out = Cell::forward(input, hidden, memory, own_h, p, kept);
            store(after + r * operand + u, out);
            if (Cell::memory) store(c + r * padded + u, memory);
            if (Cell::direct) store(own + r * padded + u, out);

            const i64 b = rows.index[r], time = rows.time(r, step), place = time * l.B + b;
            store_some(at<E>(l.y, time, b) + u, out, n);
            if (l.kept != nullptr) {
                E *to = static_cast<E *>(l.kept) + place * kept_row + u;
                for (int s = 0; s < Cell::saved; ++s) store_some(to + s * l.H, kept[s], n);
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
    w.place(l, shared);
    Bump own;
    ForwardRows<Cell, E> sizes(l, w);
    sizes.place(rows_of_part(l.B, 0, parts), own);
    Block block;
    if (!block.take(shared.used + own.used * parts)) return false;
    const std::size_t begin = shared.used, size = own.used;
    shared = Bump{block.bytes()};
    i64 *order = shared.take<i64>(l.B), *counts = shared.take<i64>(l.T + 2);
    w.place(l, shared);
    sort_rows(l.lengths, l.T, l.B, order, counts);
    parallel_for(parts, [&](int part) {
        for (i64 n = part; n < w.units; n += parts) w.pack(l, n);
    });
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
