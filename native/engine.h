// The engine's face: plain structures and a table of functions, one table for each instruction set.
//
// Nothing here is checked. Sizes may be 0; every pointer that may be null says so. "float or bfloat16" pointers have the
// element type that `mixed` or their own flag names. All strides are in elements.
#pragma once

#include <cstddef>
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
    void *kept;                              // (T, B, S, H) float, or if mixed int16, n / 32767, or bfloat16 where [-1, 1] is left; null: no backward pass follows
    float *memory;                           // (T, B, H): c after each step; null unless kept and the cell has a memory
    void *packed;                            // forward_bytes, packed by forward_pack, aligned to 64; null: packed on the way
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

enum class Weights : int { float32 = 0, bfloat16 = 1, int8 = 2 };

// A layer whose weights are packed for one step at a time.
struct StreamLayer {
    CellKind cell;
    i64 I, H;
    Weights type;
    void *memory;  // stream_bytes, packed by stream_pack
    int threads;
};

struct Engine {
    const char *isa;
    std::size_t (*forward_bytes)(const Layer &);
    void (*forward_pack)(const Layer &, void *memory);
    bool (*forward)(const Layer &);                      // false: out of memory
    bool (*backward)(const Layer &, const Gradients &);  // y, kept and memory as forward left them

    // One step: x (I), h (H) → h_after (H), which is not h; c (H), where the cell has a memory, is written over.
    // sums: what stream_input made of x, a multiple of 64 bytes in size, and x is not read; null: it is made on the way.
    // scratch: scratch_bytes, aligned to 64, for what a call rounds its rows to; of linear_step, K and 0 are its I and H.
    std::size_t (*stream_bytes)(CellKind, i64 I, i64 H, Weights);
    void (*stream_pack)(const Layer &, Weights, void *memory);
    void (*stream_step)(const StreamLayer &, const float *x, const float *sums, const float *h, float *h_after, float *c,
                        void *scratch);
    i64 (*stream_sums)(CellKind, i64 H);
    void (*stream_input)(const StreamLayer &, const float *x, float *sums, void *scratch);
    std::size_t (*scratch_bytes)(i64 I, i64 H, Weights);

    // y (N) = weight (N, K) x + bias (null: none), packed.
    std::size_t (*linear_bytes)(i64 N, i64 K, Weights);
    void (*linear_pack)(i64 N, i64 K, const float *weight, const float *bias, Weights, void *memory);
    void (*linear_step)(i64 N, i64 K, Weights, void *memory, const float *x, float *y, int threads, void *scratch);

    // Many rows at once, in float32; each row's result is that of linear_step, bit for bit. False: out of memory.
    // packed: panels_bytes, packed by panels_pack, aligned to 64; null: packed on the way.
    std::size_t (*panels_bytes)(i64 N, i64 K);
    void (*panels_pack)(i64 N, i64 K, const float *weight, float *packed);
    bool (*linear)(i64 rows, i64 N, i64 K, const float *x, const float *weight, const float *packed, const float *bias, float *y, int threads);
    void (*normalise)(i64 rows, i64 n, const float *x, const float *weight, const float *bias, float eps, float *y);

    // n scores, whole blocks of 16: their greatest, not-a-number where one of them is.
    float (*peak)(i64 n, const float *scores);
    // (score - peak) / temperature in `scaled`, unless it is null, e to its power in `weights`, and the sum of each block's.
    void (*weigh)(i64 n, const float *scores, float peak, double temperature, double *scaled, double *weights, double *block_sums);
};

}  // namespace recurra
