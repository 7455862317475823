// The matrix product that everything is made of: a few rows of A times panels of packed B, float32 sums.
//
// B is packed into panels of 16 columns: row k of a panel is 16 floats, or, in bfloat16, the 16 pairs (k, k + 1). A is
// row by row, as the cells leave it. One result is one chain of sums over k, from the first to the last, whatever the
// number of rows, the blocks and the threads: this is what makes a result independent of its neighbours in a batch.
#pragma once

#include "transpose.h"
#include "vec.h"

#if defined(__AMX_BF16__) || defined(RECURRA_EMULATE_AMX)
#include "amx.h"
#endif

namespace recurra::RECURRA_TARGET {

template <class E>
constexpr int PAIR = 1;  // elements of k that one step of the product takes
template <>
constexpr int PAIR<bf16> = 2;

template <class E>
RECURRA_INLINE i64 steps(i64 k) {
    return (k + PAIR<E> - 1) / PAIR<E>;
}
RECURRA_INLINE i64 round_up(i64 n, i64 to) { return (n + to - 1) / to * to; }
RECURRA_INLINE i64 panels(i64 columns) { return (columns + WIDTH - 1) / WIDTH; }

// Elements in a panel whose columns are k long.
template <class E>
RECURRA_INLINE i64 panel_size(i64 k) {
    return steps<E>(k) * PAIR<E> * WIDTH;
}

// ---- one step: 16 columns of B times one number (pair) of A -------------------------------------------------------

RECURRA_INLINE vec dot(const float *a, const float *b, vec c) { return fma(splat(*a), load(b), c); }

struct Pairs {  // 16 pairs of bfloat16, as they lie in memory
#if defined(__AVX512BF16__)
    __m512bh value;
#else
    vec low, high;
#endif
};

RECURRA_INLINE Pairs load_pairs(const bf16 *b) {
    Pairs r;
#if defined(__AVX512BF16__)
    std::memcpy(&r.value, b, sizeof r.value);
#else
    RECURRA_EACH {
        part_u both;
        std::memcpy(&both, b + 2 * q * PART, sizeof both);
        part_u low = both << 16, high = both & 0xffff0000u;
        std::memcpy(&r.low.part[q], &low, sizeof low);
        std::memcpy(&r.high.part[q], &high, sizeof high);
    }
#endif
    return r;
}

RECURRA_INLINE Pairs splat_pair(const bf16 *a) {
    std::uint32_t both;
    std::memcpy(&both, a, sizeof both);
    Pairs r;
#if defined(__AVX512BF16__)
    r.value = (__m512bh)_mm512_set1_epi32(int(both));
#else
    std::uint32_t low = both << 16, high = both & 0xffff0000u;
    float l, h;
    std::memcpy(&l, &low, 4), std::memcpy(&h, &high, 4);
    r.low = splat(l), r.high = splat(h);
#endif
    return r;
}

RECURRA_INLINE vec multiply(Pairs a, Pairs b, vec c) {
#if defined(__AVX512BF16__)
    c.part[0] = (part_f)_mm512_dpbf16_ps((__m512)c.part[0], a.value, b.value);
    return c;
#else
    return fma(a.high, b.high, fma(a.low, b.low, c));
#endif
}

// What the product of one step reads of A and of B: a number, or a pair of them.
template <class E>
struct Step;
template <>
struct Step<float> {
    using Value = vec;
    static RECURRA_INLINE vec wide(const float *b) { return load(b); }
    static RECURRA_INLINE vec single(const float *a) { return splat(*a); }
    static RECURRA_INLINE vec multiply(vec a, vec b, vec c) { return fma(a, b, c); }
};
template <>
struct Step<bf16> {
    using Value = Pairs;
    static RECURRA_INLINE Pairs wide(const bf16 *b) { return load_pairs(b); }
    static RECURRA_INLINE Pairs single(const bf16 *a) { return splat_pair(a); }
    static RECURRA_INLINE vec multiply(Pairs a, Pairs b, vec c) { return recurra::RECURRA_TARGET::multiply(a, b, c); }
};

// ---- the micro-kernel: ROWS x PANELS sums in registers ------------------------------------------------------------

// How A lies: row by row, its k side by side; or turned, step after step of k (pair after pair), its rows side by side.
enum class Lie { rows, turned };

template <class E, Lie LIE, int ROWS, int PANELS>
RECURRA_INLINE void micro(const E *a, i64 lda, const E *b, i64 ldb, i64 count, float *c, i64 ldc, bool onto, const E *ahead) {
    const i64 row = LIE == Lie::rows ? lda : PAIR<E>, step = LIE == Lie::rows ? PAIR<E> : lda;
    vec sum[ROWS][PANELS];
    for (int m = 0; m < ROWS; ++m)
        for (int p = 0; p < PANELS; ++p) sum[m][p] = onto ? load(c + m * ldc + p * WIDTH) : splat(0.0f);
    for (i64 k = 0; k < count; ++k) {
        __builtin_prefetch(ahead + k * WIDTH * PAIR<E>, 0, 2);
        typename Step<E>::Value wide[PANELS];
        for (int p = 0; p < PANELS; ++p) wide[p] = Step<E>::wide(b + p * ldb + k * WIDTH * PAIR<E>);
        for (int m = 0; m < ROWS; ++m) {
            typename Step<E>::Value single = Step<E>::single(a + m * row + k * step);
            for (int p = 0; p < PANELS; ++p) sum[m][p] = Step<E>::multiply(single, wide[p], sum[m][p]);
        }
    }
    for (int m = 0; m < ROWS; ++m)
        for (int p = 0; p < PANELS; ++p) store(c + m * ldc + p * WIDTH, sum[m][p]);
}

// Rows whose sums fit the registers beside the panels' values, for each number of panels.
constexpr int MOST_PANELS = RECURRA_VEC_BYTES == 64 ? 4 : 1;
constexpr int most_rows([[maybe_unused]] int panels) {
#if defined(__AVX512F__)
    return panels == 4 ? 6 : panels == 3 ? 8 : panels == 2 ? 12 : 14;
#elif defined(__AVX2__)
    return 6;
#elif defined(__aarch64__)
    return 6;
#else
    return 2;
#endif
}

template <class E, Lie LIE, int PANELS, int ROWS = most_rows(PANELS)>
RECURRA_INLINE void some_rows(i64 rows, const E *a, i64 lda, const E *b, i64 ldb, i64 count, float *c, i64 ldc, bool onto, const E *ahead) {
    if constexpr (ROWS > 1)
        if (rows < ROWS) return some_rows<E, LIE, PANELS, ROWS - 1>(rows, a, lda, b, ldb, count, c, ldc, onto, ahead);
    micro<E, LIE, ROWS, PANELS>(a, lda, b, ldb, count, c, ldc, onto, ahead);
}

template <class E, Lie LIE, int PANELS>
__attribute__((noinline)) void all_rows(i64 rows, const E *a, i64 lda, const E *b, i64 ldb, i64 count, float *c, i64 ldc,
                                        bool onto, const E *ahead) {
    const i64 blocks = (rows + most_rows(PANELS) - 1) / most_rows(PANELS);
    for (i64 n = 0, done = 0; n < blocks; ++n) {  // blocks of nearly one size: a last one of one row would wait for its sums
        const i64 next = rows * (n + 1) / blocks;
        some_rows<E, LIE, PANELS>(next - done, a + done * (LIE == Lie::rows ? lda : PAIR<E>), lda, b, ldb, count, c + done * ldc, ldc, onto, ahead + n % PANELS * ldb);
        done = next;
    }
}

// c (rows, 16 · count_of_panels; rows ldc apart) = a (rows, k; lda apart) · b, or += where `onto`.
// a: readable to an even k in bfloat16, its last element then finite; turned, its steps are lda apart.  b: panels `ldb` apart.
template <class E, Lie LIE = Lie::rows>
inline void product(i64 rows, i64 panel_count, i64 k, const E *a, i64 lda, const E *b, i64 ldb, float *c, i64 ldc, bool onto) {
    const i64 count = steps<E>(k);
    if (rows == 0) return;
#if defined(__AMX_BF16__) || defined(RECURRA_EMULATE_AMX)
    if constexpr (PAIR<E> == 2) return amx_product<LIE == Lie::turned>(rows, panel_count, count, a, lda, b, ldb, c, ldc, onto);
#endif
    // As many steps as leave the panels in the first cache while all rows pass over them.
    constexpr i64 block = 128;
    for (i64 p = 0; p < panel_count;) {
        const i64 take = panel_count - p >= MOST_PANELS ? MOST_PANELS : panel_count - p;
        i64 k0 = 0;
        do {
            const i64 some = count - k0 > block + block / 2 ? block : count - k0;
            const E *at = a + k0 * (LIE == Lie::rows ? PAIR<E> : lda), *bt = b + p * ldb + k0 * WIDTH * PAIR<E>;
            float *ct = c + p * WIDTH;
            const bool add = onto || k0 > 0;
            // What comes next: the panels' further steps, or the next panels. Each block of rows asks for one panel of it.
            const E *ahead = k0 + some < count ? bt + some * WIDTH * PAIR<E> : b + (p + take) * ldb;
            if constexpr (MOST_PANELS == 4) {
                if (take == 4) all_rows<E, LIE, 4>(rows, at, lda, bt, ldb, some, ct, ldc, add, ahead);
                if (take == 3) all_rows<E, LIE, 3>(rows, at, lda, bt, ldb, some, ct, ldc, add, ahead);
                if (take == 2) all_rows<E, LIE, 2>(rows, at, lda, bt, ldb, some, ct, ldc, add, ahead);
            }
            if (take == 1) all_rows<E, LIE, 1>(rows, at, lda, bt, ldb, some, ct, ldc, add, ahead);
            k0 += some;
        } while (k0 < count);
        p += take;
    }
}

// ---- packing -----------------------------------------------------------------------------------------------------

// One panel of up to 16 columns, each k long and contiguous, `apart` elements from one to the next.
template <class E>
inline void pack_columns(E *to, const float *from, i64 columns, i64 apart, i64 k) {
    vec block[WIDTH];
    for (i64 s = 0; s < k; s += WIDTH) {
        for (i64 j = 0; j < WIDTH; ++j) block[j] = j < columns ? load_some(from + j * apart + s, k - s) : splat(0.0f);
        transpose(block);
        const i64 some = k - s < WIDTH ? k - s : WIDTH;
        for (i64 q = 0; q < some; q += PAIR<E>) {  // behind an odd k stands a zero
            if constexpr (PAIR<E> == 1)
                store(to + (s + q) * WIDTH, block[q]);
            else
                store_pairs(to + (s + q) * WIDTH, block[q], block[q + 1]);
        }
    }
}

// Rows of `columns` numbers, k of them, each side by side at row(q), step after step and `wide` columns to a step, the rest
// zeros: a panel where wide is 16, and an A that lies turned where it is more. Steps are `apart` elements apart.
template <class E, class RowOf>
inline void pack_rows(E *to, i64 apart, RowOf row, i64 columns, i64 wide, i64 k) {
    for (i64 s = 0; s < steps<E>(k); ++s)
        for (i64 j = 0; j < wide; j += WIDTH) {
            E *out = to + s * apart + j * PAIR<E>;
            const i64 n = columns - j;
            if constexpr (PAIR<E> == 1) {
                store(out, load_some(row(s) + j, n));
            } else {
                const vec even = load_some(row(2 * s) + j, n);
                store_pairs(out, even, 2 * s + 1 < k ? load_some(row(2 * s + 1) + j, n) : splat(0.0f));
            }
        }
}

}  // namespace recurra::RECURRA_TARGET
