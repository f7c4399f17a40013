# a threaded program: mutexes, condition variables, atomics, thread-local storage, 200 threads
cat > t.c <<'C'
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t more = PTHREAD_COND_INITIALIZER, less = PTHREAD_COND_INITIALIZER;
static int queue[16], head, tail; static atomic_llong sum64; static atomic_uint sum; static __thread int mine; static pthread_barrier_t bar;
static void put(int v) { pthread_mutex_lock(&m); while (head - tail == 16) pthread_cond_wait(&less, &m); queue[head++ & 15] = v; pthread_cond_signal(&more); pthread_mutex_unlock(&m); }
static int get(void) { pthread_mutex_lock(&m); while (head == tail) pthread_cond_wait(&more, &m); int v = queue[tail++ & 15]; pthread_cond_signal(&less); pthread_mutex_unlock(&m); return v; }
static void *producer(void *x) { for (int i = 1; i <= 20000; i++) put(i); return x; }
static void *consumer(void *x) { for (;;) { int v = get(); if (v < 0) return (void *)(long)mine; mine++; atomic_fetch_add(&sum64, v); } }
static void *worker(void *x) { for (int i = 0; i < 3000; i++) atomic_fetch_add(&sum, 3), mine++; pthread_barrier_wait(&bar); return (void *)(long)mine; }
int main(void) { pthread_t p[4], c[4], w[200]; void *r; long n = 0;
    for (int i = 0; i < 4; i++) pthread_create(&c[i], 0, consumer, 0), pthread_create(&p[i], 0, producer, 0);
    for (int i = 0; i < 4; i++) pthread_join(p[i], 0); for (int i = 0; i < 4; i++) put(-1); for (int i = 0; i < 4; i++) pthread_join(c[i], &r), n += (long)r;
    printf("%ld items, sum %lld\n", n, (long long)sum64); pthread_barrier_init(&bar, 0, 200); n = 0;
    for (int i = 0; i < 200; i++) pthread_create(&w[i], 0, worker, 0); for (int i = 0; i < 200; i++) pthread_join(w[i], &r), n += (long)r;
    printf("200 threads: %u %ld, own %d\n", sum, n, mine); return 0; }
C
gcc -O2 -pthread -o t t.c && ./t
