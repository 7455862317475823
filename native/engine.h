// The engine's face: plain structures and a table of functions, one table for each instruction set.
//
// Nothing here is checked. Sizes may be 0; every pointer that may be null says so. "float or bfloat16" pointers have the
// element type that `mixed` or their own flag names. All strides are in elements.
#pragma once

#include <cstdint>

namespace recurra {

using i64 = std::int64_t;

enum class CellKind : int { rnn = 0, rnn_relu = 1, lstm = 2, graves_lstm = 3, gru = 4 };

enum class Type : int { float32 = 0, bfloat16 = 1 };

// A tensor (T, B, features) whose features lie side by side.
struct Sequence {
    void *data;  // may be null where a function says so
    Type type;
    i64 step, row;  // elements from one time step to the next, from one row of the batch to the next
};

// One direction of one layer.
struct Layer {
    CellKind cell;
    i64 T, B, I, H;
    bool mixed;                              // products of bfloat16 with float32 sums; else all float32
    bool reverse;                            // each row from its own last step to its first
    const i64 *lengths;                      // (B), 0 <= length <= T; null: all T
    const float *weight_ih, *weight_hh;      // (G·H, I), (G·H, H), in the cell's order of gates
    const float *bias_ih, *bias_hh;          // (G·H); null: none
    const float *peephole;                   // (P, H); null unless the cell has them
    Sequence x;                              // (T, B, I)
    Sequence y;                              // (T, B, H); steps past a row's length are not written
    const float *h0, *c0;                    // (B, H); null: zeros
    float *hT, *cT;                          // (B, H), after each row's last step; cT null unless the cell has a memory
    void *kept;                              // (T, B, S, H) float or bfloat16 as `mixed`; null: nothing is kept for a backward pass
    float *memory;                           // (T, B, H): c after each step; null unless kept and the cell has a memory
    int threads;
};

// The derivatives; null pointers: not wanted, but for dy.
struct Gradients {
    Sequence dy;                    // (T, B, H)
    const float *dhT, *dcT;         // (B, H); null: zeros
    Sequence dx;                    // (T, B, I); steps past a row's length are not written
    float *dh0, *dc0;               // (B, H)
    float *weight_ih, *weight_hh;   // (G·H, I), (G·H, H), written over
    float *bias_ih, *bias_hh;       // (G·H)
    float *peephole;                // (P, H)
};

struct Engine {
    const char *isa;
    bool (*forward)(const Layer &);                      // false: out of memory
    bool (*backward)(const Layer &, const Gradients &);  // y, kept and memory as forward left them
};

}  // namespace recurra
