import { join } from "node:path";
import type { Target } from "./target.ts";
import { findFreePort, isListening, whenReady } from "./when-listening.ts";

/** The floor for Node: `node:http` and undici with nothing between them. */
export const bare: Target = {
  name: "bare",
  title: "bare node:http + undici",
  prepare: async () => undefined,
  start: async ({ spawn, upstreamPort }) => {
    const port = await findFreePort();
    const program = join(import.meta.dirname, "bare-program.ts");
    const child = spawn(process.execPath, [program, String(port), String(upstreamPort)]);
    const readyMs = await whenReady(child, () => isListening(port));
    return { port, path: "/v1/chat/completions", headers: {}, pid: child.pid as number, readyMs };
  },
};
