// The processor is asked once what it can do.
#include "dispatch.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace recurra {

// CMake defines RECURRA_WITH_… for each target that the compiler knows.
#define RECURRA_DECLARE(target) \
  namespace target {            \
  extern const Engine engine;  \
  }
RECURRA_DECLARE(baseline)
#ifdef RECURRA_WITH_AVX2
RECURRA_DECLARE(avx2)
#endif
#ifdef RECURRA_WITH_AVXVNNI
RECURRA_DECLARE(avxvnni)
#endif
#ifdef RECURRA_WITH_AVX512
RECURRA_DECLARE(avx512)
#endif
#ifdef RECURRA_WITH_AVX512VNNI
RECURRA_DECLARE(avx512vnni)
#endif
#ifdef RECURRA_WITH_AVX512BF16
RECURRA_DECLARE(avx512bf16)
#endif
#ifdef RECURRA_WITH_AMX
RECURRA_DECLARE(amx)
#endif
#ifdef RECURRA_WITH_NEON
RECURRA_DECLARE(neon)
#endif
#undef RECURRA_DECLARE

namespace {

struct Features {
  bool avx2 = false, avxvnni = false, avx512 = false, avx512vnni = false, avx512bf16 = false, amx = false;
  char vendor[13] = "";
};

#if defined(__x86_64__)

bool bit(unsigned value, int number) { return (value >> number) & 1u; }

// Gives XCR0: the registers that the operating system saves when it switches threads.
std::uint64_t saved_registers() {
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

// Linux grants the 8 KiB of tiles only to a process that asks (Documentation/arch/x86/xstate.rst).
bool tiles_granted() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

// Bits as in Intel's manual, volume 2A, CPUID, and volume 1, 13.3 (the operating system's part).
Features probe() {
  Features found;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(0, &a, &b, &c, &d)) return found;
  std::memcpy(found.vendor, &b, 4);
  std::memcpy(found.vendor + 4, &d, 4);
  std::memcpy(found.vendor + 8, &c, 4);
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  const bool fma = bit(c, 12), f16c = bit(c, 29), avx = bit(c, 28), xsave = bit(c, 27);
  if (!xsave || !avx) return found;
  const std::uint64_t saved = saved_registers();
  constexpr std::uint64_t ymm = 0x6, zmm = 0xe6, tiles = 0x60000;
  unsigned b7 = 0, c7 = 0, d7 = 0, a71 = 0;
  if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7)) return found;
  if (a >= 1 && __get_cpuid_count(7, 1, &a71, &b, &c, &d) == 0) a71 = 0;
  found.avx2 = (saved & ymm) == ymm && fma && f16c && bit(b7, 5);
  const bool f = bit(b7, 16), dq = bit(b7, 17), bw = bit(b7, 30), vl = bit(b7, 31);
  found.avx512 = found.avx2 && (saved & zmm) == zmm && f && dq && bw && vl;
  found.avxvnni = found.avx2 && bit(a71, 4);
  found.avx512vnni = found.avx512 && bit(c7, 11);
  found.avx512bf16 = found.avx512vnni && bit(a71, 5);
  found.amx = found.avx512bf16 && (saved & tiles) == tiles && bit(d7, 22) && bit(d7, 24) && tiles_granted();
  return found;
}

#else

Features probe() { return {}; }

#endif

constexpr std::size_t most = 8;

// The streams of an instruction set that has more for them than the one whose layers it runs.
[[maybe_unused]] Engine with_layers(const Engine& streams, const Engine& layers) {
  Engine both = streams;
  both.forward_bytes = layers.forward_bytes;
  both.forward_pack = layers.forward_pack;
  both.forward = layers.forward;
  both.backward = layers.backward;
  return both;
}

struct Table {
  Features features = probe();
  Isa entries[most];
  std::size_t count = 0;
  const Engine* selected = nullptr;
  Engine narrow{}, wide{};

  Table() {
    add("baseline", &baseline::engine, true);
#ifdef RECURRA_WITH_AVX2
    add("avx2", &avx2::engine, features.avx2);
#endif
#if defined(RECURRA_WITH_AVX2) && defined(RECURRA_WITH_AVXVNNI)
    narrow = with_layers(avxvnni::engine, avx2::engine);
    add("avxvnni", &narrow, features.avxvnni);
#endif
#ifdef RECURRA_WITH_AVX512
    add("avx512", &avx512::engine, features.avx512);
#endif
#if defined(RECURRA_WITH_AVX512) && defined(RECURRA_WITH_AVX512VNNI)
    wide = with_layers(avx512vnni::engine, avx512::engine);
    add("avx512vnni", &wide, features.avx512vnni);
#endif
#ifdef RECURRA_WITH_AVX512BF16
    add("avx512bf16", &avx512bf16::engine, features.avx512bf16);
#endif
#ifdef RECURRA_WITH_AMX
    add("amx", &amx::engine, features.amx);
#endif
#ifdef RECURRA_WITH_NEON
    add("neon", &neon::engine, true);  // part of every 64-bit Arm
#endif
  }

  void add(const char* name, const Engine* engine, bool usable) {
    entries[count++] = {name, engine, usable};
    if (usable) selected = engine;
  }
};

Table& table() {
  static Table made;
  return made;
}

}  // namespace

const Isa* isas(std::size_t* count) {
  *count = table().count;
  return table().entries;
}

bool select_isa(const char* name) {
  Table& all = table();
  for (std::size_t i = 0; i < all.count; ++i) {
    if (std::strcmp(all.entries[i].name, name) != 0) continue;
    if (!all.entries[i].usable) return false;
    all.selected = all.entries[i].engine;
    return true;
  }
  return false;
}

const Engine& engine() { return *table().selected; }

const char* vendor() { return table().features.vendor; }

}  // namespace recurra
