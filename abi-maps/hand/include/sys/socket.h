/* What linux/if.h expects of the C library, for the layout probe only. */
#include <linux/socket.h>
struct sockaddr { __kernel_sa_family_t sa_family; char sa_data[14]; };
