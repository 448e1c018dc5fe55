import type { RestReason, RestScope } from "../core/routing/provider-key-health.ts";
import { dropOldest } from "./drop-oldest.ts";

export interface Rest {
  readonly reason: RestReason;
  /** On the clock that never jumps. */
  readonly untilMs: number;
  /**
   * The provider named the time: until then it is not called at all. A rest of our own choosing only has other ways
   * go first, so that a guess never refuses a call.
   */
  readonly isNamed: boolean;
  readonly scope: RestScope;
}

interface OwnersRests {
  every: Rest | undefined;
  /** By model; null = the calls whose model Keyward does not read. */
  readonly byModel: Map<string | null, Rest>;
}

const MAX_OWNERS = 10_000;
/** Models are named by callers: of more than these the oldest rest is forgotten. */
const MAX_MODELS_AN_OWNER = 200;

/** What rests, by the id of the account or key that owns it. */
export class Rests {
  readonly #byOwner = new Map<string, OwnersRests>();

  get isEmpty(): boolean {
    return this.#byOwner.size === 0;
  }

  /** The worse of `worst` and what holds for the owner and the model now: a named one before others, then the longer. */
  worstOf(
    ownerId: string,
    model: string | null,
    now: { readonly ms: number; readonly worst: Rest | undefined },
  ): Rest | undefined {
    const rests = this.#byOwner.get(ownerId);
    if (rests === undefined) return now.worst;
    return worse(worse(now.worst, rests.every, now.ms), rests.byModel.get(model), now.ms);
  }

  /** False when it only goes on: the owner was at rest in the same way already. */
  add(ownerId: string, rest: Rest, nowMs: number): boolean {
    const { calls, model } = rest.scope;
    const rests = this.#ownedBy(ownerId);
    const found = calls === "every" ? rests.every : rests.byModel.get(model);
    const before = found !== undefined && found.untilMs > nowMs ? found : undefined;
    // A guess does not shorten what the provider asked for.
    if (before?.isNamed === true && !rest.isNamed) return false;
    if (calls === "every") {
      rests.every = rest;
    } else {
      rests.byModel.delete(model);
      rests.byModel.set(model, rest);
      dropOldest(rests.byModel, MAX_MODELS_AN_OWNER);
    }
    return before === undefined;
  }

  /** What of it has not passed. */
  listOf(ownerId: string, nowMs: number): readonly Rest[] {
    const rests = this.#byOwner.get(ownerId);
    if (rests === undefined) return [];
    const all = [...(rests.every === undefined ? [] : [rests.every]), ...rests.byModel.values()];
    return all.filter(({ untilMs }) => untilMs > nowMs);
  }

  #ownedBy(ownerId: string): OwnersRests {
    const known = this.#byOwner.get(ownerId);
    if (known !== undefined) return known;
    const rests: OwnersRests = { every: undefined, byModel: new Map() };
    this.#byOwner.set(ownerId, rests);
    dropOldest(this.#byOwner, MAX_OWNERS);
    return rests;
  }
}

function worse(one: Rest | undefined, other: Rest | undefined, nowMs: number): Rest | undefined {
  if (other === undefined || other.untilMs <= nowMs) return one;
  if (one === undefined) return other;
  if (one.isNamed !== other.isNamed) return one.isNamed ? one : other;
  return one.untilMs >= other.untilMs ? one : other;
}
