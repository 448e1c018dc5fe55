import type { GatewayReply } from "../proxy/gateway-request.ts";

/** Answers with a value that is small, as it is at this moment. */
export function sendJson(
  reply: GatewayReply,
  status: number,
  value: unknown,
  headers: readonly string[] = [],
): void {
  const fields = ["content-type", "application/json", "cache-control", "no-store", ...headers];
  reply.writeHead(status, fields);
  reply.end(Buffer.from(JSON.stringify(value)));
}
