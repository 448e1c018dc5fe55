import type { KeyDesk } from "../../admin/key-desk.ts";
import type { Config } from "../../config/config-schema.ts";
import type { IdFactory, ProcessId } from "../../core/ids/ids.ts";
import type { Provider, ProviderRegistry } from "../../providers/provider.ts";
import type { AuditedStore } from "../../store/audited-store.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Vault } from "../../vault/vault.ts";
import type { Closers } from "../closers.ts";
import { connectForAsides } from "../connect-providers.ts";
import { BY_SYSTEM } from "../open-audit.ts";
import { findAdministration, openDesk } from "./account-desk.ts";
import { createAskJson } from "./ask-json.ts";
import { KeySightings } from "./key-sightings.ts";
import { tryOldSecret } from "./old-secret.ts";
import { leaseIdOf, RotationLoop } from "./rotation-loop.ts";

export interface KeyLifeParts {
  readonly config: Config;
  readonly log: Log;
  readonly audited: AuditedStore;
  readonly vault: Vault;
  readonly ids: Pick<IdFactory, "create">;
  /** Absent where no server runs. */
  readonly self?: { readonly id: ProcessId } | undefined;
  readonly providers: { readonly registry: ProviderRegistry; readonly standIn: Provider };
}

/** What happens to provider keys after they were added. */
export interface KeyLife {
  readonly sightings: KeySightings;
  readonly desk: KeyDesk;
}

/** Starts what drives rotations. */
export function startKeyLife(parts: KeyLifeParts, closers: Closers): KeyLife {
  const { config, log, audited: store, vault, ids, self } = parts;
  const stopping = new AbortController();
  const dispatcher = connectForAsides(config, parts.providers.standIn);
  const ask = createAskJson({ dispatcher, nowMs: Date.now, signal: stopping.signal });
  const providers = parts.providers.registry;
  const deps = { store, vault, ids, providers, ask, log, nowMs: Date.now };
  const leaseId = self === undefined ? ids.create("lea") : leaseIdOf(self.id);
  const loop = new RotationLoop({ ...deps, leaseId, act: (work) => store.as(BY_SYSTEM, work) });
  const sightings = new KeySightings({ keyFacts: store.rotation.keyFacts, log, nowMs: Date.now });
  closers.add("connections of rotations", () => dispatcher.destroy());
  closers.add("what calls tell of keys", () => sightings.close());
  closers.add("rotations", async () => {
    stopping.abort();
    await loop.stop();
  });
  loop.start();
  return {
    sightings,
    desk: {
      wake: () => loop.wake(),
      administrationOf: async ({ id }, secret) =>
        findAdministration(deps, await openDesk(deps, id), secret),
      tryOldSecret: async (rotation) =>
        tryOldSecret(deps, await openDesk(deps, rotation.accountId), rotation),
    },
  };
}
