/** What is written about secrets that were found elsewhere. */
import type { ExposureRepositories, LeakRepository } from "../exposure-repositories.ts";
import { auditedText } from "./audited-fields.ts";
import { about, type ActsOf, type Within, withActs } from "./within.ts";

export function withExposureActs(
  exposure: ExposureRepositories,
  within: Within,
): ExposureRepositories {
  return { leaks: withActs(exposure.leaks, leakActs(within)) };
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
