// The loop over time, backward: step by step the derivatives of the cells, and after a few steps the products that make of
// them the derivatives of weights and input.
#pragma once

#include "backward_weights.h"

namespace recurra::RECURRA_TARGET {

// Unit blocks whose derivatives are taken at once.
constexpr i64 BLOCKS = 4;

template <class Cell, class E>
struct BackwardRows {
    const Layer &l;
    const Gradients &g;
    const BackwardWeights<Cell, E> &w;
    Sums<Cell> sums;
    Rows rows;
    i64 steps_at_once, ldd, padded;
    E *d;                 // (rows of a few steps, ldd): the slots of each, H elements apart
    E *next;              // (rows, ldd): those of the first step of the steps done before
    float *dc, *direct;   // (rows, padded)
    float *tile;          // (rows, BLOCKS · 16)
    i64 *offset;          // (steps_at_once + 1)
    E *zero_state;        // (rows, padded): h before the first step
    const E **h_row;      // (rows of a few steps): h before each step
    E *x, *x_turned, *h_turned;  // x in E; x and h before each step, turned: A of the products with d
    E *d_panels;          // d, packed
    float *dx;            // (rows of a few steps, I padded)
    bool first_sums;      // nothing has been added to the sums yet

    BackwardRows(const Layer &layer, const Gradients &gradients, const BackwardWeights<Cell, E> &weights)
        : l(layer), g(gradients), w(weights) {}

    void place(i64 count, Bump &bump) {
        steps_at_once = chunk_steps(l.T, count);
        padded = panels(l.H) * WIDTH;
        ldd = round_up(Cell::slots * l.H, PAIR<E>) + PAIR<E>;  // a pair that begins at the last element ends within
        const i64 most = steps_at_once * count, pairs = round_up(most, PAIR<E>), ldi = panels(l.I) * WIDTH;
        sums.place(l, g, bump);
        rows.index = bump.take<i64>(count);
        rows.length = bump.take<i64>(count);
        d = bump.take<E>(most * ldd);
        next = bump.take<E>(count * ldd);
        dc = bump.take<float>(Cell::memory ? count * padded : 0);
        direct = bump.take<float>(Cell::direct ? count * padded : 0);
        tile = bump.take<float>(count * BLOCKS * WIDTH);
        offset = bump.take<i64>(steps_at_once + 1);
        zero_state = bump.take<E>(count * padded);
        h_row = bump.take<const E *>(most);
        const bool sums_wanted = g.weight_ih != nullptr || g.weight_hh != nullptr;
        x = bump.take<E>(g.weight_ih != nullptr ? most * ldi : 0);
        x_turned = bump.take<E>(g.weight_ih != nullptr ? pairs * ldi : 0);
        h_turned = bump.take<E>(g.weight_hh != nullptr ? pairs * padded : 0);
        d_panels = bump.take<E>(sums_wanted ? Cell::slots * panels(l.H) * panel_size<E>(most) : 0);
        dx = bump.take<float>(g.dx.data != nullptr ? most * ldi : 0);
    }

    // Padding columns of a state are never read as results, but they are read: they must be finite.
    void begin() {
        std::memset(sums.slot, 0, std::size_t((Cell::slots + Cell::peepholes) * padded) * sizeof(float));
        first_sums = true;
        std::memset(next, 0, std::size_t(rows.count * ldd) * sizeof(E));
        std::memset(d, 0, std::size_t(steps_at_once * rows.count * ldd) * sizeof(E));
        for (i64 r = 0; r < rows.count; ++r) {
            const i64 b = rows.index[r];
            for (i64 u = 0; u < padded; u += WIDTH) {
                const i64 n = l.H - u;
                store(zero_state + r * padded + u, l.h0 == nullptr ? splat(0.0f) : load_some(l.h0 + b * l.H + u, n));
                if (Cell::memory)
                    store(dc + r * padded + u, g.dcT == nullptr ? splat(0.0f) : load_some(g.dcT + b * l.H + u, n));
                if (Cell::direct) store(direct + r * padded + u, splat(0.0f));
            }
        }
    }

    void run() {
        begin();
        const i64 longest = rows.longest();
        const i64 chunks = (longest + steps_at_once - 1) / steps_at_once;
        i64 after = 0;  // rows running at the step after
        const E *d_after = next;
        for (i64 chunk = chunks - 1; chunk >= 0; --chunk) {
            const i64 first = chunk * steps_at_once;
            const i64 last = first + steps_at_once < longest ? first + steps_at_once : longest;
            const i64 filled = lay_out(first, last);
            for (i64 step = last - 1; step >= first; --step) {
                const i64 running = offset[step - first + 1] - offset[step - first];
                E *d_step = d + offset[step - first] * ldd;
                one_step(step, running, after, d_step, d_after);
                after = running, d_after = d_step;
            }
            if (first > 0) {
                std::memcpy(next, d, std::size_t(after * ldd) * sizeof(E));
                d_after = next;
            }
            gradients(first, last, filled);
            if (first == 0) finish(after, d);
        }
        if (longest == 0) finish(0, d);
        store_sums_of_nothing();
    }

    i64 lay_out(i64 first, i64 last) {
        i64 filled = 0, running = rows.count;
        for (i64 step = first; step < last; ++step) {
            running = rows.running(step, running);
            offset[step - first] = filled;
            for (i64 r = 0; r < running; ++r)
                h_row[filled + r] = step == 0 ? zero_state + r * padded : at<const E>(l.y, rows.time(r, step - 1), rows.index[r]);
            filled += running;
        }
        offset[last - first] = filled;
        return filled;
    }

    // dh of the units of some blocks through the recurrent product; rows that end with this step have none.
    void through(i64 block, i64 blocks, i64 after, i64 running, const E *d_after) {
        product(after, blocks, Cell::gates * l.H, d_after, ldd, w.hidden + block * w.stride(l), w.stride(l), tile,
                BLOCKS * WIDTH, false);
        for (i64 r = after; r < running; ++r)
            for (i64 n = 0; n < blocks; ++n) {
                const i64 u = (block + n) * WIDTH;
                store(tile + (r * BLOCKS + n) * WIDTH,
                      g.dhT == nullptr ? splat(0.0f) : load_some(g.dhT + rows.index[r] * l.H + u, l.H - u));
            }
    }

    void one_step(i64 step, i64 running, i64 after, E *d_step, const E *d_after) {
        for (i64 block = 0; block < w.units; block += BLOCKS) {
            const i64 blocks = w.units - block < BLOCKS ? w.units - block : BLOCKS;
            through(block, blocks, after, running, d_after);
            for (i64 n = 0; n < blocks; ++n) pointwise(step, running, block + n, tile + n * WIDTH, d_step);
        }
    }

    void pointwise(i64 step, i64 running, i64 block, const float *dh_block, E *d_step) {
        const i64 u = block * WIDTH, n = l.H - u, kept_row = Cell::saved * l.H;
        vec p[Cell::peepholes + 1], total[Cell::slots], total_p[Cell::peepholes + 1];
        for (int s = 0; s < Cell::slots; ++s) total[s] = load(sums.slot + s * padded + u);
        for (int k = 0; k < Cell::peepholes; ++k) {
            p[k] = load(w.peephole + (k * w.units + block) * WIDTH);
            total_p[k] = load(sums.peephole + k * padded + u);
        }
        for (i64 r = 0; r < running; ++r) {
            const i64 b = rows.index[r], time = rows.time(r, step), place = time * l.B + b;
            const E *from = static_cast<const E *>(l.kept) + place * kept_row + u;
            vec kept[Cell::saved], d_slot[Cell::slots], dp[Cell::peepholes + 1];
            for (int s = 0; s < Cell::saved; ++s) kept[s] = load_kept<Cell>(from + s * l.H, s, n);
            vec dh = load(dh_block + r * BLOCKS * WIDTH) + load_gradient(time, b, u, n);
            vec memory = splat(0.0f), before = splat(0.0f), dmemory = splat(0.0f), h = splat(0.0f), straight = splat(0.0f);
            if (Cell::memory) {
                dmemory = load(dc + r * padded + u);
                memory = load_some(l.memory + place * l.H + u, n);
                if (step > 0)
                    before = load_some(l.memory + (rows.time(r, step - 1) * l.B + b) * l.H + u, n);
                else if (l.c0 != nullptr)
                    before = load_some(l.c0 + b * l.H + u, n);
            }
            if (Cell::direct) {
                dh = dh + load(direct + r * padded + u);
                if (step > 0)
                    h = load_some(at<const E>(l.y, rows.time(r, step - 1), b) + u, n);
                else if (l.h0 != nullptr)
                    h = load_some(l.h0 + b * l.H + u, n);
            }
            Cell::backward(kept, h, before, memory, dh, dmemory, straight, p, d_slot, dp);
            for (int s = 0; s < Cell::slots; ++s) {
                store_some(d_step + r * ldd + s * l.H + u, d_slot[s], n);
                total[s] = total[s] + d_slot[s];
            }
            for (int k = 0; k < Cell::peepholes; ++k) total_p[k] = total_p[k] + dp[k];
            if (Cell::memory) store(dc + r * padded + u, dmemory);
            if (Cell::direct) store(direct + r * padded + u, straight);
        }
        for (int s = 0; s < Cell::slots; ++s) store(sums.slot + s * padded + u, total[s]);
        for (int k = 0; k < Cell::peepholes; ++k) store(sums.peephole + k * padded + u, total_p[k]);
    }

    RECURRA_INLINE vec load_gradient(i64 time, i64 b, i64 u, i64 n) const {
        return g.dy.type == Type::float32 ? load_some(at<const float>(g.dy, time, b) + u, n)
                                          : load_some(at<const bf16>(g.dy, time, b) + u, n);
    }

    // The derivatives of the state that the rows began in.
    void finish(i64 running, const E *d_first) {
        if (g.dh0 != nullptr)
            for (i64 block = 0; block < w.units; block += BLOCKS) {
                const i64 blocks = w.units - block < BLOCKS ? w.units - block : BLOCKS;
                through(block, blocks, running, rows.count, d_first);
                for (i64 r = 0; r < rows.count; ++r)
                    for (i64 n = 0; n < blocks; ++n) {
                        const i64 u = (block + n) * WIDTH;
                        vec dh = load(tile + (r * BLOCKS + n) * WIDTH);
                        if (Cell::direct) dh = dh + load(direct + r * padded + u);
                        store_some(g.dh0 + rows.index[r] * l.H + u, dh, l.H - u);
                    }
            }
        if (Cell::memory && g.dc0 != nullptr)
            for (i64 r = 0; r < rows.count; ++r)
                for (i64 u = 0; u < l.H; u += WIDTH) store_some(g.dc0 + rows.index[r] * l.H + u, load(dc + r * padded + u), l.H - u);
    }

    void gradients(i64 first, i64 last, i64 filled) {
        const i64 ldi = panels(l.I) * WIDTH, panel = panel_size<E>(filled);
        constexpr int input_slot = Cell::slots - Cell::gates;
        if (g.weight_ih != nullptr || g.weight_hh != nullptr)
            for (int s = 0; s < Cell::slots; ++s)
                for (i64 p = 0; p < w.units; ++p)
                    pack_rows(
                        d_panels + (s * w.units + p) * panel, WIDTH * PAIR<E>,
                        [&](i64 q) { return d + q * ldd + s * l.H + p * WIDTH; }, l.H - p * WIDTH, WIDTH, filled);
        if (g.weight_ih != nullptr) {
            for (i64 step = first; step < last; ++step)
                for (i64 q = offset[step - first], r = 0; q < offset[step - first + 1]; ++q, ++r)
                    copy_from(x + q * ldi, l.x, rows.time(r, step), rows.index[r], l.I, ldi);
            const i64 apart = ldi * PAIR<E>;
            pack_rows(x_turned, apart, [&](i64 q) { return x + q * ldi; }, ldi, ldi, filled);
            product<E, Lie::turned>(l.I, Cell::gates * w.units, filled, x_turned, apart, d_panels + input_slot * w.units * panel,
                                    panel, sums.input, sums.ld, !first_sums);
        }
        if (g.weight_hh != nullptr) {
            const i64 apart = padded * PAIR<E>;
            pack_rows(h_turned, apart, [&](i64 q) { return h_row[q]; }, l.H, padded, filled);
            product<E, Lie::turned>(l.H, Cell::gates * w.units, filled, h_turned, apart, d_panels, panel, sums.hidden, sums.ld,
                                    !first_sums);
        }
        first_sums = false;
        if (g.dx.data == nullptr) return;
        product(filled, panels(l.I), Cell::gates * l.H, d + input_slot * l.H, ldd, w.input, w.stride(l), dx, ldi, false);
        for (i64 step = first; step < last; ++step)
            for (i64 q = offset[step - first], r = 0; q < offset[step - first + 1]; ++q, ++r) {
                const i64 time = rows.time(r, step), b = rows.index[r];
                if (g.dx.type == Type::float32)
                    copy_some(at<float>(g.dx, time, b), dx + q * ldi, l.I, 0);
                else
                    copy_some(at<bf16>(g.dx, time, b), dx + q * ldi, l.I, 0);
            }
    }

    // A thread whose rows are all empty has sums too: zeros.
    void store_sums_of_nothing() {
        if (!first_sums) return;
        if (g.weight_ih != nullptr) std::memset(sums.input, 0, std::size_t(l.I * sums.ld) * sizeof(float));
        if (g.weight_hh != nullptr) std::memset(sums.hidden, 0, std::size_t(l.H * sums.ld) * sizeof(float));
    }
};

template <class Cell, class E>
bool backward_layer(const Layer &l, const Gradients &g) {
    const int parts = useful_threads(l, Cell::gates);
    const i64 count = rows_of_part(l.B, 0, parts);
    BackwardWeights<Cell, E> w;
    Bump shared;
    shared.take<i64>(l.B);
    shared.take<i64>(l.T + 2);
    shared.take<Sums<Cell>>(parts);
    w.place(l, g.dx.data != nullptr, shared);
    Bump own;
    BackwardRows<Cell, E> sizes(l, g, w);
    sizes.place(count, own);
    Block block;
    if (!block.take(shared.used + own.used * parts)) return false;
    const std::size_t begin = shared.used, size = own.used;
    shared = Bump{block.bytes()};
    i64 *order = shared.take<i64>(l.B), *counts = shared.take<i64>(l.T + 2);
    Sums<Cell> *sums = shared.take<Sums<Cell>>(parts);
    w.place(l, g.dx.data != nullptr, shared);
    sort_rows(l.lengths, l.T, l.B, order, counts);
    parallel_for(parts, [&](int part) {
        for (i64 n = part; n < w.units; n += parts) w.pack_hidden(l, n);
        if (g.dx.data != nullptr)
            for (i64 n = part; n < w.inputs; n += parts) w.pack_input(l, n);
    });
    parallel_for(parts, [&](int part) {
        BackwardRows<Cell, E> rows(l, g, w);
        Bump bump{block.bytes() + begin + size * part};
        rows.place(count, bump);
        rows.rows.choose(l, order, part, parts);
        rows.run();
        sums[part] = rows.sums;
    });
    parallel_for(parts, [&](int part) { add_up<Cell>(l, g, sums, parts, part); });
    return true;
}

}  // namespace recurra::RECURRA_TARGET
