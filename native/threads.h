// Threads: OpenMP's where the process has it, else a pool of our own, made when first needed.
#pragma once

namespace recurra {

// Run function(context, 0) … function(context, count - 1), at once where there are threads; returns when all are done.
// From inside such a function, or where a thread cannot be had, they run one after another on the caller.
void parallel(int count, void (*function)(void *, int), void *context);

}  // namespace recurra
