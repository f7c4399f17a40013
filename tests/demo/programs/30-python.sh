# python3: big integers, dictionaries, json, regular expressions, hashing, threads, subprocesses, sockets
python3 - <<'PY'
import hashlib, json, re, socket, struct, subprocess, sys, threading, zlib, decimal, time, os, select
sieve = bytearray([1]) * 300000
for i in range(2, 548):
    if sieve[i]: sieve[i*i::i] = bytes(len(range(i*i, 300000, i)))
print('primes', sum(sieve) - 2)
print('2**3000 mod', pow(2, 3000, 10**9 + 7), len(str(3**5000)))
data = {str(i): [i, i / 7, 'x' * (i % 5)] for i in range(3000)}
text = json.dumps(data, sort_keys=True); assert json.loads(text) == data; print('json', len(text), hashlib.sha256(text.encode()).hexdigest()[:16])
print('regex', len(re.findall(r'"(\d+)": \[\1, ', text)))
total, lock = [0], threading.Lock()
def work(n):
    for i in range(2000):
        with lock: total[0] += n
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]; print('threads', total[0])
print('child', subprocess.run([sys.executable, '-c', 'import sys; print(sys.maxsize, sys.byteorder)'], capture_output=True, text=True).stdout.strip())
a, b = socket.socketpair(); a.sendall(b'ping' * 1000); a.close(); got = b''
while chunk := b.recv(4096): got += chunk
print('socket', zlib.crc32(got), struct.calcsize('P'))
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); c = socket.create_connection(s.getsockname()); p, _ = s.accept(); c.send(b'tcp'); print(p.recv(10), select.select([c], [], [], 0)[0])
decimal.getcontext().prec = 50; print(decimal.Decimal(2).sqrt()); print(time.strftime('%Y', time.gmtime((1 << 31) - 1)), os.uname().machine in ('i686', 'x86_64'))
PY
