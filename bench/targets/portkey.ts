import { join } from "node:path";
import { installPackages } from "./install-packages.ts";
import type { Target } from "./target.ts";
import { findFreePort, isListening, whenReady } from "./when-listening.ts";

/** `@portkey-ai/gateway`, told by header where to forward. It meters and stores nothing. */
export const portkey: Target = {
  name: "portkey",
  title: "@portkey-ai/gateway",
  isRival: true,
  prepare: ({ rivalsDirectory }) => installPackages(rivalsDirectory, ["@portkey-ai/gateway"]),
  start: async ({ spawn, upstreamPort, rivalsDirectory }) => {
    const program = join(rivalsDirectory, "node_modules/@portkey-ai/gateway/build/start-server.js");
    const port = await findFreePort();
    const child = spawn(process.execPath, [program, `--port=${port}`, "--headless"], {
      env: { NODE_ENV: "production" },
    });
    const readyMs = await whenReady(child, () => isListening(port));
    return {
      port,
      path: "/v1/chat/completions",
      headers: {
        authorization: "Bearer bench",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
      },
      pid: child.pid as number,
      readyMs,
    };
  },
};
