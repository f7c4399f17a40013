# busybox: its shell and tools, and ps and /proc as a guest sees them
busybox sh -c 'i=0; while [ $i -lt 300 ]; do i=$((i + 1)); echo "$i $((i * i % 97))"; done | busybox sort -k2n | busybox awk "{ s += \$2 * NR } END { print s }"'
busybox seq 1 2000 | busybox sha1sum; busybox printf '%05d\n' 42; busybox vi --help 2>&1 | busybox head -1
ps -o comm= -p $$; tr '\0' ' ' < /proc/self/cmdline; echo; readlink /proc/self/exe; grep -c stack /proc/self/maps; cat /proc/self/comm
