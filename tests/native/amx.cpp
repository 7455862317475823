// The products of gemm.h and, on emulated tiles, of amx.h against a plain loop: many sizes, A by rows and turned, results
// written and added to. Small whole numbers, whose sums are exact in any order, so that results are equal and not close.
#define RECURRA_TARGET emulated
#define RECURRA_EMULATE_AMX
#include "gemm.h"
#include "problem.h"

namespace recurra::test {
namespace {

using emulated::bf16;
using emulated::Lie;

template <class E>
E element(int value) {
    E r;
    emulated::assign(r, float(value));
    return r;
}

template <class E, Lie LIE>
bool right(Random &random, i64 rows, i64 panels, i64 k, bool onto) {
    constexpr i64 pair = emulated::PAIR<E>, width = 16;
    const i64 count = (k + pair - 1) / pair, gap = random.below(3);
    const i64 lda = LIE == Lie::rows ? count * pair + gap * pair : (rows + gap) * pair;
    const i64 ldb = count * pair * width + gap * width, ldc = panels * width + gap;
    const i64 a_size = LIE == Lie::rows ? (rows - 1) * lda + count * pair : (count - 1) * lda + rows * pair;
    const i64 b_size = (panels - 1) * ldb + count * pair * width, c_size = (rows - 1) * ldc + panels * width;
    const auto heap = [](i64 bytes) { return std::malloc(std::size_t(bytes < 0 ? 0 : bytes)); };
    E *a = static_cast<E *>(heap(a_size * i64(sizeof(E)))), *b = static_cast<E *>(heap(b_size * i64(sizeof(E))));
    float *c = static_cast<float *>(heap(c_size * i64(sizeof(float))));
    const auto number = [&] { return int(random.below(7)) - 3; };
    for (i64 j = 0; j < a_size; ++j) a[j] = element<E>(number());
    for (i64 j = 0; j < b_size; ++j) b[j] = element<E>(number());
    std::vector<float> wanted(std::size_t(c_size), -77.0f);
    for (i64 m = 0; m < rows; ++m)
        for (i64 n = 0; n < panels * width; ++n) {
            float sum = onto ? float(number()) : 0.0f;
            wanted[std::size_t(m * ldc + n)] = sum;
        }
    for (i64 j = 0; j < c_size; ++j) c[j] = wanted[std::size_t(j)];
    for (i64 m = 0; m < rows; ++m)
        for (i64 n = 0; n < panels * width; ++n)
            for (i64 q = 0; q < count * pair; ++q) {
                const E left = LIE == Lie::rows ? a[m * lda + q] : a[q / pair * lda + m * pair + q % pair];
                const E above = b[n / width * ldb + (q / pair * width + n % width) * pair + q % pair];
                wanted[std::size_t(m * ldc + n)] += emulated::to_float(left) * emulated::to_float(above);
            }
    emulated::product<E, LIE>(rows, panels, k, a, lda, b, ldb, c, ldc, onto);
    bool same = true;
    for (i64 j = 0; j < c_size; ++j) same = same && c[j] == wanted[std::size_t(j)];
    std::free(a), std::free(b), std::free(c);
    if (!same)
        std::printf("%s, %s, %lld rows, %lld panels, k = %lld, onto %d: wrong\n", pair == 2 ? "tiles" : "float",
                    LIE == Lie::rows ? "by rows" : "turned", static_cast<long long>(rows), static_cast<long long>(panels),
                    static_cast<long long>(k), int(onto));
    return same;
}

bool all_right(Random &random, i64 rows, i64 panels, i64 k) {
    for (const bool onto : {false, true})
        if (!right<float, Lie::rows>(random, rows, panels, k, onto) || !right<float, Lie::turned>(random, rows, panels, k, onto) ||
            !right<bf16, Lie::rows>(random, rows, panels, k, onto) || !right<bf16, Lie::turned>(random, rows, panels, k, onto))
            return false;
    return true;
}

int run() {
    Random random{1};
    i64 checked = 0;
    // All about the edges of a tile (16 rows, 32 of k), of a block of 32 rows, and of the 512 of k that are turned at a time.
    for (const i64 rows : {1, 2, 15, 16, 17, 31, 32, 33, 48, 70})
        for (const i64 panels : {1, 2, 3, 4, 5})
            for (const i64 k : {0, 1, 2, 3, 31, 32, 33, 64, 65})
                if (++checked; !all_right(random, rows, panels, k)) return 1;
    for (const i64 k : {511, 512, 513, 545, 1100})
        for (const i64 rows : {1, 17, 33})
            if (++checked; !all_right(random, rows, 3, k)) return 1;
    for (int n = 0; n < 300; ++n)
        if (++checked; !all_right(random, 1 + random.below(80), 1 + random.below(6), random.below(200))) return 1;
    std::printf("%lld sizes\n", static_cast<long long>(checked));
    return 0;
}

}  // namespace
}  // namespace recurra::test

int main() { return recurra::test::run(); }
