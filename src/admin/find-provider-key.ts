import { isId } from "../core/ids/ids.ts";
import type { ProviderKeyRecord } from "../store/records.ts";
import type { Store } from "../store/store.ts";

export const NO_PROVIDER_KEY = "There is no provider key of this id.";

export async function findProviderKey(
  { store }: { readonly store: Pick<Store, "providerKeys"> },
  id: string,
): Promise<ProviderKeyRecord | undefined> {
  return isId("pky", id) ? store.providerKeys.findById(id) : undefined;
}
