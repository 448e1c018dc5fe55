import { SCOPE_KINDS, type Scope, type ScopedCall, type ScopeKind, subjectOf } from "./scope.ts";

interface OfKind<Item> {
  readonly kind: ScopeKind;
  /** Those that name one. */
  readonly byId: Map<string, Item[]>;
  /** Those that hold for each one by itself. */
  readonly forEach: Item[];
}

/** Finds what applies to a call by its scope, whose number does not matter: a look-up for each kind that is in use. */
export class ScopeIndex<Item extends { readonly scope: Scope }> {
  readonly #kinds: readonly OfKind<Item>[];

  constructor(items: Iterable<Item>) {
    const kinds = new Map<ScopeKind, OfKind<Item>>();
    for (const item of items) {
      const { kind, id } = item.scope;
      const ofKind = kinds.get(kind) ?? { kind, byId: new Map<string, Item[]>(), forEach: [] };
      kinds.set(kind, ofKind);
      if (id === null) {
        ofKind.forEach.push(item);
        continue;
      }
      const sameId = ofKind.byId.get(id);
      if (sameId === undefined) ofKind.byId.set(id, [item]);
      else sameId.push(item);
    }
    this.#kinds = SCOPE_KINDS.flatMap((kind) => kinds.get(kind) ?? []);
  }

  get isEmpty(): boolean {
    return this.#kinds.length === 0;
  }

  /** Hands over each item that counts the call, with the subject under which it does. */
  visit(call: ScopedCall, visitor: (item: Item, subject: string) => void): void {
    for (const { kind, byId, forEach } of this.#kinds) {
      const subject = subjectOf(kind, call);
      if (subject === null) continue;
      for (const item of byId.get(subject) ?? NONE) visitor(item, subject);
      for (const item of forEach) visitor(item, subject);
    }
  }
}

const NONE: readonly never[] = [];
