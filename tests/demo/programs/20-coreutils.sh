# coreutils, grep, sed, awk, find: pipelines over generated and installed files
seq 1 150000 | awk '{ print ($1 * 7919) % 100003, $1 }' | sort -n -k1,1 -k2,2 | uniq -c -f1 | tail -3
seq 1 100000 | sha256sum
seq 1 50000 | tac | sed -n 's/^\([0-9]*\)5$/\1/p' | paste -sd+ | tr + '\n' | wc -l
find /usr/share/perl /usr/share/python3 -type f 2>/dev/null | wc -l
mkdir tree && for i in $(seq 1 60); do mkdir -p tree/$((i % 7))/$((i % 3)); echo "file $i" > tree/$((i % 7))/$((i % 3))/$i; done
tar -C tree -cf - . | (mkdir copy && tar -C copy -xf -) && diff -r tree copy && echo "tar round trip is equal"
find tree -name '*1' -newer /etc/passwd | sort | xargs cat | md5sum
ls -l --time-style=+%s tree/0/0 | awk '{ print $1, $5, $7 }' | head -4
date -u -d @1700000000 +%FT%T; printf 'b\na\nc\n' | sort | tee out | cksum; stat -c '%s %F' out; df . > /dev/null && echo "df works"
timeout 0.2 sleep 5; echo "timeout gave $?"
