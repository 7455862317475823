// The thread pool: one, for the whole process, made when first needed.
#pragma once

namespace recurra {

// Run function(context, 0) … function(context, count - 1), each on a thread of its own; returns when all are done.
// The caller takes number 0. From inside such a function, or where a thread cannot be had, all run on the caller.
void parallel(int count, void (*function)(void *, int), void *context);

}  // namespace recurra
