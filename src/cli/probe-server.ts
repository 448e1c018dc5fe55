import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { reachableUrl } from "../core/network/reachable-url.ts";

/** What answers at an address: a Keyward, another program, or nobody. */
export type Answerer =
  | { readonly kind: "keyward"; readonly version: string }
  | { readonly kind: "other" | "nobody" };

const PROBE_TIMEOUT_MS = 1500;

/**
 * Asks for the health of whatever listens there. Sends no token. Not with fetch, which refuses ports that browsers
 * must not use.
 */
export async function probeServer(host: string, port: number): Promise<Answerer> {
  const call = get(`${reachableUrl(host, port)}/healthz`, {
    timeout: PROBE_TIMEOUT_MS,
    agent: false,
  });
  call.on("timeout", () => call.destroy(new Error("no answer in time")));
  try {
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    const body = (await json(answer)) as { service?: unknown; version?: unknown } | null;
    const isKeyward = body?.service === "keyward";
    return isKeyward ? { kind: "keyward", version: String(body.version) } : { kind: "other" };
  } catch (error) {
    // Nobody listens; whatever else is wrong with an answer, somebody gave it.
    const isRefused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
    return { kind: isRefused ? "nobody" : "other" };
  } finally {
    call.destroy();
  }
}
