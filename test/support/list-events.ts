import { expectData, type AdminClient } from "../../src/admin/client.ts";

/** All events of the ledger, page by page. */
export async function listEvents(admin: AdminClient) {
  const events = [];
  let cursor: string | undefined;
  do {
    const page = expectData(
      await admin.GET("/usage/events", {
        params: { query: { limit: 1000, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    );
    events.push(...page.data);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return events;
}
