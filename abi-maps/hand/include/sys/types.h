/* What linux/input.h expects of the C library, for the layout probe only. */
#include <linux/types.h>
