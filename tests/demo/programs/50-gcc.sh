# gcc and g++: compile, link and run C and C++ programs, with a library and a parallel make
cat > sum.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
extern int twice(int);
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void) { int v[1000]; unsigned s = 1; for (int i = 0; i < 1000; i++) { s = s * 1664525 + 1013904223; v[i] = s >> 20; }
    qsort(v, 1000, sizeof *v, compare); double q = 0; for (int i = 0; i < 1000; i++) q += sqrt(v[i]);
    printf("%d %d %.6f %d bytes a pointer, %d\n", v[0], v[999], q, (int)sizeof(void *), twice(21)); return 0; }
C
echo 'int twice(int x) { return 2 * x; }' > twice.c
cat > words.cc <<'C'
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <stdexcept>
#include <thread>
int main() { std::map<std::string, int> m; for (int i = 0; i < 1000; i++) m["k" + std::to_string(i * 37 % 101)] += i; int s = 0;
    std::thread t([&] { for (auto &e : m) s += e.second; }); t.join();
    try { m.at("none"); } catch (const std::out_of_range &) { std::cout << m.size() << ' ' << s << " caught\n"; } }
C
printf 'all: sum words\nsum: sum.o libtwice.so\n\tgcc -o $@ sum.o -L. -ltwice -lm -Wl,-rpath,.\nlibtwice.so: twice.c\n\tgcc -O2 -shared -fPIC -o $@ $<\n%%.o: %%.c\n\tgcc -O2 -Wall -c $<\nwords: words.cc\n\tg++ -O1 -pthread -o $@ $<\n' > Makefile
make -s -j2 && ./sum && ./words && file -b sum | cut -d, -f1,2
