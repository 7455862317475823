// The thread pool: every number is run once and seen by the caller, from inside itself, from many threads at once, with
// growing counts, and in the child of a fork.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "threads.h"

#if defined(__SANITIZE_THREAD__)
// The child of a process with threads starts threads of its own here, at which ThreadSanitizer would end it.
extern "C" __attribute__((visibility("default"))) const char *__tsan_default_options() { return "die_after_fork=0"; }
#endif

namespace {

// Not atomic: the pool alone orders the writes of its threads before the caller's reads.
struct Work {
    std::vector<int> done;
    std::atomic<int> *nested = nullptr;
};

void add_one(void *context, int index) { ++static_cast<Work *>(context)->done[std::size_t(index)]; }

void add_one_and_call(void *context, int index) {
    add_one(context, index);
    Work inner{std::vector<int>(3, 0)};
    recurra::parallel(3, add_one, &inner);
    for (const int times : inner.done) *static_cast<Work *>(context)->nested += times;
}

bool all_once(int count) {
    Work work{std::vector<int>(std::size_t(count), 0)};
    recurra::parallel(count, add_one, &work);
    for (const int times : work.done)
        if (times != 1) return false;
    return true;
}

bool many_calls() {
    for (int n = 0; n < 3000; ++n)
        if (!all_once(n % 7)) return false;
    return true;
}

bool growing() {
    for (int count = 0; count <= 12; ++count)
        for (int n = 0; n < 20; ++n)
            if (!all_once(count)) return false;
    return true;
}

bool nested() {
    for (int n = 0; n < 300; ++n) {
        std::atomic<int> inner{0};
        Work work{std::vector<int>(4, 0), &inner};
        recurra::parallel(4, add_one_and_call, &work);
        if (inner != 12) return false;
    }
    return true;
}

bool idle_between() {  // workers that have gone to sleep wake again
    for (int n = 0; n < 5; ++n) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        if (!all_once(4)) return false;
    }
    return true;
}

bool from_many_threads() {
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t)
        callers.emplace_back([&wrong, t] {
            for (int n = 0; n < 500; ++n)
                if (!all_once(1 + (n + t) % 5)) ++wrong;
        });
    for (std::thread &caller : callers) caller.join();
    return wrong == 0;
}

bool after_fork() {
    for (int n = 0; n < 5; ++n) {
        if (!all_once(4)) return false;
        const pid_t child = fork();
        if (child == 0) {
            alarm(60);  // a child that waits for threads that it does not have would wait for ever
            bool right = true;
            for (int count = 1; count < 6; ++count) right = right && all_once(count);
            _exit(right ? 0 : 1);
        }
        int status = -1;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return false;
    }
    return all_once(4);
}

}  // namespace

int main() {
    struct {
        const char *name;
        bool (*holds)();
    } const checks[] = {{"many calls", many_calls},       {"growing", growing},          {"nested", nested},
                        {"idle between", idle_between},   {"after fork", after_fork},    {"from many threads", from_many_threads},
                        {"after fork again", after_fork}, {"many again", many_calls}};
    for (const auto &check : checks) {
        const bool holds = check.holds();
        std::printf("%s: %s\n", check.name, holds ? "right" : "WRONG");
        if (!holds) return 1;
    }
    return 0;
}
