import { lookup } from "node:dns";
import type { LookupAddress, LookupAllOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { buildConnector } from "undici";
import { mayConnect, plainHostname, type AllowedHosts } from "../core/network/allowed-hosts.ts";
import { ForbiddenAddressError } from "../core/network/forbidden-address-error.ts";
import { dropOldest } from "./drop-oldest.ts";
import { readInto } from "./http/shared-reads.ts";

/** Every address of a host. */
export type LookUp = (
  hostname: string,
  options: LookupAllOptions,
  callback: (err: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface ConnectorOptions {
  readonly timeoutMs: number;
  readonly allowedHosts: AllowedHosts;
  readonly lookUp: LookUp | undefined;
}

/** `onRead` takes what comes, which is then no event of the socket: that saves a buffer and a walk through the stream. */
export type GuardedConnect = (
  target: buildConnector.Options,
  callback: buildConnector.Callback,
  onRead?: (bytes: Buffer) => void,
) => void;

/**
 * Opens connections to addresses of the internet, and of private networks for hosts that are allowed by name. The rule
 * stands here, behind the look-up and at every connection, because a base URL was checked once, while what its name
 * resolves to is the choice of whoever owns the name, and another one a minute later (DNS rebinding). The addresses
 * that were judged are those that are connected to: nothing is looked up twice.
 */
export function createGuardedConnector(options: ConnectorOptions): GuardedConnect {
  const connect = (isHostAllowed: boolean, own: Partial<buildConnector.BuildOptions> = {}) =>
    buildConnector({
      allowH2: false,
      timeout: options.timeoutMs,
      lookup: guardLookUp(options.lookUp ?? lookup, isHostAllowed),
      ...own,
    });
  const connectAllowed = connect(true);
  const connectPublic = connect(false);
  const sessions = new Map<string, Buffer>();
  return (target, callback, onRead) => {
    const hostname = plainHostname(target.hostname);
    const isHostAllowed = options.allowedHosts.has(hostname, portOf(target));
    // An address needs no look-up, so the guarded one would never see it.
    if (isIP(hostname) !== 0 && !mayConnect(hostname, isHostAllowed)) {
      callback(new ForbiddenAddressError(`${hostname} is not an address that may be called`), null);
    } else if (onRead === undefined) {
      (isHostAllowed ? connectAllowed : connectPublic)(target, callback);
    } else {
      const host = target.host ?? hostname;
      const session = sessions.get(host);
      const own = { onread: readInto(onRead), ...(session !== undefined && { session }) };
      connect(isHostAllowed, own)(target, (...connected) => {
        connected[1]?.on("session", (latest: Buffer) => {
          sessions.set(host, latest);
          dropOldest(sessions, MAX_SESSIONS);
        });
        callback(...connected);
      });
    }
  };
}

/** TLS sessions that are kept so that the next connection to the same host is opened in fewer round trips. */
const MAX_SESSIONS = 100;

function portOf({ port, protocol }: buildConnector.Options): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

/** One address that may not be called among several forbids them all: the host is not what it was taken for. */
export function guardLookUp(lookUp: LookUp, isHostAllowed: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (err, addresses) => {
      if (err !== null) {
        callback(err, []);
        return;
      }
      const forbidden = addresses.find(({ address }) => !mayConnect(address, isHostAllowed));
      const [first] = addresses;
      if (forbidden !== undefined) {
        const message = `${hostname} resolves to ${forbidden.address}, which may not be called`;
        callback(new ForbiddenAddressError(message), []);
      } else if (first === undefined) {
        callback(Object.assign(new Error(`${hostname} has no address`), { code: "ENOTFOUND" }), []);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
