// Squares of numbers turned in registers: what lies row after row becomes column after column.
#pragma once

#include "vec.h"

namespace recurra::RECURRA_TARGET {

// PART registers of PART numbers turned: number j of register k becomes number k of register j.
RECURRA_INLINE void turn(part_f (&r)[PART]) {
#if defined(__AVX512F__)
    __m512 a[16], b[16];
    for (int k = 0; k < 16; k += 2) {
        a[k] = _mm512_unpacklo_ps((__m512)r[k], (__m512)r[k + 1]);
        a[k + 1] = _mm512_unpackhi_ps((__m512)r[k], (__m512)r[k + 1]);
    }
    for (int k = 0; k < 16; k += 4)  // each lane of four numbers holds a column of four rows
        for (int j = 0; j < 2; ++j) {
            const __m512d low = _mm512_castps_pd(a[k + j]), high = _mm512_castps_pd(a[k + j + 2]);
            b[k + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            b[k + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
    for (int j = 0; j < 4; ++j) {
        const __m512 first = _mm512_shuffle_f32x4(b[j], b[j + 4], 0x88), second = _mm512_shuffle_f32x4(b[j], b[j + 4], 0xdd);
        const __m512 third = _mm512_shuffle_f32x4(b[j + 8], b[j + 12], 0x88), fourth = _mm512_shuffle_f32x4(b[j + 8], b[j + 12], 0xdd);
        r[j] = (part_f)_mm512_shuffle_f32x4(first, third, 0x88);
        r[j + 4] = (part_f)_mm512_shuffle_f32x4(second, fourth, 0x88);
        r[j + 8] = (part_f)_mm512_shuffle_f32x4(first, third, 0xdd);
        r[j + 12] = (part_f)_mm512_shuffle_f32x4(second, fourth, 0xdd);
    }
#elif defined(__AVX2__)
    __m256 a[8], b[8];
    for (int k = 0; k < 8; k += 2) {
        a[k] = _mm256_unpacklo_ps((__m256)r[k], (__m256)r[k + 1]);
        a[k + 1] = _mm256_unpackhi_ps((__m256)r[k], (__m256)r[k + 1]);
    }
    for (int k = 0; k < 8; k += 4)
        for (int j = 0; j < 2; ++j) {
            const __m256d low = _mm256_castps_pd(a[k + j]), high = _mm256_castps_pd(a[k + j + 2]);
            b[k + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
            b[k + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
        }
    for (int j = 0; j < 4; ++j) {
        r[j] = (part_f)_mm256_permute2f128_ps(b[j], b[j + 4], 0x20);
        r[j + 4] = (part_f)_mm256_permute2f128_ps(b[j], b[j + 4], 0x31);
    }
#else
    for (int k = 0; k < PART; ++k)
        for (int j = 0; j < k; ++j) {
            const float low = r[k][j];
            r[k][j] = r[j][k];
            r[j][k] = low;
        }
#endif
}

// 16 rows of 16 numbers turned: number j of row k becomes number k of row j.
RECURRA_INLINE void transpose(vec (&rows)[WIDTH]) {
    for (int i = 0; i < PARTS; ++i)
        for (int j = 0; j <= i; ++j) {  // the squares of registers that lie across from each other
            part_f one[PART], other[PART];
            for (int k = 0; k < PART; ++k) one[k] = rows[i * PART + k].part[j], other[k] = rows[j * PART + k].part[i];
            turn(one);
            if (i != j) turn(other);
            for (int k = 0; k < PART; ++k) {
                if (i != j) rows[i * PART + k].part[j] = other[k];
                rows[j * PART + k].part[i] = one[k];
            }
        }
}

}  // namespace recurra::RECURRA_TARGET
