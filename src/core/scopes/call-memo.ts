import type { ScopedCall } from "./scope.ts";

/** Names come from callers, so what is remembered of them is bounded. */
const MAX_REMEMBERED = 10_000;
/** Of one key and customer; they are looked through one by one. */
const MAX_ALIKE = 16;

interface Remembered<Found> extends ScopedCall {
  readonly model: string | null;
  found: Found;
}

/**
 * Remembers what was found for a call, for all calls that no scope and no pattern of models tells from it. Thousands
 * come in a second, and few of them are different.
 */
export class CallMemo<Found> {
  readonly #byKey = new Map<string | null, Map<string | null, Remembered<Found>[]>>();
  #size = 0;

  get(call: ScopedCall, model: string | null): Found | undefined {
    const alike = this.#byKey.get(call.gatewayKeyId)?.get(call.customer);
    return alike === undefined ? undefined : findIn(alike, call, model)?.found;
  }

  set(call: ScopedCall, model: string | null, found: Found): void {
    const alike = this.#alikeOf(call);
    const known = findIn(alike, call, model);
    if (known !== undefined) {
      known.found = found;
      return;
    }
    if (alike.length === MAX_ALIKE) this.#size -= alike.splice(0).length;
    const { projectId, environmentId, gatewayKeyId, customer, feature, providerAccountId } = call;
    const scope = { projectId, environmentId, gatewayKeyId, customer, feature, providerAccountId };
    alike.push({ ...scope, model, found });
    this.#size += 1;
  }

  #alikeOf({ gatewayKeyId, customer }: ScopedCall): Remembered<Found>[] {
    if (this.#size >= MAX_REMEMBERED) {
      this.#byKey.clear();
      this.#size = 0;
    }
    let byCustomer = this.#byKey.get(gatewayKeyId);
    if (byCustomer === undefined) {
      byCustomer = new Map();
      this.#byKey.set(gatewayKeyId, byCustomer);
    }
    let alike = byCustomer.get(customer);
    if (alike === undefined) {
      alike = [];
      byCustomer.set(customer, alike);
    }
    return alike;
  }
}

function findIn<Found>(
  alike: readonly Remembered<Found>[],
  call: ScopedCall,
  model: string | null,
): Remembered<Found> | undefined {
  for (const one of alike) {
    if (
      one.model === model &&
      one.feature === call.feature &&
      one.providerAccountId === call.providerAccountId &&
      one.environmentId === call.environmentId &&
      one.projectId === call.projectId
    ) {
      return one;
    }
  }
  return undefined;
}
