/** What is written about secrets that were found elsewhere. */
import { isId } from "../../core/ids/ids.ts";
import type {
  ClientTokenRevocationRepository,
  ExposureRepositories,
  LeakRepository,
} from "../exposure-repositories.ts";
import { auditedText } from "./audited-fields.ts";
import { about, type ActsOf, type Within, withActs } from "./within.ts";

export function withExposureActs(
  exposure: ExposureRepositories,
  within: Within,
): ExposureRepositories {
  return {
    leaks: withActs(exposure.leaks, leakActs(within)),
    clientTokens: withActs(exposure.clientTokens, clientTokenActs(within)),
  };
}

function clientTokenActs(within: Within): ActsOf<ClientTokenRevocationRepository> {
  return {
    revoke: ({ kind, subject: id }) =>
      within(async ({ exposure: { clientTokens } }, write) => {
        const sequence = await clientTokens.revoke({ kind, subject: id });
        const environment = isId("env", id) && kind === "environment" ? { environmentId: id } : {};
        const target = about(kind, "clientTokensRevoked", { id, ...environment });
        await write({ ...target, before: null, after: auditedText({ madeBefore: sequence }) });
        return sequence;
      }),
  };
}

function leakActs(within: Within): ActsOf<LeakRepository> {
  return {
    insert: (record) =>
      within(async ({ exposure: { leaks } }, write) => {
        if (!(await leaks.insert(record))) return false;
        const { id: leakId, kind, subjectId: id, name, preview, outcome, place, source } = record;
        const environmentId = record.environmentId ?? undefined;
        await write({
          ...about(kind, "leaked", { id, name, ...(environmentId && { environmentId }) }),
          before: null,
          after: auditedText({ leakId, preview, outcome, place, source }),
        });
        return true;
      }),
  };
}
