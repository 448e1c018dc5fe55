import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { PENDING_STATES, type PendingState } from "../../store/store.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";

type Pending = components["schemas"]["PendingUsage"];

export const usagePending = defineCommand({
  summary: "list work that is charged when it has ended, newest first",
  details:
    "Responses in background mode, batches and runs of assistants. Keyward asks the provider until it says what they consumed; what was given up is listed until it is retried with `keyward usage retry`.",
  examples: ["keyward usage pending", "keyward usage pending --state given_up --json"],
  reach: "admin",
  printsData: true,
  options: {
    state: { value: "state", description: "only what is in this state", choices: PENDING_STATES },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "pending usage",
      fetch(client, page) {
        const { state } = context.options;
        const query = {
          ...page,
          ...given({
            state: state === undefined ? undefined : parseChoice(state, isPendingState, "--state"),
          }),
        };
        return client.GET("/usage/pending", { params: { query } });
      },
      columns: [
        { title: "begun (UTC)", value: (row) => formatTime(row.createdAt) },
        { title: "kind", value: ({ kind }) => kind.replace("_", " ") },
        { title: "work", value: ({ objectId }) => objectId },
        { title: "state", value: formatState },
        { title: "asked", value: ({ checks }) => formatCount(checks), isNumber: true },
        { title: "next (UTC)", value: (row) => formatOptionalTime(row.nextCheckAt) },
        { title: "environment", value: (row) => formatOptional(row.environment) },
        { title: "customer", value: (row) => formatOptional(row.customer) },
        { title: "id", value: ({ id }) => id },
      ],
    }),
});

/** `waiting`, `waiting: rate limited`, `given up: not found` */
function formatState({ state, problem }: Pending): string {
  const word = state.replace("_", " ");
  const isOrdinary = problem === null || (state === "waiting" && problem === "not_finished");
  return isOrdinary ? word : `${word}: ${problem.replaceAll("_", " ")}`;
}

function isPendingState(word: string): word is PendingState {
  return (PENDING_STATES as readonly string[]).includes(word);
}

export const usageRetry = defineCommand({
  summary: "ask for pending usage at once, also for what was given up",
  examples: ["keyward usage retry evt_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the id that `keyward usage pending` shows" } },
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const row = expectData(await client.POST("/usage/pending/{id}/retry", { params }));
    await output.data(row, () =>
      output.line(`${row.objectId} is asked for as soon as a gateway runs (${row.id})`),
    );
  },
});
