# SPDX-License-Identifier: MIT
# Completion for fish: verbs and options come from each tool's own --help.

function __lamina_verb
    for word in (commandline -opc)[2..-1]
        if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
    return 1
end

function __lamina_verbs
    set -l tool (basename (commandline -opc)[1])
    $tool --help 2>/dev/null | string replace -rf '^  ([a-z]+)  +(.*)$' '$1\t$2'
end

function __lamina_options
    set -l tool (basename (commandline -opc)[1])
    $tool (__lamina_verb) --help 2>/dev/null |
        string replace -rf '^ {2,6}(?:-., )?(--[a-z0-9-]+)[^ ]*(?: [^ ]+)? *(.*)$' '$1\t$2'
end

for tool in lamina lamina-trace layerfs volctl nslaunch
    complete -c $tool -n 'not __lamina_verb >/dev/null' -f -a '(__lamina_verbs)'
end
for tool in lamina lamina-run lamina-trace layerfs initlayer volctl nslaunch
    complete -c $tool -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__lamina_options)'
end
