#define RECURRA_TARGET baseline
#include "../engine.inc"
