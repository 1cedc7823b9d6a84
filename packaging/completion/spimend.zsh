#compdef spimend
# SPDX-License-Identifier: MIT
# zsh completion for spimend. What there is it asks the program itself, so it knows what that version knows.

local program=$words[1] command=$words[2]
local -a found

if (( CURRENT == 2 )); then
	found=(${(f)"$($program --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')"} deny --help --version)
	_describe command found
	return
fi
if [[ $words[CURRENT] == -* ]]; then
	found=(${(f)"$($program $command --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)"})
	compadd -- $found
	return
fi
case $command in
(explain|report|evidence|approve|deny)
	if (( CURRENT == 3 )); then
		found=(${(f)"$($program incidents --json 2>/dev/null |
			sed -n 's/.*"schema":"spimend.incident\/1","id":"\([a-z0-9]*\)".*/\1/p')"})
		compadd -- $found
		return
	fi
	;;
esac
_files
