/** What answers at an address: a Keyward, another program, or nobody. */
export type Answerer =
  | { readonly kind: "keyward"; readonly version: string }
  | { readonly kind: "other" | "nobody" };

const PROBE_TIMEOUT_MS = 1500;

/** Asks for the health of whatever listens there. Sends no token. */
export async function probeServer(host: string, port: number): Promise<Answerer> {
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const answer = await fetch(`${serverUrl(host, port)}/healthz`, { signal });
    const body = (await answer.json()) as { service?: unknown; version?: unknown };
    const isKeyward = body.service === "keyward";
    return isKeyward ? { kind: "keyward", version: String(body.version) } : { kind: "other" };
  } catch (error) {
    // Whatever else is wrong with an answer, somebody gave it.
    return { kind: isRefused(error) ? "nobody" : "other" };
  }
}

/** The address as this machine reaches it. */
export function serverUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    typeof cause === "object" && cause !== null && "code" in cause && cause.code === "ECONNREFUSED"
  );
}
