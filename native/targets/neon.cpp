#define RECURRA_TARGET neon
#include "../engine.inc"
