# bash: functions, arrays, arithmetic, here-documents, traps, subshells, job control
fib() { local n=$1; if ((n < 2)); then echo "$n"; else echo $(($(fib $((n - 1))) + $(fib $((n - 2))))); fi; }
echo "fib 12 = $(fib 12)"
declare -A count
while read -r word _; do count[${word:0:1}]=$((${count[${word:0:1}]:-0} + 1)); done <<'WORDS'
alpha x
beta y
amber z
gamma
bright
WORDS
for k in $(printf '%s\n' "${!count[@]}" | sort); do printf '%s:%d ' "$k" "${count[$k]}"; done; echo
trap 'echo "caught USR1"' USR1; kill -USR1 $$
(sleep 0.1; exit 7) & wait $!; echo "background status $?"
s=0; for ((i = 0; i < 20000; i++)); do ((s += i ^ (i >> 3))); done; echo "sum $s"
[[ "lodge-32" =~ ^([a-z]+)-([0-9]+)$ ]] && echo "${BASH_REMATCH[2]} bits"
coproc CAT { cat; }; echo through a coprocess >&"${CAT[1]}"; read -r line <&"${CAT[0]}"; echo "$line"
