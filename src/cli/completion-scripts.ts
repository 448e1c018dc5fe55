/**
 * One script a shell. Each hands the words up to the cursor to `keyward complete --` and takes back one
 * `value<tab>description` a line; what can be completed is decided there. Where nothing can, file names are offered.
 */
export const COMPLETION_SCRIPTS = {
  bash: `# bash completion for keyward
_keyward() {
  COMPREPLY=()
  local line
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(keyward complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _keyward keyward
`,
  zsh: `#compdef keyward
# zsh completion for keyward
_keyward() {
  local line
  local -a found
  for line in "\${(@f)$(keyward complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then
    _describe keyward found
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _keyward ]]; then
  _keyward "$@"
else
  compdef _keyward keyward
fi
`,
  fish: `# fish completion for keyward
function __keyward_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    keyward complete -- $before[2..] "$current" 2>/dev/null
end
complete -c keyward -f -a '(__keyward_complete)'
`,
} as const;

export type Shell = keyof typeof COMPLETION_SCRIPTS;

export function isShell(word: string): word is Shell {
  return Object.hasOwn(COMPLETION_SCRIPTS, word);
}
