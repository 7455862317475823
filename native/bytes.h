// Products of int8 weights with a row of float32: sums of whole numbers, the same to the last bit on every instruction set.
//
// A row x is rounded to whole numbers q = x / scale of at most MOST = 127 · 257, which leaves float32's first 15 bits. Over CHUNK
// elements a sum of q · w fits 32 bits whatever the order of its terms; the sums of the chunks are added up in float32, one after another.
//
// Where the processor multiplies bytes (VNNI: four products of an unsigned and a signed byte, added up), q is 256 · high + low, two
// signed bytes, and a weight lies as w + 128; what that adds, 128 · Σq, is taken off at the beginning. Else q and w meet in 16 bits.
#pragma once

#include "rows.h"

namespace recurra::RECURRA_TARGET {

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(RECURRA_EMULATE_VNNI)
constexpr int DEPTH = 4;  // elements of k that lie side by side, for one instruction
#elif defined(__SSE2__)
constexpr int DEPTH = 2;
#else
constexpr int DEPTH = 1;
#endif

constexpr i64 CHUNK = 512;
constexpr int MOST = 127 * 257, MOST_WEIGHT = 127;
static_assert(CHUNK * MOST * MOST_WEIGHT <= 0x7fffffff && CHUNK % DEPTH == 0 && CHUNK % WIDTH == 0);

// What is smaller than this counts as zero: what a row is divided by stays a normal number.
constexpr float LEAST = 1e-30f;

template <class W>
constexpr int DEPTH_OF = 1;
template <>
constexpr int DEPTH_OF<std::int8_t> = DEPTH;

// Where weight k of column n lies in a group of so many columns; and the elements of a column.
template <class W>
RECURRA_INLINE i64 weight_at(i64 k, i64 n, i64 columns) {
    return (k / DEPTH_OF<W> * columns + n) * DEPTH_OF<W> + k % DEPTH_OF<W>;
}
template <class W>
RECURRA_INLINE i64 whole_depth(i64 k) {
    return round_up(k, DEPTH_OF<W>);
}

template <class W>
RECURRA_INLINE void put_weight(W &to, float value, float) {
    assign(to, value);
}
RECURRA_INLINE void put_weight(std::int8_t &to, float value, float scale) {
    const float q = value / scale;
    const int whole = q == q ? int(q < 0 ? q - 0.5f : q + 0.5f) : 0;
    to = std::int8_t(DEPTH == 4 ? whole ^ 0x80 : whole);
}

// The scale of a row of int8 weights, whose largest becomes 127; not-a-number where one of them is not finite.
// 1 for other types, and for a row of zeros.
template <class W>
inline float row_scale(const float *row, i64 n) {
    float most = 0.0f, odd = 0.0f;
    for (i64 j = 0; j < n && sizeof(W) == 1; ++j) {
        const float size = row[j] < 0 ? -row[j] : row[j];
        most = size > most ? size : most;
        odd += size - size;  // 0, or not-a-number
    }
    return odd != odd ? odd : most >= LEAST ? most / MOST_WEIGHT : 1.0f;
}

// ---- the row ---------------------------------------------------------------------------------------------------------

// A row as the products read it.
struct Quantised {
    float scale;              // not-a-number where x is not finite: then every product is
    std::int16_t *q;          // DEPTH 1, 2: (count), and zeros to the end of the last vec
    std::int8_t *high, *low;  // DEPTH 4: likewise
    std::int32_t *begin;      // DEPTH 4: (chunks, 2): -128 Σ high, -128 Σ low

    std::size_t place(i64 count, void *memory) {
        Bump bump{static_cast<char *>(memory)};
        const i64 whole = round_up(count, WIDTH);
        q = bump.take<std::int16_t>(DEPTH < 4 ? whole : 0);
        high = bump.take<std::int8_t>(DEPTH == 4 ? whole : 0);
        low = bump.take<std::int8_t>(DEPTH == 4 ? whole : 0);
        begin = bump.take<std::int32_t>(DEPTH == 4 ? (count + CHUNK - 1) / CHUNK * 2 : 0);
        return bump.used;
    }

    void make(i64 count, const float *x) {
        const std::uint32_t most = greatest(count, x);
        float size;
        std::memcpy(&size, &most, sizeof size);
        scale = most >= 0x7f800000 ? __builtin_nanf("") : size >= LEAST ? size / MOST : 1.0f;
        for (i64 j = 0; j < count; j += WIDTH) put(j, load_some(x + j, count - j), scale);
        for (i64 first = 0; DEPTH == 4 && first < count; first += CHUNK) {
            const i64 end = first + CHUNK < count ? first + CHUNK : round_up(count, WIDTH);
            int of_high = 0, of_low = 0;
            for (i64 j = first; j < end; ++j) of_high += high[j], of_low += low[j];
            begin[first / CHUNK * 2] = -128 * of_high;
            begin[first / CHUNK * 2 + 1] = -128 * of_low;
        }
    }

    // The bits of the greatest size, which are greater than infinity's where one is not a number.
    static std::uint32_t greatest(i64 count, const float *x) {
        part_i most[PARTS] = {};
        for (i64 j = 0; j < count; j += WIDTH) {
            const vec value = load_some(x + j, count - j);
            RECURRA_EACH {
                part_i bits;
                std::memcpy(&bits, &value.part[q], sizeof bits);
                bits &= 0x7fffffff;
                most[q] = bits > most[q] ? bits : most[q];
            }
        }
        std::int32_t each[WIDTH], all = 0;
        std::memcpy(each, most, sizeof each);
        for (std::int32_t one : each) all = one > all ? one : all;
        return std::uint32_t(all);
    }

    // By a division, which no compiler makes one with the addition that rounds: every target has the same whole numbers.
    RECURRA_INLINE void put(i64 j, vec value, float by) {
        RECURRA_EACH {
            const part_f number = value.part[q] / (by - part_f{}), shifted = number + 12582912.0f;
            part_i bits;
            std::memcpy(&bits, &shifted, sizeof bits);
            const part_i whole = number == number ? bits - 0x4b400000 : part_i{};
            const i64 at = j + q * PART;
#if defined(__AVX512F__)
            if (DEPTH == 4) {
                const __m128i upper = _mm512_cvtepi32_epi8((__m512i)((whole + 128) >> 8));
                const __m128i lower = _mm512_cvtepi32_epi8((__m512i)whole);
                std::memcpy(high + at, &upper, sizeof upper);
                std::memcpy(low + at, &lower, sizeof lower);
                continue;
            }
#endif
            std::int32_t each[PART];
            std::memcpy(each, &whole, sizeof each);
            for (int n = 0; n < PART; ++n) {
                if (DEPTH == 4) high[at + n] = std::int8_t((each[n] + 128) >> 8), low[at + n] = std::int8_t(each[n]);
                if (DEPTH < 4) this->q[at + n] = std::int16_t(each[n]);
            }
        }
    }
};

// ---- 16 sums ---------------------------------------------------------------------------------------------------------

#if defined(__AVX512VNNI__) && !defined(RECURRA_EMULATE_VNNI)
RECURRA_INLINE part_i add_fours(part_i sum, part_i w, part_i x) {
    return (part_i)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}
#elif defined(__AVXVNNI__) && !defined(RECURRA_EMULATE_VNNI)
RECURRA_INLINE part_i add_fours(part_i sum, part_i w, part_i x) {
    return (part_i)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)w, (__m256i)x);
}
#elif defined(RECURRA_EMULATE_VNNI)
inline part_i add_fours(part_i sum, part_i w, part_i x) {
    std::uint8_t weights[4 * PART];
    std::int8_t numbers[4 * PART];
    std::memcpy(weights, &w, sizeof weights);
    std::memcpy(numbers, &x, sizeof numbers);
    for (int j = 0; j < 4 * PART; ++j) sum[j / 4] += weights[j] * numbers[j];
    return sum;
}
#endif

// So many bytes of a panel in 16 bits each, times the numbers that belong to them.
#if defined(__AVX512F__)
RECURRA_INLINE part_i add_pairs(part_i sum, const std::int8_t *w, part_i x) {
    const __m512i wide = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(w)));
    return sum + (part_i)_mm512_madd_epi16(wide, (__m512i)x);
}
#elif defined(__AVX2__)
RECURRA_INLINE part_i add_pairs(part_i sum, const std::int8_t *w, part_i x) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(w)));
    return sum + (part_i)_mm256_madd_epi16(wide, (__m256i)x);
}
#elif defined(__SSE2__)
RECURRA_INLINE part_i add_pairs(part_i sum, const std::int8_t *w, part_i x) {
    const __m128i some = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(w));
    const __m128i wide = _mm_srai_epi16(_mm_unpacklo_epi8(some, some), 8);
    return sum + (part_i)_mm_madd_epi16(wide, (__m128i)x);
}
#endif

// DEPTH numbers of the row from k on, in each place of a register.
struct Numbers {
    part_i low, high;

    RECURRA_INLINE Numbers(const Quantised &x, i64 k) {
        std::int32_t first = 0, second = 0;
        if constexpr (DEPTH == 4) {
            std::memcpy(&first, x.low + k, sizeof first);
            std::memcpy(&second, x.high + k, sizeof second);
        } else if constexpr (DEPTH == 2) {
            std::memcpy(&first, x.q + k, sizeof first);
        } else {
            first = x.q[k];
        }
        low = first - part_i{}, high = second - part_i{};
    }
};

struct WholeSums {
    part_i low[PARTS], high[PARTS];

    RECURRA_INLINE void begin(const Quantised &x, i64 chunk) {
        RECURRA_EACH {
            low[q] = (DEPTH == 4 ? x.begin[2 * chunk + 1] : 0) - part_i{};
            high[q] = (DEPTH == 4 ? x.begin[2 * chunk] : 0) - part_i{};
        }
    }
    RECURRA_INLINE void add(const std::int8_t *w, const Numbers &x) {
        RECURRA_EACH {
            const std::int8_t *from = w + q * PART * DEPTH;
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(RECURRA_EMULATE_VNNI)
            part_i some;
            std::memcpy(&some, from, sizeof some);
            low[q] = add_fours(low[q], some, x.low);
            high[q] = add_fours(high[q], some, x.high);
#elif defined(__SSE2__)
            low[q] = add_pairs(low[q], from, x.low);
#else
            part_b some;
            std::memcpy(&some, from, sizeof some);
            low[q] += widen(some) * x.low;
#endif
        }
    }
    RECURRA_INLINE vec value() const {
        vec r;
        RECURRA_EACH r.part[q] = to_floats(DEPTH == 4 ? high[q] * 256 + low[q] : low[q]);
        return r;
    }
};

}  // namespace recurra::RECURRA_TARGET
