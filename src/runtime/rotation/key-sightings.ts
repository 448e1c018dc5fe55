import type { ProviderKeyId } from "../../core/ids/ids.ts";
import { type Ownership, UNKNOWN_OWNERSHIP } from "../../core/keys/ownership.ts";
import type { Provider } from "../../providers/provider.ts";
import type { KeySighting as RouteSighting } from "../../proxy/snapshot.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { KeyFactsRecord } from "../../store/rotation-records.ts";
import type { KeyFactsRepository, KeySighting } from "../../store/rotation-repositories.ts";
import type { Log } from "../../telemetry/log.ts";

export interface KeySightingsDeps {
  readonly keyFacts: Pick<KeyFactsRepository, "noteSightings">;
  readonly log: Log;
  readonly nowMs: () => number;
  /** How soon what was seen is written down. */
  readonly flushMs?: number;
}

const FLUSH_MS = 500;
const REFUSED = 401;
/** More sightings than there are keys are not waiting; a store that is away for long must not fill the memory. */
const MAX_WAITING = 10_000;

/**
 * What the calls of this process tell of each secret, once a version: that the provider answered or refused it, and whose
 * it is. What costs something is done once a secret; after that a call pays for a look at one field.
 */
export class KeySightings {
  readonly #deps: KeySightingsDeps;
  /** By key and version: what needs no telling again. */
  readonly #told = new Map<ProviderKeyId, { readonly version: number; isDone: boolean }>();
  #waiting: KeySighting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;
  #writing = Promise.resolve();

  constructor(deps: KeySightingsDeps) {
    this.#deps = deps;
  }

  /** For the route of a key; undefined where the store and this process have nothing to learn of its secret. */
  watch(
    { id, version }: Pick<ProviderKeyRecord, "id" | "version">,
    facts: KeyFactsRecord | undefined,
    provider: Pick<Provider, "ownershipOf">,
  ): RouteSighting | undefined {
    const told = this.#toldOf(id, version);
    if (told.isDone || facts?.worked?.version === version) return undefined;
    let isRefusalTold = facts?.refused?.version === version;
    const sighting: RouteSighting = {
      isWanted: true,
      answered: ({ status, headers }, method) => {
        const isAnswered = status < 400;
        // Some providers show their list of models to everybody.
        if (isAnswered && method === "GET") return;
        if (!isAnswered && (status !== REFUSED || isRefusalTold)) return;
        const seen = { keyId: id, version, atMs: this.#deps.nowMs() };
        if (!isAnswered) {
          isRefusalTold = true;
          this.#note({ ...seen, kind: "refused" });
          return;
        }
        sighting.isWanted = false;
        if (told.isDone) return;
        told.isDone = true;
        const organizationHeader = headers.get("openai-organization");
        const ownership: Ownership =
          provider.ownershipOf?.({ organizationHeader }) ?? UNKNOWN_OWNERSHIP;
        this.#note({ ...seen, kind: "worked", ownership });
      },
    };
    return sighting;
  }

  /** Writes down what is left. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#flush();
    clearTimeout(this.#timer);
  }

  #toldOf(id: ProviderKeyId, version: number) {
    const known = this.#told.get(id);
    if (known?.version === version) return known;
    const told = { version, isDone: false };
    this.#told.set(id, told);
    return told;
  }

  #note(sighting: KeySighting): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(sighting);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#flush();
    }, this.#deps.flushMs ?? FLUSH_MS);
  }

  async #flush(): Promise<void> {
    const sightings = this.#waiting;
    this.#waiting = [];
    try {
      await this.#deps.keyFacts.noteSightings(sightings);
      this.#isAway = false;
    } catch (err) {
      // Recovered from: it is kept and written when the store is back. Said once.
      if (!this.#isAway) this.#deps.log.warn({ err }, "what calls tell of keys cannot be written");
      this.#isAway = true;
      this.#waiting = [...sightings, ...this.#waiting].slice(0, MAX_WAITING);
      this.#schedule();
    }
  }
}
