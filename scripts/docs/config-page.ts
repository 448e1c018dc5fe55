import { listSettings, type Setting } from "../../src/config/config-schema.ts";
import { settingBounds } from "../../src/config/load-config.ts";
import { formatTable, GENERATED, type Page } from "./page.ts";

const INTRODUCTION = `# Configuration

A Keyward server needs no configuration. What can be set can be set in four places; the first that names a setting
wins:

1. a flag of \`keyward start\`,
2. an environment variable,
3. \`keyward.config.json\` in the working directory, one JSON object with the names below: \`{"port": 4242}\`,
4. the default.

A name that Keyward does not know is refused, in each of these places, and so is a value out of bounds; all problems
are reported at once. An empty environment variable is one that is not set. Sizes are in bytes and times in
milliseconds, as the names say. A flag of a running process can be read by every user of the machine: prefer the
environment variable for a secret.`;

export function configPage(): Page {
  const table = formatTable(
    ["setting", "environment variable", "flag", "default", "takes", "what it does"],
    listSettings().map((setting) => [
      `\`${setting.key}\`${setting.isRefusedInFile ? " (not in the file)" : ""}`,
      `\`${setting.variable}\``,
      `\`${setting.flag}\``,
      describeDefault(setting),
      describeValues(setting),
      setting.description,
    ]),
  );
  return { path: "docs/config.md", text: `${GENERATED}\n\n${INTRODUCTION}\n\n${table}\n` };
}

function describeDefault({ key, defaultValue }: Setting): string {
  if (defaultValue === null || typeof defaultValue === "object") return "none";
  const text = `\`${defaultValue}\``;
  const mebibytes = Number(defaultValue) / 1024 ** 2;
  if (key.endsWith("Bytes") && Number.isInteger(mebibytes)) return `${text} (${mebibytes} MiB)`;
  const seconds = Number(defaultValue) / 1000;
  if (!key.endsWith("Ms") || !Number.isInteger(seconds)) return text;
  return `${text} (${seconds >= 120 ? `${seconds / 60} min` : `${seconds} s`})`;
}

function describeValues({ key, type, choices, isSecret }: Setting): string {
  if (choices !== null) return choices.map((choice) => `\`${choice}\``).join(", ");
  if (type === "switch") return "`true`, `false`";
  if (type === "list") return "texts, separated by commas; in the file a list";
  if (type === "text") return isSecret ? "text (secret)" : "text";
  const { minimum, maximum } = settingBounds(key);
  return minimum === maximum ? `\`${minimum}\`` : `${minimum} to ${maximum}`;
}
