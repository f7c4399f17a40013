# The shell: pipelines, substitutions, jobs, signals, scripts by their first line, here-documents.
cd /tmp
readlink /proc/$$/exe
seq 1000 | sort -rn | head -3 | tr '\n' ' '; echo
echo $(( $(printf 'a\nb\n' | wc -l) * 21 ))
sleep 60 & pid=$!; kill $pid; wait $pid; echo "status $?"
printf '#!/usr/bin/env -S awk -f\nBEGIN { print "awk", ARGV[1] }\n' > script; chmod +x script; ./script word
printf '#!/bin/sh\nexec "$@"\n' > wrap; chmod +x wrap; ./wrap ./wrap env -i X=1 /usr/bin/env
find /usr/bin -name 'x*z*' | xargs -n 2 basename -a | sort | head -3
(trap 'echo got TERM' TERM; kill -TERM $(sh -c 'echo $PPID'))
cat <<END | bzip2 | xz | xz -d | bzip2 -d
here
END
