import { randomBytes } from "node:crypto";
import { createAdminApp } from "../admin/admin-app.ts";
import { TRUST_CALLER } from "../admin/authenticator.ts";
import { type AdminClient, createAdminClient } from "../admin/client.ts";
import { PasswordHasher } from "../admin/password-hasher.ts";
import type { Config } from "../config/config-schema.ts";
import { IdFactory } from "../core/ids/ids.ts";
import { createAllowedHosts } from "../core/network/allowed-hosts.ts";
import { BUILT_IN_PRICE_LIST } from "../core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../core/pricing/create-price-book.ts";
import type { Provider } from "../providers/provider.ts";
import { simulatorProvider } from "../providers/simulator/simulator-provider.ts";
import { loadPriceOverrides } from "../store/load-price-overrides.ts";
import type { Log } from "../telemetry/log.ts";
import { createOneTimeSender } from "./alerts/send-once.ts";
import { AuditMarkFile } from "./audit-mark-file.ts";
import { Closers } from "./closers.ts";
import { openLocalStore } from "./local-store.ts";
import { openAudit } from "./open-audit.ts";
import { openVault } from "./open-vault.ts";
import { findOwnUrl } from "./own-url.ts";
import { createProviders } from "./providers.ts";
import { startKeyLife } from "./rotation/start-key-life.ts";

export interface LocalAdmin {
  readonly client: AdminClient;
  close(): Promise<void>;
}

export interface LocalAdminOptions {
  readonly version: string;
  /** Told of faults of Keyward's own: no server runs whose log would have them. */
  readonly onFault: (error: unknown) => void;
}

/** A server gives the simulator an address of its own when it starts; nothing is ever sent to this one. */
const SIMULATOR_OF_A_SERVER: Provider = {
  ...simulatorProvider,
  defaultBaseUrl: "http://simulator.invalid/v1",
};

/**
 * The admin app in this process, on the data directory of the settings. Starts no server and needs no token: whoever
 * can read the database and the root key is the owner. A server that runs on the same data sees the changes at once.
 * Throws StartError.
 */
export async function openLocalAdmin(
  config: Config,
  { version, onFault }: LocalAdminOptions,
): Promise<LocalAdmin> {
  const store = await openLocalStore(config);
  const closers = new Closers(faultsOnly(onFault));
  closers.add("store", () => store.close());
  try {
    const ids = new IdFactory({ nowMs: Date.now, randomBytes });
    const priceBook = createPriceBook(BUILT_IN_PRICE_LIST, {
      freeProviders: [simulatorProvider.name],
    });
    await loadPriceOverrides({ store, priceBook });
    const vault = await openVault({ config, store, ids });
    const providers = createProviders(SIMULATOR_OF_A_SERVER);
    const audited = await openAudit({
      store,
      vault,
      nowMs: Date.now,
      markPlace: new AuditMarkFile(config.dataDir, onFault),
    });
    const keyLife = startKeyLife(
      {
        config,
        log: faultsOnly(onFault),
        audited,
        vault,
        ids,
        providers: { registry: providers, standIn: SIMULATOR_OF_A_SERVER },
      },
      closers,
    );
    const app = createAdminApp({
      store: audited,
      vault,
      sendAlert: createOneTimeSender({ config, vault }),
      providers,
      keyDesk: keyLife.desk,
      allowedHosts: createAllowedHosts(config.allowedPrivateHosts),
      priceBook,
      ids,
      clock: { nowMs: Date.now },
      randomBytes,
      authenticator: TRUST_CALLER,
      passwords: new PasswordHasher(),
      publicUrl: await findOwnUrl(config, store),
      serverInfo: { version, startedAtMs: null, urls: [], processId: null },
      onFault: ({ error }) => onFault(error),
    });
    const client = createAdminClient({ baseUrl: "http://keyward.local", fetch: app.fetch });
    return { client, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

const ignore = (): void => undefined;

/** No server runs whose log would have the rest; what a rotation is at is in its record. */
function faultsOnly(onFault: (error: unknown) => void): Log {
  return {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: ({ err }, message) => onFault(err ?? new Error(message)),
  };
}
