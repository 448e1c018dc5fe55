import type { AdminClient } from "../admin/client.ts";
import type { Config } from "../config/config-schema.ts";
import type { AdminAccess } from "./admin-access.ts";
import { CliError } from "./cli-error.ts";
import type { CliIo } from "./cli-io.ts";
import type { AdminScope, CommandContext, GlobalOptions } from "./command.ts";
import { Output } from "./output.ts";

/** What one command line opens on the way and closes at its end. */
export class CommandSession {
  readonly #io: CliIo;
  readonly #globals: GlobalOptions;
  readonly #output: Output;
  #access: Promise<AdminAccess> | undefined;

  constructor(io: CliIo, globals: GlobalOptions) {
    this.#io = io;
    this.#globals = globals;
    this.#output = new Output(io, globals.json);
  }

  get context(): Omit<CommandContext, "options" | "arguments"> {
    return {
      globals: this.#globals,
      io: this.#io,
      output: this.#output,
      admin: (scope) => this.#admin(scope ?? "all"),
      config: (flags) => this.#config(flags),
    };
  }

  async #admin(scope: AdminScope): Promise<AdminClient> {
    this.#access ??= this.#open(scope);
    return (await this.#access).client;
  }

  async #config(
    flags: Readonly<Record<string, string | boolean | undefined>> = {},
  ): Promise<Config> {
    // Loaded here: the schema library is most of what a command without configuration would wait for.
    const { loadConfig } = await import("../config/load-config.ts");
    const loaded = loadConfig({
      env: this.#io.env,
      flags: { dataDir: this.#globals.dataDir, ...flags },
      cwd: this.#io.cwd,
    });
    if ("config" in loaded) return loaded.config;
    const lines = loaded.problems.map(({ source, message }) => `  ${source}: ${message}`);
    throw new CliError(`the configuration is wrong\n${lines.join("\n")}`, {
      isUsage: true,
      advice: "docs/config.md lists every setting",
    });
  }

  async close(): Promise<void> {
    // Where opening failed the command has failed with it; there is nothing to close then.
    const access = await this.#access?.catch(() => undefined);
    await access?.close();
  }

  async #open(scope: AdminScope): Promise<AdminAccess> {
    const { openAdminAccess } = await import("./admin-access.ts");
    return openAdminAccess({
      scope,
      globals: this.#globals,
      env: this.#io.env,
      config: () => this.#config(),
      warn: (text) => this.#output.warn(text),
    });
  }
}
