import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "rolldown";

const ID = "undici";
const MODULE = "\0lean-undici";

/**
 * undici's entry loads all that it has: fetch, WebSockets, caches, proxies, mocks, half a megabyte for a start to read and
 * compile. Here it is the connections, what connects them, and the errors. A name that is imported and not among these fails
 * the build.
 */
export function leanUndici(): Plugin {
  return {
    name: "lean-undici",
    resolveId: (id) => (id === ID ? MODULE : null),
    load: (id) => (id === MODULE ? entry() : null),
  };
}

/** As undici's own entry does it, with these alone. */
function entry(): string {
  const root = dirname(createRequire(import.meta.url).resolve("undici/package.json"));
  const from = (path: string): string => JSON.stringify(join(root, "lib", path));
  return `
import Dispatcher from ${from("dispatcher/dispatcher.js")};
import Agent from ${from("dispatcher/agent.js")};
import api from ${from("api/index.js")};
import buildConnector from ${from("core/connect.js")};
import errors from ${from("core/errors.js")};
Object.assign(Dispatcher.prototype, api);
export { Agent, buildConnector, errors };
`;
}
