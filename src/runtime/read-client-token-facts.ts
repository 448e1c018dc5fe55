import { type EnvironmentId, isId } from "../core/ids/ids.ts";
import type { ClientTokenFacts, SigningKey } from "../proxy/client-token-book.ts";
import { listAll } from "../store/list-all.ts";
import type { Store } from "../store/store.ts";
import { clientTokenPurpose, type Vault } from "../vault/vault.ts";

/** What client tokens are checked by: each environment's signing key, and whose tokens were revoked lately. */
export async function readClientTokenFacts({
  store,
  vault,
}: {
  readonly store: Pick<Store, "environments" | "exposure">;
  readonly vault: Pick<Vault, "hasher">;
}): Promise<ClientTokenFacts> {
  const revocations = await store.exposure.clientTokens.listAll();
  const revokedCustomers = new Map<string, number>();
  const numbers = new Map<EnvironmentId, number>();
  for (const { kind, subject, sequence } of revocations) {
    if (kind === "customer") revokedCustomers.set(subject, sequence);
    else if (isId("env", subject)) numbers.set(subject, sequence);
  }
  const signingKeys = new Map<EnvironmentId, SigningKey>();
  for (const { id } of await listAll((page) => store.environments.list(page))) {
    const number = numbers.get(id) ?? 0;
    const sign = await vault.hasher(clientTokenPurpose(id, number));
    signingKeys.set(id, { number, sign });
  }
  return { signingKeys, revokedCustomers };
}
