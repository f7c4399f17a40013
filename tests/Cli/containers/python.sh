# Python and its ways to start processes: posix_spawn and vfork, fork, pools, shells, exec.
cd /tmp
cat > main.py <<'END'
import multiprocessing, os, struct, subprocess, sys
def square(n): return n * n
if __name__ == '__main__':
    print(struct.calcsize('P') * 8, 'bit')
    print(subprocess.run(['sh', '-c', 'echo "$0" one; exit 3', 'sh'], capture_output=True))
    print(subprocess.check_output('echo shell | tr a-z A-Z', shell=True, text=True).strip())
    first = subprocess.Popen(['seq', '5'], stdout=subprocess.PIPE)
    print(subprocess.check_output(['sort', '-rn'], stdin=first.stdout).split())
    with multiprocessing.Pool(2) as pool:
        print(pool.map(square, range(6)))
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, '-c', 'import os; os._exit(5)'])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), os.WEXITSTATUS(os.system('exit 6')))
    print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', 'kill -9 $$'], {}), 0)[1]))
    try:
        subprocess.run(['/tmp/none'])
    except FileNotFoundError as e:
        print(e)
    sys.stdout.flush()
    os.execvp('echo', ['echo', 'the end'])
END
python3 main.py
