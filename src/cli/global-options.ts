import type { OptionSpec, Reach } from "./command.ts";

/** Options that stand before or after any command; which of them a command heeds is decided by its reach. */
export const GLOBAL_OPTIONS = {
  url: {
    value: "url",
    description:
      "Keyward server to talk to, else KEYWARD_URL; without either, the data directory here",
  },
  token: {
    value: "token",
    description: "admin token for --url, better in KEYWARD_ADMIN_TOKEN: others can read flags",
  },
  dataDir: {
    value: "directory",
    description: "data directory, else KEYWARD_DATA_DIR, else .keyward",
  },
  json: { description: "print JSON" },
} as const satisfies Record<string, OptionSpec>;

export type GlobalName = keyof typeof GLOBAL_OPTIONS;

/** The global options that a command heeds. */
export function globalNames(command: { reach: Reach; printsData: boolean }): GlobalName[] {
  const names: GlobalName[] = [];
  if (command.reach === "admin") names.push("url", "token");
  if (command.reach !== "none") names.push("dataDir");
  if (command.printsData) names.push("json");
  return names;
}
