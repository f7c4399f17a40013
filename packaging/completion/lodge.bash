# bash completion for lodge. Written by "lodge generate completion" from the command line's own description; not edited by hand.

# The program's own completion, where bash-completion is there to find it; else files.
_lodge_program() {
    if declare -F _command_offset > /dev/null; then
        _command_offset "$1"
    else
        COMPREPLY=( $(compgen -f -- "${COMP_WORDS[COMP_CWORD]}") )
    fi
}

_lodge() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} place=lodge i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$place ${COMP_WORDS[i]}" in
            'lodge run') place='lodge run' ;;
            'lodge binfmt') place='lodge binfmt' ;;
            'lodge ps') place='lodge ps' ;;
            'lodge top') place='lodge top' ;;
            'lodge trace') place='lodge trace' ;;
            'lodge disasm') place='lodge disasm' ;;
            'lodge doctor') place='lodge doctor' ;;
            'lodge config') place='lodge config' ;;
            'lodge run --addr-compat-layout') i=$((i + 1)) ;;
            'lodge run --addr-limit-3gb') i=$((i + 1)) ;;
            'lodge run --code-cache') i=$((i + 1)) ;;
            'lodge run --cpu') i=$((i + 1)) ;;
            'lodge run --cpu-level') i=$((i + 1)) ;;
            'lodge run --environment') i=$((i + 1)) ;;
            'lodge run --ioctl') i=$((i + 1)) ;;
            'lodge run --linux32') i=$((i + 1)) ;;
            'lodge run --log-level') i=$((i + 1)) ;;
            'lodge run --mmap-page-zero') i=$((i + 1)) ;;
            'lodge run --randomize') i=$((i + 1)) ;;
            'lodge run --read-implies-exec') i=$((i + 1)) ;;
            'lodge run --root') i=$((i + 1)) ;;
            'lodge run --uname26') i=$((i + 1)) ;;
            'lodge run --workarounds') i=$((i + 1)) ;;
            'lodge run '[!-]*) _lodge_program $i; return ;;
            'lodge binfmt register') place='lodge binfmt register' ;;
            'lodge binfmt unregister') place='lodge binfmt unregister' ;;
            'lodge binfmt status') place='lodge binfmt status' ;;
            'lodge binfmt register --interpreter') i=$((i + 1)) ;;
            'lodge ps --socket') i=$((i + 1)) ;;
            'lodge top -d'|'lodge top --interval') i=$((i + 1)) ;;
            'lodge top --socket') i=$((i + 1)) ;;
            'lodge trace -o'|'lodge trace --output') i=$((i + 1)) ;;
            'lodge trace --root') i=$((i + 1)) ;;
            'lodge trace -e'|'lodge trace --trace') i=$((i + 1)) ;;
            'lodge trace '[!-]*) _lodge_program $i; return ;;
            'lodge disasm -p'|'lodge disasm --pid') i=$((i + 1)) ;;
            'lodge disasm -n'|'lodge disasm --units') i=$((i + 1)) ;;
            'lodge config check') place='lodge config check' ;;
            'lodge config compile') place='lodge config compile' ;;
            'lodge config show') place='lodge config show' ;;
            'lodge config explain') place='lodge config explain' ;;
            'lodge config compile --from') i=$((i + 1)) ;;
            'lodge config compile -o'|'lodge config compile --output') i=$((i + 1)) ;;
        esac
    done
    case "$place $previous" in
        'lodge run --addr-compat-layout') :; return ;;
        'lodge run --addr-limit-3gb') :; return ;;
        'lodge run --code-cache') :; return ;;
        'lodge run --cpu') :; return ;;
        'lodge run --cpu-level') :; return ;;
        'lodge run --environment') :; return ;;
        'lodge run --ioctl') :; return ;;
        'lodge run --linux32') :; return ;;
        'lodge run --log-level') :; return ;;
        'lodge run --mmap-page-zero') :; return ;;
        'lodge run --randomize') :; return ;;
        'lodge run --read-implies-exec') :; return ;;
        'lodge run --root') COMPREPLY=( $(compgen -d -- "$current") ); return ;;
        'lodge run --uname26') :; return ;;
        'lodge run --workarounds') :; return ;;
        'lodge binfmt register --interpreter') COMPREPLY=( $(compgen -f -- "$current") ); return ;;
        'lodge ps --socket') COMPREPLY=( $(compgen -f -- "$current") ); return ;;
        'lodge top -d'|'lodge top --interval') :; return ;;
        'lodge top --socket') COMPREPLY=( $(compgen -f -- "$current") ); return ;;
        'lodge trace -o'|'lodge trace --output') COMPREPLY=( $(compgen -f -- "$current") ); return ;;
        'lodge trace --root') COMPREPLY=( $(compgen -d -- "$current") ); return ;;
        'lodge trace -e'|'lodge trace --trace') :; return ;;
        'lodge disasm -p'|'lodge disasm --pid') COMPREPLY=( $(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$current") ); return ;;
        'lodge disasm -n'|'lodge disasm --units') :; return ;;
        'lodge config compile --from') COMPREPLY=( $(compgen -d -- "$current") ); return ;;
        'lodge config compile -o'|'lodge config compile --output') COMPREPLY=( $(compgen -f -- "$current") ); return ;;
    esac
    case $place in
        'lodge') COMPREPLY=( $(compgen -W 'run binfmt ps top trace disasm doctor config -? -h --help --json --plain --no-color --version' -- "$current") ) ;;
        'lodge run') COMPREPLY=( $(compgen -W '--addr-compat-layout --addr-limit-3gb --code-cache --cpu --cpu-level --environment -? -h --help --ioctl --json --linux32 --log-level --mmap-page-zero --plain --no-color --no-service --randomize --read-implies-exec --root --strace --uname26 --workarounds' -- "$current") ); [[ $current == -* ]] || COMPREPLY+=( $(compgen -c -- "$current") ) ;;
        'lodge binfmt') COMPREPLY=( $(compgen -W 'register unregister status -? -h --help --json --plain --no-color' -- "$current") ) ;;
        'lodge binfmt register') COMPREPLY=( $(compgen -W 'all arm i386 --force -? -h --help --interpreter --json --plain --no-color --no-credentials --print' -- "$current") ) ;;
        'lodge binfmt unregister') COMPREPLY=( $(compgen -W 'all arm i386 -? -h --help --json --plain --no-color' -- "$current") ) ;;
        'lodge binfmt status') COMPREPLY=( $(compgen -W 'all arm i386 -? -h --help --json --plain --no-color' -- "$current") ) ;;
        'lodge ps') COMPREPLY=( $(compgen -W '-a --ended -? -h --help --json --plain --no-color --socket' -- "$current") ) ;;
        'lodge top') COMPREPLY=( $(compgen -W '-? -h --help -d --interval --json --plain --no-color --once --socket' -- "$current") ) ;;
        'lodge trace') COMPREPLY=( $(compgen -W '-f --follow-forks -? -h --help --json --plain --no-color -o --output --root -C --summary -c --summary-only -T --times -e --trace' -- "$current") ); [[ $current == -* ]] || COMPREPLY+=( $(compgen -c -- "$current") ) ;;
        'lodge disasm') COMPREPLY=( $(compgen -W '-? -h --help --json --plain --no-color -p --pid -n --units' -- "$current") ); COMPREPLY+=( $(compgen -f -- "$current") ) ;;
        'lodge doctor') COMPREPLY=( $(compgen -W '-? -h --help --json --plain --no-color' -- "$current") ) ;;
        'lodge config') COMPREPLY=( $(compgen -W 'check compile show explain -? -h --help --json --plain --no-color' -- "$current") ) ;;
        'lodge config check') COMPREPLY=( $(compgen -W '-? -h --help --json --plain --no-color' -- "$current") ); COMPREPLY+=( $(compgen -f -- "$current") ) ;;
        'lodge config compile') COMPREPLY=( $(compgen -W '--from -? -h --help --json --plain --no-color -o --output --system --user' -- "$current") ) ;;
        'lodge config show') COMPREPLY=( $(compgen -W '-? -h --help --json --plain --no-color' -- "$current") ) ;;
        'lodge config explain') COMPREPLY=( $(compgen -W '-? -h --help --json --plain --no-color --set' -- "$current") ); COMPREPLY+=( $(compgen -f -- "$current") ) ;;
    esac
}

complete -F _lodge lodge
