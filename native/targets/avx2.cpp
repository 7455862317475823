#define RECURRA_TARGET avx2
#include "../engine.inc"
