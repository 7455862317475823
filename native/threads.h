// The thread pool: one, for the whole process, made when first needed.
#pragma once

namespace recurra {

// Run function(context, 0) … function(context, count - 1), each on a thread of its own; returns when all are done.
// The caller takes number 0. From inside such a function, or where a thread cannot be had, all run on the caller.
void parallel(int count, void (*function)(void *, int), void *context);

// A callable instead of a function and its context.
template <class Callable>
inline void parallel_for(int count, Callable &&callable) {
    parallel(
        count, [](void *context, int index) { (*static_cast<Callable *>(context))(index); }, const_cast<void *>(static_cast<const void *>(&callable)));
}

}  // namespace recurra
