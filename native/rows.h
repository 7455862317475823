// Which rows of the batch a thread runs, how long each is, and the memory that it works in.
#pragma once

#include "engine.h"
#include "gemm.h"
#include "threads.h"
#include "workspace.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace recurra::RECURRA_TARGET {

// Run callable(0) … callable(count - 1), each on a thread of its own.
template <class Callable>
inline void parallel_for(int count, const Callable &callable) {
    if (count == 1) return callable(0);
    parallel(
        count, [](void *context, int index) { (*static_cast<const Callable *>(context))(index); },
        const_cast<void *>(static_cast<const void *>(&callable)));
}

// Lays arrays one behind the other in a block; with no block it only counts the bytes. Under AddressSanitizer they stand
// apart, and what lies between them is out of bounds.
struct Bump {
    char *base = nullptr;
    std::size_t used = 0;

    template <class A>
    A *take(i64 count) {
        A *r = base == nullptr ? nullptr : reinterpret_cast<A *>(base + used);
        const std::size_t bytes = std::size_t(count) * sizeof(A), begin = used;
        used += (bytes + 63) / 64 * 64;
#if defined(__SANITIZE_ADDRESS__)
        used += 64;
        if (base != nullptr) {
            __asan_unpoison_memory_region(base + begin, bytes);
            __asan_poison_memory_region(base + begin + bytes, used - begin - bytes);
        }
#else
        static_cast<void>(begin);
#endif
        return r;
    }
};

// A block of scratch memory that goes back at the end of its scope.
struct Block {
    void *memory = nullptr;
    Block() = default;
    Block(const Block &) = delete;
    Block &operator=(const Block &) = delete;
    ~Block() { give_workspace(memory); }
    bool take(std::size_t bytes) { return (memory = take_workspace(bytes)) != nullptr; }
    char *bytes() const { return static_cast<char *>(memory); }
};

// Row numbers, the longest first, so that the rows still running at any step are the first so many.
inline void sort_rows(const i64 *lengths, i64 T, i64 B, i64 *order, i64 *counts) {
    if (lengths == nullptr) {
        for (i64 b = 0; b < B; ++b) order[b] = b;
        return;
    }
    // By counting. counts (T + 2): how many rows have a length, then where the rows of a length begin.
    for (i64 t = 0; t < T + 2; ++t) counts[t] = 0;
    for (i64 b = 0; b < B; ++b) ++counts[T - lengths[b] + 1];
    for (i64 t = 1; t < T + 2; ++t) counts[t] += counts[t - 1];
    for (i64 b = 0; b < B; ++b) order[counts[T - lengths[b]]++] = b;
}

struct Rows {
    i64 count = 0;
    i64 *index = nullptr;   // (count): the row of the batch
    i64 *length = nullptr;  // (count): its steps, falling
    bool reverse = false;

    // Thread `part` of `parts` takes every parts-th row of the order: all threads get rows of every length.
    void choose(const Layer &layer, const i64 *order, int part, int parts) {
        count = 0;
        for (i64 n = part; n < layer.B; n += parts, ++count) {
            index[count] = order[n];
            length[count] = layer.lengths == nullptr ? layer.T : layer.lengths[order[n]];
        }
        reverse = layer.reverse;
    }
    i64 longest() const { return count == 0 ? 0 : length[0]; }
    // Rows that run at this step; `before` is that of an earlier or equal step, and so not less.
    i64 running(i64 step, i64 before) const {
        while (before > 0 && length[before - 1] <= step) --before;
        return before;
    }
    // Where in time a row's step lies.
    i64 time(i64 row, i64 step) const { return reverse ? length[row] - 1 - step : step; }
};

inline i64 rows_of_part(i64 B, int part, int parts) { return part >= B ? 0 : (B - part + parts - 1) / parts; }

// Threads that pay: each with rows enough to use what it reads of the weights, and work enough to be woken for.
inline int useful_threads(const Layer &layer, i64 gates) {
    const double work = 2.0 * double(layer.T) * double(layer.B) * double(gates) * double(layer.H) * double(layer.I + layer.H);
    i64 most = layer.B / 4 < layer.threads ? layer.B / 4 : layer.threads;
    if (work < 4e6 || most < 1) most = 1;
    return int(most);
}

template <class E>
RECURRA_INLINE E *at(const Sequence &s, i64 time, i64 row) {
    return static_cast<E *>(s.data) + time * s.step + row * s.row;
}

// What is kept of a step for the backward pass, in E, or in as many bits more finely where the cell knows it to be in [-1, 1].
template <class Cell, class E>
RECURRA_INLINE void store_kept(E *p, int s, vec value, i64 n) {
    if (PAIR<E> == 2 && Cell::bounded(s)) return store_some(reinterpret_cast<fix16 *>(p), value, n);
    store_some(p, value, n);
}
template <class Cell, class E>
RECURRA_INLINE vec load_kept(const E *p, int s, i64 n) {
    if (PAIR<E> == 2 && Cell::bounded(s)) return load_some(reinterpret_cast<const fix16 *>(p), n);
    return load_some(p, n);
}

// n numbers of either type, as E, and zeros up to `padded`.
template <class E, class From>
RECURRA_INLINE void copy_some(E *to, const From *from, i64 n, i64 padded) {
    i64 j = 0;
    for (; j + WIDTH <= n; j += WIDTH) store(to + j, load(from + j));
    for (; j < n; ++j) to[j] = convert<E>(from[j]);
    for (; j < padded; ++j) to[j] = E{};
}
template <class E>
RECURRA_INLINE void copy_from(E *to, const Sequence &s, i64 time, i64 row, i64 n, i64 padded) {
    if (s.type == Type::float32)
        copy_some(to, at<const float>(s, time, row), n, padded);
    else
        copy_some(to, at<const bf16>(s, time, row), n, padded);
}

// Steps whose rows are taken together through the products over all steps: some 256 rows.
inline i64 chunk_steps(i64 T, i64 rows) {
    i64 n = rows == 0 ? 1 : (256 + rows - 1) / rows;
    return n > T ? (T > 0 ? T : 1) : n;
}

}  // namespace recurra::RECURRA_TARGET
