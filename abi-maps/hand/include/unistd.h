/* What linux/shm.h expects of the C library, for the layout probe only. */
