// Sixteen floats at a time, on any instruction set, and the few functions that a recurrent cell needs of them.
//
// A `vec` is 16 floats everywhere: one AVX-512 register, two of AVX, four of SSE or NEON. It is written with the vector
// extensions of GCC and Clang, so that one source serves every target; the compiler's flags decide what it becomes.
// Everything lies in the target's own namespace: two targets never share an inline function.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__AVX512F__)
#define RECURRA_VEC_BYTES 64
#elif defined(__AVX2__)
#define RECURRA_VEC_BYTES 32
#else
#define RECURRA_VEC_BYTES 16
#endif

#if !defined(RECURRA_INLINE)  // a build that is looked into by a sanitizer has no need of it
#define RECURRA_INLINE inline __attribute__((always_inline))
#endif

namespace recurra::RECURRA_TARGET {

using i64 = std::int64_t;

constexpr int WIDTH = 16;                              // floats in a vec, and columns in a panel of weights
constexpr int PARTS = WIDTH * 4 / RECURRA_VEC_BYTES;   // registers in a vec
constexpr int PART = WIDTH / PARTS;                    // floats in a register

typedef float part_f __attribute__((vector_size(RECURRA_VEC_BYTES)));
typedef std::int32_t part_i __attribute__((vector_size(RECURRA_VEC_BYTES)));
typedef std::uint32_t part_u __attribute__((vector_size(RECURRA_VEC_BYTES)));
typedef std::uint16_t part_h __attribute__((vector_size(RECURRA_VEC_BYTES / 2)));
typedef std::int16_t part_s __attribute__((vector_size(RECURRA_VEC_BYTES / 2)));
typedef std::int8_t part_b __attribute__((vector_size(RECURRA_VEC_BYTES / 4)));

// bfloat16: the upper half of a float.
struct bf16 {
    std::uint16_t bits;
};

struct vec {
    part_f part[PARTS];
};

#define RECURRA_EACH for (int q = 0; q < PARTS; ++q)

RECURRA_INLINE vec splat(float value) {
    vec r;
    RECURRA_EACH r.part[q] = value - part_f{};  // x - 0 is x, which the compiler knows; 0 + x is not where x is -0
    return r;
}

RECURRA_INLINE vec operator+(vec a, vec b) {
    RECURRA_EACH a.part[q] += b.part[q];
    return a;
}
RECURRA_INLINE vec operator-(vec a, vec b) {
    RECURRA_EACH a.part[q] -= b.part[q];
    return a;
}
RECURRA_INLINE vec operator*(vec a, vec b) {
    RECURRA_EACH a.part[q] *= b.part[q];
    return a;
}
RECURRA_INLINE vec operator/(vec a, vec b) {
    RECURRA_EACH a.part[q] /= b.part[q];
    return a;
}
RECURRA_INLINE vec operator-(vec a) {
    RECURRA_EACH a.part[q] = -a.part[q];
    return a;
}

// a * b + c, in one rounding where the target has it.
RECURRA_INLINE vec fma(vec a, vec b, vec c) {
    RECURRA_EACH c.part[q] = a.part[q] * b.part[q] + c.part[q];
    return c;
}

// A not-a-number stays one: the comparison with it is false.
RECURRA_INLINE vec clamp(vec a, float low, float high) {
    RECURRA_EACH {
        part_f l = low - part_f{}, h = high - part_f{};
        a.part[q] = a.part[q] < l ? l : a.part[q];
        a.part[q] = a.part[q] > h ? h : a.part[q];
    }
    return a;
}

// max(0, a), and not-a-number where a is.
RECURRA_INLINE vec rectify(vec a) {
    RECURRA_EACH a.part[q] = a.part[q] < part_f{} ? part_f{} : a.part[q];
    return a;
}

// a where x > 0, else 0.
RECURRA_INLINE vec where_positive(vec x, vec a) {
    RECURRA_EACH a.part[q] = x.part[q] > part_f{} ? a.part[q] : part_f{};
    return a;
}

RECURRA_INLINE float sum(vec a) {
    float buffer[WIDTH];
    std::memcpy(buffer, &a, sizeof buffer);
    for (int step = WIDTH / 2; step > 0; step /= 2)
        for (int j = 0; j < step; ++j) buffer[j] += buffer[j + step];
    return buffer[0];
}

// ---- memory ------------------------------------------------------------------------------------------------------

// Register by register: GCC 12 takes a copy of two registers through the stack, in pieces that do not fit the reading of it.
RECURRA_INLINE vec load(const float *p) {
    vec r;
    RECURRA_EACH std::memcpy(&r.part[q], p + q * PART, sizeof r.part[q]);
    return r;
}
RECURRA_INLINE void store(float *p, vec a) { RECURRA_EACH std::memcpy(p + q * PART, &a.part[q], sizeof a.part[q]); }

// Between 32 bits and fewer: single instructions, which GCC 12 does not find for __builtin_convertvector.
#if defined(__AVX512F__)
RECURRA_INLINE part_u widen(part_h a) { return (part_u)_mm512_cvtepu16_epi32((__m256i)a); }
RECURRA_INLINE part_i widen(part_s a) { return (part_i)_mm512_cvtepi16_epi32((__m256i)a); }
RECURRA_INLINE part_h narrow(part_u a) { return (part_h)_mm512_cvtepi32_epi16((__m512i)a); }
RECURRA_INLINE part_f to_floats(part_i a) { return (part_f)_mm512_cvtepi32_ps((__m512i)a); }
#elif defined(__AVX2__)
RECURRA_INLINE part_u widen(part_h a) { return (part_u)_mm256_cvtepu16_epi32((__m128i)a); }
RECURRA_INLINE part_i widen(part_s a) { return (part_i)_mm256_cvtepi16_epi32((__m128i)a); }
RECURRA_INLINE part_h narrow(part_u a) {
    const __m256i low = _mm256_and_si256((__m256i)a, _mm256_set1_epi32(0xffff));
    const __m256i packed = _mm256_packus_epi32(low, low);  // within each half: four words, twice
    return (part_h)_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
}
RECURRA_INLINE part_f to_floats(part_i a) { return (part_f)_mm256_cvtepi32_ps((__m256i)a); }
#else
RECURRA_INLINE part_u widen(part_h a) { return __builtin_convertvector(a, part_u); }
RECURRA_INLINE part_i widen(part_s a) { return __builtin_convertvector(a, part_i); }
RECURRA_INLINE part_i widen(part_b a) { return __builtin_convertvector(a, part_i); }
RECURRA_INLINE part_h narrow(part_u a) { return __builtin_convertvector(a, part_h); }
RECURRA_INLINE part_f to_floats(part_i a) { return __builtin_convertvector(a, part_f); }
#endif

RECURRA_INLINE vec load(const bf16 *p) {
    vec r;
    RECURRA_EACH {
        part_h half;
        std::memcpy(&half, p + q * PART, sizeof half);
        part_u wide = widen(half) << 16;
        std::memcpy(&r.part[q], &wide, sizeof wide);
    }
    return r;
}

// To the nearest, ties to even; a not-a-number stays one.
RECURRA_INLINE void store(bf16 *p, vec a) {
    RECURRA_EACH {
#if defined(__AVX512BF16__)
        __m256bh half = _mm512_cvtneps_pbh((__m512)a.part[q]);
        std::memcpy(p + q * PART, &half, sizeof half);
#else
        part_u bits;
        std::memcpy(&bits, &a.part[q], sizeof bits);
        part_u rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        rounded = a.part[q] != a.part[q] ? (bits >> 16 | 0x40) : rounded;
        part_h half = narrow(rounded);
        std::memcpy(p + q * PART, &half, sizeof half);
#endif
    }
}

// 16 pairs (even, odd), each rounded as above.
RECURRA_INLINE void store_pairs(bf16 *p, vec even, vec odd) {
    std::uint16_t first[WIDTH], second[WIDTH];
    store(reinterpret_cast<bf16 *>(first), even);
    store(reinterpret_cast<bf16 *>(second), odd);
    RECURRA_EACH {
        part_h a, b;
        std::memcpy(&a, first + q * PART, sizeof a);
        std::memcpy(&b, second + q * PART, sizeof b);
        const part_u both = widen(a) | widen(b) << 16;
        std::memcpy(p + 2 * q * PART, &both, sizeof both);
    }
}

// A number of [-1, 1] in 16 bits. Near 1 it is 256 times as fine as bfloat16, which is what 1 - gate needs.
struct fix16 {
    std::int16_t bits;
};

RECURRA_INLINE vec load(const fix16 *p) {
    vec r;
    RECURRA_EACH {
        part_s half;
        std::memcpy(&half, p + q * PART, sizeof half);
        r.part[q] = to_floats(widen(half)) * (1.0f / 32767);
    }
    return r;
}

// A not-a-number becomes 0; it stays one in what is computed beside this.
RECURRA_INLINE void store(fix16 *p, vec a) {
    RECURRA_EACH {
        const part_f number = a.part[q] == a.part[q] ? a.part[q] : part_f{};
        const part_f shifted = number * 32767.0f + 12582912.0f;  // the nearest integer, in the low bits
        part_u bits;
        std::memcpy(&bits, &shifted, sizeof bits);
        const part_h half = narrow(bits);
        std::memcpy(p + q * PART, &half, sizeof half);
    }
}

// The first n of 16 elements, 0 <= n <= 16; the others are zero, and their memory is not touched.
template <class E>
RECURRA_INLINE vec load_some(const E *p, i64 n) {
    if (__builtin_expect(n >= WIDTH, 1)) return load(p);
    E buffer[WIDTH] = {};
    for (i64 j = 0; j < n; ++j) buffer[j] = p[j];
    return load(buffer);
}
template <class E>
RECURRA_INLINE void store_some(E *p, vec a, i64 n) {
    if (__builtin_expect(n >= WIDTH, 1)) return store(p, a);
    E buffer[WIDTH];
    store(buffer, a);
    for (i64 j = 0; j < n; ++j) p[j] = buffer[j];
}

RECURRA_INLINE float to_float(float value) { return value; }
RECURRA_INLINE float to_float(bf16 value) {
    std::uint32_t bits = std::uint32_t(value.bits) << 16;
    float r;
    std::memcpy(&r, &bits, sizeof r);
    return r;
}
RECURRA_INLINE void assign(float &to, float value) { to = value; }
RECURRA_INLINE void assign(bf16 &to, float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    to.bits = value != value ? std::uint16_t(bits >> 16 | 0x40) : std::uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
template <class To, class From>
RECURRA_INLINE To convert(From value) {
    To r;
    assign(r, to_float(value));
    return r;
}

// ---- functions ---------------------------------------------------------------------------------------------------

// x = n ln 2 + r with |r| <= ln 2 / 2; gives r, and 2^n in `scale`. For -87 <= x <= 88, so that 2^n is a normal number.
RECURRA_INLINE vec reduce(vec x, vec &scale) {
    const float magic = 12582912.0f;  // 1.5 · 2^23: adding it leaves the nearest integer in the low bits
    vec r;
    RECURRA_EACH {
        part_f shifted = x.part[q] * 1.44269504088896341f + magic;
        part_f n = shifted - magic;
        part_f rest = x.part[q] - n * 0.693359375f;  // ln 2 in two pieces; the first has few bits, so n times it is exact
        r.part[q] = rest - n * -2.12194440e-4f;
        part_i bits;
        std::memcpy(&bits, &shifted, sizeof bits);
        bits = (bits << 23) + (127 << 23);
        std::memcpy(&scale.part[q], &bits, sizeof bits);
    }
    return r;
}

// (e^r - 1 - r) / r² for |r| <= ln 2 / 2: the Taylor series, whose next term is below a tenth of a rounding.
RECURRA_INLINE vec tail(vec r) {
    vec p = splat(1.0f / 40320);
    p = fma(p, r, splat(1.0f / 5040));
    p = fma(p, r, splat(1.0f / 720));
    p = fma(p, r, splat(1.0f / 120));
    p = fma(p, r, splat(1.0f / 24));
    p = fma(p, r, splat(1.0f / 6));
    return fma(p, r, splat(0.5f));
}

RECURRA_INLINE vec exp(vec x) {
    vec scale, r = reduce(clamp(x, -87.0f, 88.0f), scale);
    return fma(tail(r), r * r, r + splat(1.0f)) * scale;
}

RECURRA_INLINE vec sigmoid(vec x) { return splat(1.0f) / (splat(1.0f) + exp(-x)); }

// By e^2x - 1, which is exact near zero, where 1 - 2 / (e^2x + 1) would lose its digits.
RECURRA_INLINE vec tanh(vec x) {
    vec scale, r = reduce(clamp(x + x, -20.0f, 20.0f), scale);
    vec minus = fma(fma(tail(r), r * r, r), scale, scale - splat(1.0f));
    return minus / (minus + splat(2.0f));
}

}  // namespace recurra::RECURRA_TARGET
