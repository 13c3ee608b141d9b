# Completion of postbackd's commands and flags for bash. The words come from the program's own help,
# so that they are those of the version that is installed.
_postbackd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]-}
    local words=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words="$(postbackd --help | sed -n 's/^  postbackd \([a-z-]*\) .*/\1/p') --help --version"
    elif [[ $before == --data ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
    elif [[ $before == --*file || $before == --config || $before == --sendmail ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    elif [[ $word == -* ]]; then
        words="$(postbackd "$command" --help | grep -o -- '--[a-z][a-z-]*' | sort -u) --help"
    elif [[ $command == admin && $before == admin ]]; then
        words=$(postbackd admin --help | sed -n 's/^  \([a-z]\+\) [a-z]\+ .*/\1/p' | sort -u)
    elif [[ $command == admin && ${COMP_WORDS[COMP_CWORD-2]} == admin ]]; then
        words=$(postbackd admin --help | sed -n "s/^  $before \([a-z]\+\) .*/\1/p")
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _postbackd postbackd
