// The weights on the way back: packed as the products of the derivatives read them, and their gradients, which each thread
// sums on its own.
#pragma once

#include "forward.h"

namespace recurra::RECURRA_TARGET {

template <class Cell, class E>
struct BackwardWeights {
    i64 units, inputs;   // blocks of 16 columns of H and of I
    E *hidden, *input;   // panels of weight_hh's and weight_ih's columns; k goes over the slots of the derivatives
    float *peephole;     // (P, units, 16)

    void place(const Layer &l, bool wants_dx, Bump &bump) {
        units = panels(l.H), inputs = panels(l.I);
        hidden = bump.take<E>(units * panel_size<E>(Cell::gates * l.H));
        input = bump.take<E>(wants_dx ? inputs * panel_size<E>(Cell::gates * l.H) : 0);
        peephole = bump.take<float>(units * Cell::peepholes * WIDTH);
    }
    i64 stride(const Layer &l) const { return panel_size<E>(Cell::gates * l.H); }

    void pack_hidden(const Layer &l, i64 block) {
        const i64 u = block * WIDTH, columns = l.H - u < WIDTH ? l.H - u : WIDTH;
        pack_rows(
            hidden + block * stride(l), WIDTH * PAIR<E>,
            [&](i64 k) { return l.weight_hh + (Cell::hidden_gate[k / l.H] * l.H + k % l.H) * l.H + u; }, columns, WIDTH,
            Cell::gates * l.H);
        for (int p = 0; p < Cell::peepholes; ++p)
            store(peephole + (p * units + block) * WIDTH, load_some(l.peephole + p * l.H + u, columns));
    }
    void pack_input(const Layer &l, i64 block) {
        constexpr int first = Cell::slots - Cell::gates;
        const i64 u = block * WIDTH, columns = l.I - u < WIDTH ? l.I - u : WIDTH;
        pack_rows(
            input + block * stride(l), WIDTH * PAIR<E>,
            [&](i64 k) { return l.weight_ih + (Cell::input_gate[first + k / l.H] * l.H + k % l.H) * l.I + u; }, columns, WIDTH,
            Cell::gates * l.H);
    }
};

// One thread's share of the gradients of weights, transposed: a row for each input (unit), and in it the gates' units, each
// gate padded to whole panels, in the order of the slots.
template <class Cell>
struct Sums {
    i64 padded, ld;
    float *input, *hidden;  // (I, ld), (H, ld)
    float *slot;            // (slots, padded): of the biases
    float *peephole;        // (P, padded)

    void place(const Layer &l, const Gradients &g, Bump &bump) {
        padded = panels(l.H) * WIDTH, ld = Cell::gates * padded;
        input = bump.take<float>(g.weight_ih != nullptr ? l.I * ld : 0);
        hidden = bump.take<float>(g.weight_hh != nullptr ? l.H * ld : 0);
        slot = bump.take<float>((Cell::slots + Cell::peepholes) * padded);
        peephole = slot + Cell::slots * padded;
    }
};

// The sums of all threads together, always in the same order, as rows of gates' units again.
template <class Cell>
void add_up(const Layer &l, const Gradients &g, const Sums<Cell> *sums, int parts, int part) {
    auto turn = [&](float *to, float *Sums<Cell>::*which, const int *gate_of_slot, i64 columns) {
        const i64 blocks = Cell::gates * panels(l.H);
        for (i64 block = blocks * part / parts; block < blocks * (part + 1) / parts; ++block) {
            const i64 u = block % panels(l.H) * WIDTH, row = gate_of_slot[block / panels(l.H)] * l.H + u;
            const i64 units = l.H - u < WIDTH ? l.H - u : WIDTH;
            for (i64 i = 0; i < columns; i += WIDTH) {
                const i64 some = columns - i < WIDTH ? columns - i : WIDTH;
                float square[WIDTH][WIDTH];
                for (i64 j = 0; j < some; ++j) {
                    const i64 at = (i + j) * sums[0].ld + block * WIDTH;
                    vec total = load(sums[0].*which + at);
                    for (int k = 1; k < parts; ++k) total = total + load(sums[k].*which + at);
                    store(square[j], total);
                }
                for (i64 n = 0; n < units; ++n)
                    for (i64 j = 0; j < some; ++j) to[(row + n) * columns + i + j] = square[j][n];
            }
        }
    };
    if (g.weight_ih != nullptr) turn(g.weight_ih, &Sums<Cell>::input, Cell::input_gate + Cell::slots - Cell::gates, l.I);
    if (g.weight_hh != nullptr) turn(g.weight_hh, &Sums<Cell>::hidden, Cell::hidden_gate, l.H);
    if (part != 0) return;
    for (i64 u = 0; u < l.H; u += WIDTH) {
        auto total = [&](float *Sums<Cell>::*which, int index) {
            vec r = load(sums[0].*which + index * sums[0].padded + u);
            for (int k = 1; k < parts; ++k) r = r + load(sums[k].*which + index * sums[0].padded + u);
            return r;
        };
        for (int s = 0; s < Cell::slots; ++s) {
            const vec r = total(&Sums<Cell>::slot, s);
            if (g.bias_ih != nullptr && Cell::input_gate[s] >= 0) store_some(g.bias_ih + Cell::input_gate[s] * l.H + u, r, l.H - u);
            if (g.bias_hh != nullptr && Cell::hidden_gate[s] >= 0) store_some(g.bias_hh + Cell::hidden_gate[s] * l.H + u, r, l.H - u);
        }
        for (int p = 0; p < Cell::peepholes; ++p)
            if (g.peephole != nullptr) store_some(g.peephole + p * l.H + u, total(&Sums<Cell>::peephole, p), l.H - u);
    }
}

}  // namespace recurra::RECURRA_TARGET
