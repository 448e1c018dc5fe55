import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { ENFORCEMENTS, TIGHT_BUDGET_ACTIONS } from "../../core/budgets/budget.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatTime, formatUsd } from "../format-cells.ts";
import { given } from "../given.ts";
import { parseWhen } from "../parse-when.ts";
import { agree } from "../prompts.ts";
import { describeBudget, formatIncrease } from "./format-budget.ts";

const ID = { id: { description: "the budget's id" } } as const;

export const setLimit = defineCommand({
  summary: "change a budget's limit",
  details: "Holds everywhere within a second, for the period that has begun.",
  examples: ["keyward budgets set-limit bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D 250"],
  reach: "admin",
  printsData: true,
  arguments: { ...ID, usd: { description: "the new limit of each period, in USD" } },
  async run({ admin, arguments: { id, usd }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const body = { limitUsd: usd };
    const budget = expectData(await client.PATCH("/budgets/{id}", { params, body }));
    await output.data(budget, () => {
      const left = budget.remainingUsd;
      output.line(
        `now ${describeBudget(budget)}${left === null ? "" : `; ${formatUsd(left)} left`}`,
      );
    });
  },
});

export const update = defineCommand({
  summary: "change what a budget is called and what it does when little is left",
  details: "What it counts never changes: archive it and create another one.",
  examples: [
    "keyward budgets update bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D --enforcement soft",
    "keyward budgets update bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D --on-tight-budget clamp --name 'each customer'",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: {
    name: { value: "name", description: "for people" },
    enforcement: {
      value: "word",
      description: "hard: never exceeded; soft: counted, and told of",
      choices: ENFORCEMENTS,
    },
    onTightBudget: {
      value: "word",
      description: "what becomes of a call for which too little is left",
      choices: TIGHT_BUDGET_ACTIONS,
    },
  },
  async run({ admin, arguments: { id }, options, output }) {
    // The parser has checked the words against their choices.
    const body = given(options) as components["schemas"]["BudgetChange"];
    if (Object.keys(body).length === 0) {
      throw new CliError("nothing to change was named", {
        isUsage: true,
        advice: "--name, --enforcement or --on-tight-budget; the limit: keyward budgets set-limit",
      });
    }
    const client = await admin();
    const params = { path: { id } };
    const budget = expectData(await client.PATCH("/budgets/{id}", { params, body }));
    await output.data(budget, () => output.line(`now ${describeBudget(budget)} (${id})`));
  },
});

export const increase = defineCommand({
  summary: "raise a budget's limit for a while",
  examples: [
    "keyward budgets increase bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D 50 --until 2d --reason 'launch week'",
    "keyward budgets increase bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D 50 --until 2030-01-31T09:00:00Z",
  ],
  reach: "admin",
  printsData: true,
  arguments: { ...ID, usd: { description: "what is added to the limit, in USD" } },
  options: {
    until: { value: "when", description: "a time, or from now: 2d, 12h", isRequired: true },
    reason: { value: "text", description: "for people" },
  },
  async run({ admin, arguments: { id, usd }, io, options, output }) {
    const until = parseWhen(options.until, {
      nowMs: io.nowMs(),
      flag: "--until",
      direction: "ahead",
    });
    const client = await admin();
    const body = { amountUsd: usd, until, ...given({ reason: options.reason }) };
    const params = { path: { id } };
    const budget = expectData(await client.POST("/budgets/{id}/increases", { params, body }));
    await output.data(budget, () => {
      const now = budget.effectiveLimitUsd;
      const limit = now === null ? `${formatUsd(usd)} more for each` : `now ${formatUsd(now)}`;
      output.line(`limit ${limit}, until ${formatTime(until)}`);
    });
  },
});

export const endIncrease = defineCommand({
  summary: "take back an increase of a budget's limit before it ends",
  details:
    "Holds everywhere within a second. Where more is spent or held than the limit is then, nothing more is let through until it is below.",
  examples: [
    "keyward budgets end-increase bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D inc_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes",
  ],
  reach: "admin",
  printsData: true,
  arguments: { ...ID, increase: { description: "the increase's id, as `budgets show` has it" } },
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id, increase: increaseId }, io, options, output }) {
    const client = await admin();
    const budget = expectData(await client.GET("/budgets/{id}", { params: { path: { id } } }));
    const raised = budget.increases.find((one) => one.id === increaseId);
    const what = raised === undefined ? increaseId : formatIncrease(raised);
    await agree(
      { io, isAgreed: options.yes },
      `Take back the increase ${what} of ${describeBudget(budget)}?`,
    );
    const params = { path: { id, increaseId } };
    const lowered = expectData(
      await client.DELETE("/budgets/{id}/increases/{increaseId}", { params }),
    );
    await output.data(lowered, () => {
      const { effectiveLimitUsd: limit, remainingUsd: left } = lowered;
      const isOne = limit !== null && left !== null;
      const now = isOne ? `limit now ${formatUsd(limit)}, ${formatUsd(left)} left` : "for each";
      output.line(`took back ${what}: ${now}`);
    });
  },
});

export const pause = defineCommand({
  summary: "pause a budget: it counts, and refuses nothing",
  examples: ["keyward budgets pause bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const budget = expectData(await client.POST("/budgets/{id}/pause", { params, body: {} }));
    await output.data(budget, () => output.line(`paused ${describeBudget(budget)}`));
  },
});

export const resume = defineCommand({
  summary: "resume a budget that was paused",
  examples: ["keyward budgets resume bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const params = { path: { id } };
    const budget = expectData(await client.POST("/budgets/{id}/resume", { params, body: {} }));
    await output.data(budget, () => output.line(`resumed ${describeBudget(budget)}`));
  },
});

export const archive = defineCommand({
  summary: "archive a budget: it counts and refuses nothing any more, and its history stays",
  examples: ["keyward budgets archive bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const budget = expectData(await client.GET("/budgets/{id}", { params }));
    const question = `Archive ${describeBudget(budget)}? This can't be undone.`;
    await agree({ io, isAgreed: options.yes }, question);
    const archived = expectData(await client.DELETE("/budgets/{id}", { params }));
    await output.data(archived, () => output.line(`archived ${describeBudget(archived)} (${id})`));
  },
});
