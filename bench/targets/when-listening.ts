import type { ChildProcess } from "node:child_process";
import { connect, createServer } from "node:net";

const POLL_MS = 5;
const DEADLINE_MS = 30_000;

/** Resolves with the milliseconds until `check` holds; rejects when the process ends first. */
export async function whenReady(
  child: ChildProcess,
  check: () => Promise<boolean>,
): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    if (await check()) return performance.now() - startedAt;
    if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode}`);
    if (performance.now() - startedAt > DEADLINE_MS) throw new Error("it is not ready after 30 s");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
