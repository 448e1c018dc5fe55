import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackages } from "./install-packages.ts";
import type { Target } from "./target.ts";
import { findFreePort, isListening, whenReady } from "./when-listening.ts";

const PROGRAM = `
import Fastify from "fastify";
import proxy from "@fastify/http-proxy";
const [port, upstreamPort] = process.argv.slice(2).map(Number);
const app = Fastify({ logger: false, bodyLimit: 64 * 1024 * 1024 });
await app.register(proxy, {
  upstream: \`http://127.0.0.1:\${upstreamPort}\`,
  undici: { connections: 1024, pipelining: 1 },
});
await app.listen({ port, host: "127.0.0.1" });
`;

/** Fastify's own proxy, as its documentation sets it up. */
export const fastify: Target = {
  name: "fastify",
  title: "Fastify + @fastify/http-proxy",
  isRival: true,
  prepare: ({ rivalsDirectory }) =>
    installPackages(rivalsDirectory, ["fastify", "@fastify/http-proxy"]),
  start: async ({ spawn, upstreamPort, rivalsDirectory }) => {
    const program = join(rivalsDirectory, "fastify-program.mjs");
    await writeFile(program, PROGRAM);
    const port = await findFreePort();
    const child = spawn(process.execPath, [program, String(port), String(upstreamPort)]);
    const readyMs = await whenReady(child, () => isListening(port));
    return { port, path: "/v1/chat/completions", headers: {}, pid: child.pid as number, readyMs };
  },
};
