import type { AdminDeps } from "../admin/admin-deps.ts";
import type { Config } from "../config/config-schema.ts";
import { clientAddress } from "../core/network/client-address.ts";
import { createIpRanges, formatIp } from "../core/network/ip-ranges.ts";

/** Who sent a request to the admin API, as the settings say whose word is taken for it. */
export function createClientAddressOf({
  trustedProxies,
  clientAddressHeader: headerName,
}: Pick<Config, "trustedProxies" | "clientAddressHeader">): NonNullable<
  AdminDeps["clientAddressOf"]
> {
  const trusted = trustedProxies.length === 0 ? null : createIpRanges(trustedProxies);
  return ({ address }, headers) => {
    const header = trusted === null ? undefined : (headers.get(headerName) ?? undefined);
    const found = clientAddress({ peer: address ?? undefined, header, headerName }, trusted);
    return found === undefined ? null : formatIp(found);
  };
}
