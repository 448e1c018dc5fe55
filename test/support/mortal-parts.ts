import type { AskJson } from "../../src/providers/key-administration.ts";
import type { Store } from "../../src/store/store.ts";

/** What a process does that dies at the n-th point: before or after a question to the provider, before or after a write. */
export interface MortalParts {
  readonly store: Store;
  readonly ask: AskJson;
  /** What everything ends with from the death on. */
  readonly death: Error;
}

/** `check`: what must hold between any two of them, whoever dies. */
export function mortalParts(
  parts: { readonly store: Store; readonly ask: AskJson },
  point: number,
  check: () => Promise<void> | void = () => undefined,
): MortalParts {
  const death = new Error("the process has died");
  let isDead = false;
  let passed = 0;
  const live = (): void => {
    if (!isDead && passed === point) isDead = true;
    passed += 1;
    // The dead do nothing more.
    if (isDead) throw death;
  };
  const guard = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    live();
    const value = await work();
    await check();
    live();
    return value;
  };
  const store = new Proxy<Store>(parts.store, {
    get: (target, name) =>
      name === "transaction"
        ? (work: Parameters<Store["transaction"]>[0]) => guard(() => target.transaction(work))
        : (Reflect.get(target, name, target) as unknown),
  });
  return { store, ask: (question) => guard(() => parts.ask(question)), death };
}

/** Whether the work ended before the death. */
export async function survives(death: Error, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (err) {
    if (err !== death) throw err;
    return false;
  }
}
