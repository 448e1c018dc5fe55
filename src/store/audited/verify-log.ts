import type { AuditEntry } from "../../core/audit/audit-entry.ts";
import type { ChainVerifier } from "../../core/audit/verify-chain.ts";
import type { AuditRepository } from "../audit-repository.ts";
import { type AuditVerdict, SET_BACK_ACTIONS, type SetBack } from "../audited-store.ts";

/** Reads the whole log, and says where it is broken first. */
export async function verifyLog(
  audit: AuditRepository,
  verifier: ChainVerifier,
): Promise<Omit<AuditVerdict, "mark">> {
  const setBacks: SetBack[] = [];
  // Before the entries: what is added meanwhile comes after it.
  const head = await audit.findHead();
  let page: readonly AuditEntry[];
  do {
    page = await audit.listFrom(verifier.last.sequence + 1, PAGE_SIZE);
    for (const entry of page) {
      const problem = verifier.accept(entry);
      if (problem !== undefined) return { last: verifier.last, problem, setBacks };
      const action = SET_BACK_ACTIONS.find((one) => one === entry.action);
      if (action !== undefined) {
        setBacks.push({ sequence: entry.sequence, atMs: entry.atMs, action });
        if (setBacks.length > MAX_SET_BACKS) setBacks.shift();
      }
      if (entry.sequence === head?.sequence) break;
    }
  } while (page.length > 0 && verifier.last.sequence < (head?.sequence ?? 0));
  return { last: verifier.last, problem: verifier.end(head), setBacks };
}

const MAX_SET_BACKS = 20;

/** Small: the hashes of a page are made in one go, on the event loop that also serves calls. */
const PAGE_SIZE = 200;
