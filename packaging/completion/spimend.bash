# SPDX-License-Identifier: MIT
# bash completion for spimend. What there is it asks the program itself, so it knows what that version knows.

_spimend_commands() {
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
	echo deny
}

_spimend_options() {
	"$1" ${2:+"$2"} --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# Incidents of the daemon; none where it does not run or may not be asked.
_spimend_incidents() {
	"$1" incidents --json 2>/dev/null | sed -n 's/.*"schema":"spimend.incident\/1","id":"\([a-z0-9]*\)".*/\1/p'
}

_spimend() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-} files
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_spimend_commands "$program") --help --version" -- "$word")
		return
	fi
	case $word in
	-*)
		mapfile -t COMPREPLY < <(compgen -W "$(_spimend_options "$program" "$command")" -- "$word")
		return
		;;
	esac
	case $command in
	explain | report | evidence | approve | deny)
		if [ "$COMP_CWORD" -eq 2 ]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_spimend_incidents "$program")" -- "$word")
			return
		fi
		;;
	esac
	# A file; behind NAME= too, for audit.
	files=$word
	case $command:$word in audit:*=*) files=${word#*=} ;; esac
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$files")
}

complete -F _spimend spimend
