import type { GatewayKeyId } from "../core/ids/ids.ts";
import type { Call } from "./call.ts";

/** The calls in flight of each gateway key: those of a key that is refused from now on must end. */
export class CallsByKey {
  readonly #calls = new Map<GatewayKeyId, Set<Call>>();

  /** Once its key is known. More than once does nothing. */
  add(call: Call): void {
    const id = call.key?.id;
    if (id === undefined) return;
    const others = this.#calls.get(id);
    if (others === undefined) this.#calls.set(id, new Set([call]));
    else others.add(call);
  }

  remove(call: Call): void {
    const id = call.key?.id;
    if (id === undefined) return;
    const others = this.#calls.get(id);
    if (others === undefined) return;
    others.delete(call);
    if (others.size === 0) this.#calls.delete(id);
  }

  /** As they are now. Null: those that came with a client token, of whatever key. */
  of(id: GatewayKeyId | null): readonly Call[] {
    if (id !== null) return [...(this.#calls.get(id) ?? [])];
    return [...this.#calls.values()].flatMap((calls) =>
      [...calls].filter(({ key }) => key?.clientToken !== undefined),
    );
  }
}
