#include "threads.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace recurra {
namespace {

void relax() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Wait awake for a while; gives whether it has come. Long enough to meet the next layer's call, short enough to leave the core
// to others soon. By the clock: an instruction of pausing takes 1 to 50 ns, by the processor.
constexpr std::chrono::microseconds AWAKE{80};

template <class Condition>
bool wait_awake(const Condition &come) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + AWAKE;
    do {
        for (int spin = 0; spin < 32; ++spin) {
            if (come()) return true;
            relax();
        }
    } while (Clock::now() < end);
    return come();
}

class Pool {
   public:
    Pool() = default;
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    ~Pool() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
            generation_.fetch_add(1, std::memory_order_release);
        }
        wake_.notify_all();
        for (std::thread &worker : workers_) worker.join();
    }

    // At most one call at a time runs on the workers; another, from another thread or from inside, runs on its caller.
    void run(int count, void (*function)(void *, int), void *context) {
        std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
        if (count <= 1 || inside_ || !turn.try_lock() || !grow(count - 1)) {  // who is inside may hold it already
            for (int index = 0; index < count; ++index) function(context, index);
            return;
        }
        {
            std::lock_guard<std::mutex> lock(mutex_);
            function_ = function;
            context_ = context;
            count_ = count;
            left_.store(count - 1, std::memory_order_relaxed);
            generation_.fetch_add(1, std::memory_order_release);
        }
        wake_.notify_all();
        inside_ = true;
        function(context, 0);
        inside_ = false;
        const auto all_done = [this] { return left_.load(std::memory_order_acquire) == 0; };
        if (wait_awake(all_done)) return;
        std::unique_lock<std::mutex> lock(mutex_);
        done_.wait(lock, all_done);
    }

   private:
    bool grow(int size) {
        try {
            while (int(workers_.size()) < size) {
                const int index = int(workers_.size()) + 1;
                const unsigned seen = generation_.load(std::memory_order_acquire);
                workers_.emplace_back([this, index, seen] { work(index, seen); });
            }
        } catch (const std::system_error &) {  // no more threads are to be had: the work is still done
            return false;
        }
        return true;
    }

    void work(int index, unsigned seen) {
        inside_ = true;
        for (;;) {
            const auto called = [this, seen] { return generation_.load(std::memory_order_acquire) != seen; };
            wait_awake(called);
            void (*function)(void *, int);
            void *context;
            int count;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, called);
                if (stopping_) return;
                seen = generation_.load(std::memory_order_acquire);
                function = function_, context = context_, count = count_;
            }
            if (index >= count) continue;
            function(context, index);
            if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                std::lock_guard<std::mutex> lock(mutex_);
                done_.notify_one();
            }
        }
    }

    std::vector<std::thread> workers_;
    std::mutex turn_, mutex_;
    std::condition_variable wake_, done_;
    std::atomic<unsigned> generation_{0};
    std::atomic<int> left_{0};
    void (*function_)(void *, int) = nullptr;
    void *context_ = nullptr;
    int count_ = 0;
    bool stopping_ = false;
    static thread_local bool inside_;
};

thread_local bool Pool::inside_ = false;

// A child of fork() has none of its parent's threads: it begins with a pool of its own and leaves the old one alone.
std::atomic<Pool *> pool{nullptr};
std::atomic<bool> forked{false};
void forget() {
    pool.store(nullptr);
    forked.store(true);
}

// Where OpenMP is in the process, as torch brings it, its threads do the work. They wait awake between two regions, for as long as
// recurra/__init__.py lets them: beside them a pool of our own would wait for the cores that they hold.
using OpenMp = void (*)(void (*)(void *), void *, unsigned, unsigned);

OpenMp open_mp() {
    static const OpenMp found = reinterpret_cast<OpenMp>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
    return forked.load(std::memory_order_relaxed) ? nullptr : found;
}

struct Region {
    void (*function)(void *, int);
    void *context;
    int count;
    std::atomic<int> next{0};
};

// As many threads as OpenMP gives, which inside another region is one, take all the numbers.
void take_numbers(void *given) {
    Region &region = *static_cast<Region *>(given);
    for (int index; (index = region.next.fetch_add(1, std::memory_order_relaxed)) < region.count;)
        region.function(region.context, index);
}

Pool &the_pool() {
    static const int registered = pthread_atfork(nullptr, nullptr, forget);
    static_cast<void>(registered);
    Pool *now = pool.load(std::memory_order_acquire);
    if (now != nullptr) return *now;
    auto made = std::make_unique<Pool>();
    if (pool.compare_exchange_strong(now, made.get())) return *made.release();  // lives as long as the process
    return *now;
}

}  // namespace

void parallel(int count, void (*function)(void *, int), void *context) {
    if (count > 1) {
        Pool &own = the_pool();  // which also begins to listen for fork()
        if (const OpenMp region_of = open_mp()) {
            Region region{function, context, count};
            return region_of(take_numbers, &region, unsigned(count), 0);
        }
        return own.run(count, function, context);
    }
    for (int index = 0; index < count; ++index) function(context, index);
}

}  // namespace recurra
