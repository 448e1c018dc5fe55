import type { DataKeyId } from "../../src/core/ids/ids.ts";
import type {
  DataKeyRecord,
  RootKeyRecord,
  RootKeyReplacement,
} from "../../src/core/keys/vault-records.ts";
import type { VaultKeys } from "../../src/vault/vault.ts";

/** The simplest keeper of vault keys that holds the contract: two maps, every method one step. */
export class MemoryVaultKeys implements VaultKeys {
  readonly roots = new Map<string, RootKeyRecord>();
  readonly dataKeys = new Map<DataKeyId, DataKeyRecord>();

  async insertRootKey(record: RootKeyRecord): Promise<boolean> {
    if (this.#current() !== undefined) return false;
    this.roots.set(record.id, record);
    return true;
  }

  async currentRootKey(): Promise<RootKeyRecord | undefined> {
    return this.#current();
  }

  async insertDataKey(record: DataKeyRecord): Promise<boolean> {
    const isTaken = [...this.dataKeys.values()].some(({ scope }) => scope === record.scope);
    if (isTaken || record.rootKeyId !== this.#current()?.id) return false;
    this.dataKeys.set(record.id, record);
    return true;
  }

  async findDataKey(id: DataKeyId): Promise<DataKeyRecord | undefined> {
    return this.dataKeys.get(id);
  }

  async findDataKeyByScope(scope: string): Promise<DataKeyRecord | undefined> {
    return [...this.dataKeys.values()].find((record) => record.scope === scope);
  }

  async listDataKeys(): Promise<readonly DataKeyRecord[]> {
    return [...this.dataKeys.values()];
  }

  async replaceRootKey({ previousId, root, rewrapped }: RootKeyReplacement): Promise<boolean> {
    const current = this.#current();
    const named = new Set(rewrapped.map(({ id }) => id));
    const isComplete = [...this.dataKeys.keys()].every((id) => named.has(id));
    if (current?.id !== previousId || !isComplete) return false;
    this.roots.set(current.id, { ...current, isCurrent: false });
    this.roots.set(root.id, root);
    for (const record of rewrapped) this.dataKeys.set(record.id, record);
    return true;
  }

  #current(): RootKeyRecord | undefined {
    return [...this.roots.values()].find(({ isCurrent }) => isCurrent);
  }
}
