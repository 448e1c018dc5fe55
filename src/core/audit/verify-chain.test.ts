import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { chainEntry, type AuditEntry, type AuditHead, type UnchainedEntry } from "./audit-entry.ts";
import { ChainVerifier, type ChainPoint } from "./verify-chain.ts";

const hash = (text: string): string => createHmac("sha256", "a key").update(text).digest("hex");

const ENTRY: UnchainedEntry = {
  atMs: 1_769_850_000_000,
  actor: { kind: "token", id: "adm_1", name: "a token" },
  address: "127.0.0.1",
  requestId: "req_1",
  action: "budget.updated",
  target: { kind: "budget", id: "bud_1", name: null },
  environmentId: null,
  before: `{"limitUsd":"1"}`,
  after: `{"limitUsd":"2"}`,
};

interface Chain {
  readonly entries: readonly AuditEntry[];
  readonly head: AuditHead | undefined;
}

function chainOf(count: number): Chain {
  const entries: AuditEntry[] = [];
  let head: AuditHead | undefined;
  for (let i = 0; i < count; i += 1) {
    const next = chainEntry({ ...ENTRY, requestId: `req_${i}` }, head, hash);
    entries.push(next.entry);
    head = next.head;
  }
  return { entries, head };
}

function verdictOn({ entries, head }: Chain, expected?: ChainPoint) {
  const verifier = new ChainVerifier(hash, expected);
  for (const entry of entries) {
    const problem = verifier.accept(entry);
    if (problem !== undefined) return problem;
  }
  return verifier.end(head);
}

const CHAIN = chainOf(5);

const at = (index: number): AuditEntry => {
  const entry = CHAIN.entries[index];
  if (entry === undefined) throw new Error(`there is no entry ${index}`);
  return entry;
};

describe("a chain", () => {
  it("that nobody touched is whole, and so is an empty one", () => {
    expect(verdictOn(CHAIN)).toBeUndefined();
    expect(verdictOn({ entries: [], head: undefined })).toBeUndefined();
    expect(verdictOn(CHAIN, at(2))).toBeUndefined();
  });

  const changes: readonly Partial<AuditEntry>[] = [
    { atMs: ENTRY.atMs + 1 },
    { actor: { kind: "token", id: "adm_1", name: "another" } },
    { address: null },
    { requestId: null },
    { action: "budget.created" },
    { target: { kind: "budget", id: "bud_2", name: null } },
    { before: null },
    { after: `{"limitUsd":"20"}` },
    { previousHash: "0".repeat(64) },
  ];
  it.each(changes)("of which an entry was edited is broken there: %j", (change) => {
    const entries = CHAIN.entries.with(2, { ...at(2), ...change });
    expect(verdictOn({ ...CHAIN, entries })).toEqual({ fault: "altered", sequence: 3 });
  });

  it("is broken where one was removed, in the middle, at its beginning and at its end", () => {
    const { entries, head } = CHAIN;
    expect(verdictOn({ entries: entries.toSpliced(2, 1), head })).toEqual({
      fault: "missing",
      sequence: 3,
    });
    expect(verdictOn({ entries: entries.slice(1), head })).toEqual({
      fault: "missing",
      sequence: 1,
    });
    expect(verdictOn({ entries: entries.slice(0, 4), head })).toEqual({
      fault: "end_missing",
      sequence: 5,
    });
    expect(verdictOn({ entries: [], head })).toEqual({ fault: "end_missing", sequence: 1 });
  });

  it("is broken where two have changed places, also under each other's numbers", () => {
    const { entries, head } = CHAIN;
    const swapped = entries.with(1, at(2)).with(2, at(1));
    expect(verdictOn({ entries: swapped, head })).toEqual({ fault: "missing", sequence: 2 });
    const renumbered = entries
      .with(1, { ...at(2), sequence: 2 })
      .with(2, { ...at(1), sequence: 3 });
    expect(verdictOn({ entries: renumbered, head })).toEqual({ fault: "altered", sequence: 2 });
  });

  it("can't be cut together with its head by who has no key", () => {
    const entries = CHAIN.entries.slice(0, 3);
    const head = { sequence: 3, hash: at(2).hash, tag: CHAIN.head?.tag ?? "" };
    expect(verdictOn({ entries, head })).toEqual({ fault: "head_altered", sequence: 3 });
    expect(verdictOn({ entries, head: undefined })).toEqual({ fault: "head_altered", sequence: 3 });
  });

  it("that was replaced whole by an older or another one does not lead through what was written down", () => {
    const older = chainOf(3);
    expect(verdictOn(older)).toBeUndefined();
    expect(verdictOn(older, at(4))).toEqual({ fault: "unexpected", sequence: 5 });
    const other = chainOf(6);
    const point = { sequence: 6, hash: "f".repeat(64) };
    expect(verdictOn(other, point)).toEqual({ fault: "unexpected", sequence: 6 });
  });
});
