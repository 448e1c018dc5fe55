import type { Context } from "hono";
import type { AdminDeps, AdminEnv } from "./admin-deps.ts";

/** The client's address, as a trusted proxy says it where one passed the request on. Null where nothing crossed a network. */
export function callerAddress(
  { clientAddressOf }: Pick<AdminDeps, "clientAddressOf">,
  { env, req }: Context<AdminEnv>,
): string | null {
  return clientAddressOf === undefined ? env.address : clientAddressOf(env, req.raw.headers);
}
