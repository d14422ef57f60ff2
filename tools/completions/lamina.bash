# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion for bash: verbs and options come from each tool's own --help, so that they are always
# those of the tool that is there; images and containers from the store.

# Prints the verbs of a tool, or the options of a tool or of its verb.
_lamina_words()
{
	local kind=$1
	shift
	case $kind in
	verbs) "$@" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' ;;
	options) "$@" --help 2>/dev/null | sed -nE 's/^ {2,6}(-., )?(--[a-z0-9-]+).*/\2/p' ;;
	images) layerfs images 2>/dev/null | awk -F '\t' '{ print $1; print $1 ":" $2 }' ;;
	volumes) volctl ls -q 2>/dev/null ;;
	containers)
		local name
		for name in "${LAMINA_STORE:-/var/lib/lamina}"/names/*; do
			[ -L "$name" ] && printf '%s\n' "${name##*/}"
		done
		;;
	esac
}

_lamina()
{
	local word=${COMP_WORDS[COMP_CWORD]} tool=${COMP_WORDS[0]##*/} verb='' words='' i

	COMPREPLY=()
	case $tool in
	initlayer | lamina-run) ;;
	*)
		for ((i = 1; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			-*) ;;
			*)
				verb=${COMP_WORDS[i]}
				break
				;;
			esac
		done
		if [ -z "$verb" ] && [[ $word != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_lamina_words verbs "$tool")" -- "$word")
			return
		fi
		;;
	esac
	if [[ $word == -* ]]; then
		words=$(_lamina_words options "$tool" ${verb:+"$verb"})
	else
		case $tool:$verb in
		lamina-run: | *:run | layerfs:create | lamina:create | *:rmi | *:tag)
			words=$(_lamina_words images) ;;
		*:inspect) words=$(_lamina_words images; _lamina_words containers) ;;
		layerfs:rm | lamina:rm | *:kill | *:start | *:state | *:delete | *:mount | *:umount | \
			*:pause | *:resume | *:ps | *:exec | *:events | *:update | *:checkpoint)
			words=$(_lamina_words containers) ;;
		volctl:rm) words=$(_lamina_words volumes) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	# A name's colon is one of bash's word breaks.
	if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
	fi
}

complete -o bashdefault -o default -F _lamina lamina lamina-run lamina-trace layerfs initlayer volctl nslaunch
