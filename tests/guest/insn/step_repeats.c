/* Single steps through repeated string instructions: the CPU traps after every iteration. */
#define REPEATS
#include "step.c"
