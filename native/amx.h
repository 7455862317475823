// The product on the tiles of AMX: 16 rows times 16 columns times 32 of k in one instruction.
//
// Compiled with RECURRA_EMULATE_AMX, the tiles are arrays and the instructions loops: so the arithmetic of addresses, which
// is all that can go wrong here, is tested on machines without AMX.
#pragma once

#include "vec.h"

#if !defined(RECURRA_EMULATE_AMX)
#include <immintrin.h>
#endif

namespace recurra::RECURRA_TARGET {

constexpr i64 TILE_ROWS = 16, TILE_PAIRS = 16;  // of A, and of k in pairs

// Tiles 0–3 are sums (two row blocks x two panels), 4–5 rows of A, 6–7 panels of B.
struct alignas(64) TileShapes {
    std::uint8_t palette = 1, start = 0, reserved[14] = {};
    std::uint16_t bytes[16] = {};
    std::uint8_t rows[16] = {};

    TileShapes(i64 first, i64 second) {
        for (int t = 0; t < 8; ++t) bytes[t] = 64;
        rows[0] = rows[1] = rows[4] = std::uint8_t(first);
        rows[2] = rows[3] = rows[5] = std::uint8_t(second > 0 ? second : 1);
        rows[6] = rows[7] = TILE_PAIRS;
    }
};

#if defined(RECURRA_EMULATE_AMX)
struct Tiles {
    TileShapes shapes{1, 1};
    std::uint32_t word[8][16][16];
};
inline Tiles &tiles() {
    static thread_local Tiles all;
    return all;
}
RECURRA_INLINE void shape_tiles(const TileShapes &shapes) { tiles().shapes = shapes; }
RECURRA_INLINE void release_tiles() {}
template <int T>
inline void tile_load(const void *from, i64 stride) {
    for (int r = 0; r < tiles().shapes.rows[T]; ++r) std::memcpy(tiles().word[T][r], static_cast<const char *>(from) + r * stride, 64);
}
template <int T>
inline void tile_store(void *to, i64 stride) {
    for (int r = 0; r < tiles().shapes.rows[T]; ++r) std::memcpy(static_cast<char *>(to) + r * stride, tiles().word[T][r], 64);
}
template <int T>
inline void tile_zero() {
    std::memset(tiles().word[T], 0, sizeof tiles().word[T]);
}
template <int C, int A, int B>
inline void tile_multiply() {
    auto number = [](std::uint32_t bits) {
        float r;
        std::memcpy(&r, &bits, 4);
        return r;
    };
    for (int m = 0; m < tiles().shapes.rows[C]; ++m)
        for (int k = 0; k < TILE_PAIRS; ++k)
            for (int n = 0; n < 16; ++n) {
                const std::uint32_t a = tiles().word[A][m][k], b = tiles().word[B][k][n];
                float c = number(tiles().word[C][m][n]);
                c += number(a << 16) * number(b << 16);
                c += number(a & 0xffff0000u) * number(b & 0xffff0000u);
                std::memcpy(&tiles().word[C][m][n], &c, 4);
            }
}
#define RECURRA_TILE_LOAD(tile, from, stride) tile_load<tile>(from, stride)
#define RECURRA_TILE_STORE(tile, to, stride) tile_store<tile>(to, stride)
#define RECURRA_TILE_ZERO(tile) tile_zero<tile>()
#define RECURRA_TILE_MULTIPLY(c, a, b) tile_multiply<c, a, b>()
#else
// Macros, since the compilers paste the number of a tile into the instruction's text.
RECURRA_INLINE void shape_tiles(const TileShapes &shapes) { _tile_loadconfig(&shapes); }
RECURRA_INLINE void release_tiles() { _tile_release(); }
#define RECURRA_TILE_LOAD(tile, from, stride) _tile_loadd(tile, from, stride)
#define RECURRA_TILE_STORE(tile, to, stride) _tile_stored(tile, to, stride)
#define RECURRA_TILE_ZERO(tile) _tile_zero(tile)
#define RECURRA_TILE_MULTIPLY(c, a, b) _tile_dpbf16ps(c, a, b)
#endif

// Two row blocks (the second of no rows where TWO_ROWS is false) times two panels (one), over `count` pairs of k.
template <bool TWO_ROWS, bool TWO_PANELS>
inline void tile_block(const bf16 *a, const bf16 *a2, i64 lda, const bf16 *b, i64 ldb, i64 count, float *c, float *c2, i64 ldc,
                       bool onto, const bf16 *a_end, const bf16 *b_end) {
    const i64 wide = ldc * i64(sizeof(float)), row = lda * i64(sizeof(bf16));
    if (onto) {
        RECURRA_TILE_LOAD(0, c, wide);
        if (TWO_PANELS) RECURRA_TILE_LOAD(1, c + WIDTH, wide);
        if (TWO_ROWS) RECURRA_TILE_LOAD(2, c2, wide);
        if (TWO_ROWS && TWO_PANELS) RECURRA_TILE_LOAD(3, c2 + WIDTH, wide);
    } else {
        RECURRA_TILE_ZERO(0);
        RECURRA_TILE_ZERO(1);
        RECURRA_TILE_ZERO(2);
        RECURRA_TILE_ZERO(3);
    }
    auto multiply = [] {
        RECURRA_TILE_MULTIPLY(0, 4, 6);
        if (TWO_PANELS) RECURRA_TILE_MULTIPLY(1, 4, 7);
        if (TWO_ROWS) RECURRA_TILE_MULTIPLY(2, 5, 6);
        if (TWO_ROWS && TWO_PANELS) RECURRA_TILE_MULTIPLY(3, 5, 7);
    };
    i64 k = 0;
    for (; k + TILE_PAIRS <= count; k += TILE_PAIRS) {
        RECURRA_TILE_LOAD(4, a + k * 2, row);
        if (TWO_ROWS) RECURRA_TILE_LOAD(5, a2 + k * 2, row);
        RECURRA_TILE_LOAD(6, b + k * 2 * WIDTH, 64);
        if (TWO_PANELS) RECURRA_TILE_LOAD(7, b + ldb + k * 2 * WIDTH, 64);
        multiply();
    }
    if (k < count) {  // the last pairs, copied out and filled with zeros
        RECURRA_TILE_LOAD(4, a_end, 64);
        if (TWO_ROWS) RECURRA_TILE_LOAD(5, a_end + TILE_ROWS * 2 * TILE_PAIRS, 64);
        RECURRA_TILE_LOAD(6, b_end, 64);
        if (TWO_PANELS) RECURRA_TILE_LOAD(7, b_end + TILE_PAIRS * 2 * WIDTH, 64);
        multiply();
    }
    RECURRA_TILE_STORE(0, c, wide);
    if (TWO_PANELS) RECURRA_TILE_STORE(1, c + WIDTH, wide);
    if (TWO_ROWS) RECURRA_TILE_STORE(2, c2, wide);
    if (TWO_ROWS && TWO_PANELS) RECURRA_TILE_STORE(3, c2 + WIDTH, wide);
}

// Up to 32 rows, row by row in memory, times all panels.
inline void tile_rows(i64 rows, i64 panel_count, i64 count, const bf16 *a, i64 lda, const bf16 *b, i64 ldb, float *c, i64 ldc,
                      bool onto) {
    const bool two = rows > TILE_ROWS;
    const i64 tail = count % TILE_PAIRS, whole = count - tail;
    alignas(64) bf16 a_end[2 * TILE_ROWS * 2 * TILE_PAIRS] = {}, b_end[2 * TILE_PAIRS * 2 * WIDTH] = {};
    for (i64 r = 0; r < rows && tail > 0; ++r)
        std::memcpy(a_end + r * 2 * TILE_PAIRS, a + r * lda + whole * 2, std::size_t(tail) * 2 * sizeof(bf16));
    const bf16 *a2 = a + TILE_ROWS * lda;
    for (i64 p = 0; p < panel_count; p += 2) {
        const bool pair = p + 1 < panel_count;
        const bf16 *panel = b + p * ldb;
        for (i64 q = 0; q < (pair ? 2 : 1) && tail > 0; ++q)
            std::memcpy(b_end + q * TILE_PAIRS * 2 * WIDTH, panel + q * ldb + whole * 2 * WIDTH, std::size_t(tail) * 2 * WIDTH * sizeof(bf16));
        float *to = c + p * WIDTH, *to2 = to + TILE_ROWS * ldc;
        if (two && pair) tile_block<true, true>(a, a2, lda, panel, ldb, count, to, to2, ldc, onto, a_end, b_end);
        if (two && !pair) tile_block<true, false>(a, a2, lda, panel, ldb, count, to, to2, ldc, onto, a_end, b_end);
        if (!two && pair) tile_block<false, true>(a, a2, lda, panel, ldb, count, to, to2, ldc, onto, a_end, b_end);
        if (!two && !pair) tile_block<false, false>(a, a2, lda, panel, ldb, count, to, to2, ldc, onto, a_end, b_end);
    }
}

// As `product` of gemm.h; TURNED: A lies step after step of k, and is turned back, so many pairs at a time.
template <bool TURNED>
inline void amx_product(i64 rows, i64 panel_count, i64 count, const bf16 *a, i64 lda, const bf16 *b, i64 ldb, float *c, i64 ldc,
                        bool onto) {
    constexpr i64 most = 2 * TILE_ROWS, some = 256;
    i64 shaped = 0;
    for (i64 m = 0; m < rows; m += most) {
        const i64 block = rows - m < most ? rows - m : most;
        if (block != shaped) {
            const TileShapes shapes(block < TILE_ROWS ? block : TILE_ROWS, block - TILE_ROWS);
            shape_tiles(shapes);
            shaped = block;
        }
        if constexpr (!TURNED) {
            tile_rows(block, panel_count, count, a + m * lda, lda, b, ldb, c + m * ldc, ldc, onto);
        } else {
            alignas(64) std::uint32_t turned[most * some];
            for (i64 k = 0; k < count || (k == 0 && count == 0); k += some) {
                const i64 pairs = count - k < some ? count - k : some;
                for (i64 s = 0; s < pairs; ++s)
                    for (i64 r = 0; r < block; ++r) std::memcpy(&turned[r * some + s], a + (k + s) * lda + (m + r) * 2, 4);
                tile_rows(block, panel_count, pairs, reinterpret_cast<const bf16 *>(turned), 2 * some, b + k * 2 * WIDTH, ldb,
                          c + m * ldc, ldc, onto || k > 0);
            }
        }
    }
    release_tiles();
}

}  // namespace recurra::RECURRA_TARGET
