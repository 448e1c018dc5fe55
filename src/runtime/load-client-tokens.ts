import { type EnvironmentId, isId } from "../core/ids/ids.ts";
import type { ClientTokenBook, SigningKey } from "../proxy/client-token-book.ts";
import { MAX_PAGE_SIZE, type Store } from "../store/store.ts";
import { clientTokenPurpose, type Vault } from "../vault/vault.ts";

export interface LoadClientTokensDeps {
  readonly store: Pick<Store, "environments" | "exposure">;
  readonly vault: Pick<Vault, "hasher">;
  readonly clientTokens: Pick<ClientTokenBook, "replace">;
}

/** What client tokens are checked by: each environment's signing key, and whose tokens were revoked lately. */
export async function loadClientTokens({
  store,
  vault,
  clientTokens,
}: LoadClientTokensDeps): Promise<void> {
  const revocations = await store.exposure.clientTokens.listAll();
  const revokedCustomers = new Map<string, number>();
  const numbers = new Map<EnvironmentId, number>();
  for (const { kind, subject, sequence } of revocations) {
    if (kind === "customer") revokedCustomers.set(subject, sequence);
    else if (isId("env", subject)) numbers.set(subject, sequence);
  }
  const signingKeys = new Map<EnvironmentId, SigningKey>();
  let cursor: string | undefined;
  do {
    const page = await store.environments.list({ limit: MAX_PAGE_SIZE, cursor });
    for (const { id } of page.rows) {
      const number = numbers.get(id) ?? 0;
      const sign = await vault.hasher(clientTokenPurpose(id, number));
      signingKeys.set(id, { number, sign });
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  clientTokens.replace({ signingKeys, revokedCustomers });
}
