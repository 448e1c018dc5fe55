import type { ProviderAccountId } from "../core/ids/ids.ts";
import { Circuit, type CircuitRule, type CircuitTicket } from "../core/routing/circuit.ts";
import type {
  ProviderKeyHealth,
  RestReason,
  RestScope,
} from "../core/routing/provider-key-health.ts";
import type { Log } from "../telemetry/log.ts";
import { dropOldest } from "./drop-oldest.ts";
import { Rests, type Rest } from "./rests.ts";
import type { ProviderRoute } from "./snapshot.ts";

export interface RouteHealthOptions {
  readonly rule: CircuitRule;
  readonly monotonicMs: () => number;
  readonly log: Log;
}

/** A rest of an account, from now on. */
export interface AccountRest extends Omit<Rest, "untilMs"> {
  readonly forMs: number;
}

const MAX_CIRCUITS = 10_000;
/** What a provider asks for beyond this is not believed: a call now and then must find out. */
const MAX_REST_MS = 10 * 60_000;

/**
 * What this process has learned of each way to a provider: circuits by key, rests by account or key. In memory only;
 * every process learns for itself, but for rests of accounts, of which it hears from others as well.
 */
export class RouteHealth {
  readonly #options: RouteHealthOptions;
  /** By key; a key that never failed has none. */
  readonly #circuits = new Map<string, Circuit>();
  readonly #rests = new Rests();
  #onAccountRest: (accountId: ProviderAccountId, rest: AccountRest) => void = () => undefined;

  constructor(options: RouteHealthOptions) {
    this.#options = options;
  }

  /** Undefined while it has never failed. */
  circuitOf(route: ProviderRoute): Circuit | undefined {
    return this.#circuits.get(keyOf(route));
  }

  /** The rest that holds longest, a named one before others; undefined when nothing rests. */
  restOf(route: ProviderRoute, model: string | null, nowMs: number): Rest | undefined {
    if (this.#rests.isEmpty) return undefined;
    const worst = this.#rests.worstOf(accountOf(route), model, { ms: nowMs, worst: undefined });
    return this.#rests.worstOf(keyOf(route), model, { ms: nowMs, worst });
  }

  /** The ticket under which a call's outcome will be reported. Only where the circuit is not open. */
  enter(route: ProviderRoute, nowMs: number): CircuitTicket {
    return this.circuitOf(route)?.enter(nowMs) ?? 0;
  }

  succeeded(route: ProviderRoute, ticket: CircuitTicket): void {
    const circuit = this.circuitOf(route);
    if (circuit === undefined) return;
    this.#watch(route, circuit, (nowMs) => circuit.succeeded(ticket, nowMs));
  }

  failed(route: ProviderRoute, ticket: CircuitTicket): void {
    const circuit = this.circuitOf(route) ?? this.#createCircuit(route);
    this.#watch(route, circuit, (nowMs) => circuit.failed(ticket, nowMs));
  }

  /** The call ended without telling anything of the provider. */
  left(route: ProviderRoute, ticket: CircuitTicket): void {
    this.circuitOf(route)?.left(ticket);
  }

  rest(
    route: ProviderRoute,
    scope: RestScope,
    rest: { readonly reason: RestReason; readonly forMs: number; readonly isNamed: boolean },
  ): void {
    const { reason, isNamed } = rest;
    const forMs = Math.min(rest.forMs, MAX_REST_MS);
    const nowMs = this.#options.monotonicMs();
    const owner = scope.owner === "account" ? accountOf(route) : keyOf(route);
    const added: Rest = { reason, isNamed, untilMs: nowMs + forMs, scope };
    const { accountId, keyId } = route;
    if (scope.owner === "account" && accountId !== null) {
      this.#onAccountRest(accountId, { reason, isNamed, forMs, scope });
    }
    if (!this.#rests.add(owner, added, nowMs)) return;
    this.#options.log.warn(
      { accountId, keyId, ...scope, reason, forMs },
      `a provider ${scope.owner} rests`,
    );
  }

  /** To be called back with every rest of an account, so that other processes hear of it. */
  onAccountRest(listener: (accountId: ProviderAccountId, rest: AccountRest) => void): void {
    this.#onAccountRest = listener;
  }

  /** Another process has learned of a rest. */
  hearRest(accountId: ProviderAccountId, { forMs, ...rest }: AccountRest): void {
    const nowMs = this.#options.monotonicMs();
    const untilMs = nowMs + Math.min(forMs, MAX_REST_MS);
    this.#rests.add(accountId, { ...rest, untilMs }, nowMs);
  }

  /** For people; of any key, also of one that was never called. */
  describe(key: Pick<ProviderRoute, "accountId" | "keyId">): ProviderKeyHealth {
    const nowMs = this.#options.monotonicMs();
    const circuit = this.#circuits.get(keyOf(key));
    const phase = circuit?.phase(nowMs) ?? "closed";
    const rests = [accountOf(key), keyOf(key)]
      .flatMap((owner) => this.#rests.listOf(owner, nowMs))
      .map(({ reason, scope, untilMs }) => ({ reason, scope, forMs: untilMs - nowMs }))
      .toSorted((one, other) => other.forMs - one.forMs);
    const opensAgainAtMs = phase === "open" ? (circuit?.opensAgainAtMs() ?? nowMs) : nowMs;
    return { circuit: phase, circuitOpenForMs: Math.max(0, opensAgainAtMs - nowMs), rests };
  }

  #createCircuit(route: ProviderRoute): Circuit {
    const circuit = new Circuit(this.#options.rule);
    this.#circuits.set(keyOf(route), circuit);
    dropOldest(this.#circuits, MAX_CIRCUITS);
    return circuit;
  }

  #watch(route: ProviderRoute, circuit: Circuit, report: (nowMs: number) => void): void {
    const nowMs = this.#options.monotonicMs();
    const wasClosed = circuit.phase(nowMs) === "closed";
    report(nowMs);
    const isClosed = circuit.phase(nowMs) === "closed";
    if (wasClosed === isClosed) return;
    const { accountId, keyId } = route;
    if (isClosed) this.#options.log.info({ accountId, keyId }, "a provider key's circuit closed");
    else this.#options.log.warn({ accountId, keyId }, "a provider key's circuit opened");
  }
}

/** The simulator that stands in has neither account nor key. */
function accountOf({ accountId }: Pick<ProviderRoute, "accountId">): string {
  return accountId ?? "account";
}

function keyOf({ keyId }: Pick<ProviderRoute, "keyId">): string {
  return keyId ?? "key";
}
