#include "workspace.h"

#include <cstdint>
#include <cstdlib>
#include <mutex>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace recurra {
namespace {

struct Header {
    std::size_t bytes;  // of the whole block, header included
    Header *next;
};
constexpr std::size_t HEADER = 64, HUGE = std::size_t(2) << 20;
constexpr std::size_t MOST_KEPT = std::size_t(256) << 20;  // bytes that lie idle at most

std::mutex mutex;
Header *idle = nullptr;  // the latest given back first: the warmest in the caches
std::size_t kept = 0;

}  // namespace

void *take_workspace(std::size_t bytes) {
    if (bytes > SIZE_MAX / 2) return nullptr;
    bytes += HEADER;
    {
        std::lock_guard<std::mutex> lock(mutex);
        for (Header **at = &idle; *at != nullptr; at = &(*at)->next) {
            Header *block = *at;
            if (block->bytes < bytes || block->bytes / 4 > bytes) continue;
            *at = block->next;
            kept -= block->bytes;
            return reinterpret_cast<char *>(block) + HEADER;
        }
    }
    const bool large = bytes >= HUGE;  // on huge pages: weights are read from end to end at every step
    const std::size_t unit = large ? HUGE : HEADER;
    bytes = (bytes + unit - 1) / unit * unit;
    void *memory = std::aligned_alloc(unit, bytes);
    if (memory == nullptr) return nullptr;
#if defined(__linux__)
    if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    static_cast<Header *>(memory)->bytes = bytes;
    return static_cast<char *>(memory) + HEADER;
}

void give_workspace(void *memory) {
    if (memory == nullptr) return;
    Header *block = reinterpret_cast<Header *>(static_cast<char *>(memory) - HEADER);
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(block, block->bytes);  // of the fences between its arrays
#endif
    {
        std::lock_guard<std::mutex> lock(mutex);
        if (kept + block->bytes <= MOST_KEPT) {
            block->next = idle;
            idle = block;
            kept += block->bytes;
            return;
        }
    }
    std::free(block);
}

}  // namespace recurra
