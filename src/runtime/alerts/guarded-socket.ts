import { lookup } from "node:dns";
import { connect, isIP, type Socket } from "node:net";
import { type AllowedHosts, mayConnect, plainHostname } from "../../core/network/allowed-hosts.ts";
import { ForbiddenAddressError } from "../../core/network/forbidden-address-error.ts";
import { guardLookUp } from "../../proxy/guarded-connector.ts";

/**
 * Connects to a mail server by the rule that holds for providers (see proxy/guarded-connector.ts): to the internet, and to
 * private networks where the host is allowed by name. Rejects with ForbiddenAddressError elsewhere.
 */
export function connectGuarded(
  address: { readonly hostname: string; readonly port: number },
  allowedHosts: AllowedHosts,
  signal: AbortSignal,
): Promise<Socket> {
  const hostname = plainHostname(address.hostname);
  const { port } = address;
  const isHostAllowed = allowedHosts.has(hostname, port);
  // An address needs no look-up, so the guarded one would never see it.
  if (isIP(hostname) !== 0 && !mayConnect(hostname, isHostAllowed)) {
    const message = `${hostname} is not an address that may be called`;
    return Promise.reject(new ForbiddenAddressError(message));
  }
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port, lookup: guardLookUp(lookup, isHostAllowed) });
    const breakOff = (): void => void socket.destroy(new Error("broken off"));
    const settle = (): void => {
      signal.removeEventListener("abort", breakOff);
      socket.removeListener("error", refuse);
    };
    const refuse = (err: Error): void => {
      settle();
      reject(err);
    };
    signal.addEventListener("abort", breakOff);
    if (signal.aborted) breakOff();
    socket.once("error", refuse);
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
  });
}
