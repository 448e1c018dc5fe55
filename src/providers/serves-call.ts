import type { Dialect } from "../wire/dialect.ts";
import type { Provider } from "./provider.ts";

/** Whether a call may go to a provider: it speaks the client's dialect, and has the endpoint. */
export function servesCall(
  provider: Pick<Provider, "dialects" | "serves">,
  call: { readonly dialect: Dialect; readonly method: string; readonly path: string },
): boolean {
  const { dialects, serves } = provider;
  return (
    dialects.includes(call.dialect) && (serves === undefined || serves(call.method, call.path))
  );
}
