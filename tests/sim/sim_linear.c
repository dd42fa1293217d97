/* The checker of tests/support, built into this program. */
#include "tests/support/linear.c"
