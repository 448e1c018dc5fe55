import { defineCommand } from "../command.ts";
import { COMPLETION_SCRIPTS, isShell } from "../completion-scripts.ts";
import { parseChoice } from "../parse-choice.ts";

export const completion = defineCommand({
  summary: "print the completion script of a shell",
  details:
    "The script asks `keyward complete` for nouns, verbs, options and their values, so it fits every version.",
  examples: [
    'echo "source <(keyward completion bash)" >> ~/.bashrc',
    'keyward completion zsh > "${fpath[1]}/_keyward"',
    "keyward completion fish > ~/.config/fish/completions/keyward.fish",
  ],
  reach: "none",
  printsData: false,
  arguments: { shell: { description: "the shell", choices: Object.keys(COMPLETION_SCRIPTS) } },
  run: ({ arguments: { shell }, io }) => {
    io.stdout.write(COMPLETION_SCRIPTS[parseChoice(shell, isShell, "shell")]);
    return Promise.resolve();
  },
});
