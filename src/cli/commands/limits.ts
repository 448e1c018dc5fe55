import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import { describeAmount } from "../../core/limits/describe-amount.ts";
import { SCOPE_KINDS, type ScopeKind } from "../../core/scopes/scope.ts";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { formatCount, formatOptional, formatTime } from "../format-cells.ts";
import { formatScope } from "../format-scope.ts";
import { given } from "../given.ts";
import { AMOUNT_OPTIONS, amountsOf, type LimitAmounts } from "../limit-options.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";
import { agree } from "../prompts.ts";

type Limit = components["schemas"]["Limit"];
type LimitUse = components["schemas"]["LimitUse"];

const ID = { id: { description: "the limit's id" } } as const;

const SCOPE_OPTION = { value: "kind", choices: SCOPE_KINDS, param: "scope.kind" } as const;

const list = defineCommand({
  summary: "list limits, newest first",
  examples: ["keyward limits list", "keyward limits list --scope customer --of acme"],
  reach: "admin",
  printsData: true,
  options: {
    scope: { ...SCOPE_OPTION, param: "scopeKind", description: "only those of this kind" },
    of: { value: "id", param: "scopeId", description: "only those that name this one" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "limits",
      fetch(client, page) {
        const { scope, of } = context.options;
        const scopeKind =
          scope === undefined ? undefined : parseChoice(scope, isScopeKind, "--scope");
        const query = { ...page, ...given({ scopeKind, scopeId: of }) };
        return client.GET("/limits", { params: { query } });
      },
      columns: [
        { title: "for", value: formatScope },
        { title: "requests/min", value: amountOf("requestsPerMinute"), isNumber: true },
        { title: "tokens/min", value: amountOf("tokensPerMinute"), isNumber: true },
        { title: "at a time", value: amountOf("concurrency"), isNumber: true },
        { title: "created", value: (limit) => formatTime(limit.createdAt) },
        { title: "id", value: (limit) => limit.id },
      ],
    }),
});

const create = defineCommand({
  summary: "limit requests, tokens or calls in flight of a scope",
  details:
    "Without `--of` it holds for each one of the kind by itself: every customer, say, has as much of its own. A call that several limits count must be within all of them. There is one limit for each scope.",
  examples: [
    "keyward limits create --scope organization --tokens 2000000",
    "keyward limits create --scope customer --requests 60 --concurrency 5",
    "keyward limits create --scope customer --of acme --requests 600",
  ],
  reach: "admin",
  printsData: true,
  options: {
    scope: { ...SCOPE_OPTION, description: "whose calls are counted", isRequired: true },
    of: {
      value: "id",
      param: "scope.id",
      description: "the one that is meant: an id, a name, or a customer's external id",
    },
    ...AMOUNT_OPTIONS,
  },
  async run({ admin, options, output }) {
    const kind = parseChoice(options.scope, isScopeKind, "--scope");
    const body = { scope: { kind, ...given({ id: options.of }) }, ...amountsOf(options) };
    const client = await admin();
    const limit = expectData(await client.POST("/limits", { body }));
    await output.data(limit, () => {
      output.line(`${formatScope(limit)} may take ${formatAmounts(limit)} (${limit.id})`);
    });
  },
});

const show = defineCommand({
  summary: "show a limit, and what counts of it now",
  details:
    "Requests and tokens of the last 60 seconds, and calls in flight, as processes told them within the last second. Beside them what processes have set aside for calls to come: it counts, too, until they give it back.",
  examples: ["keyward limits show lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  async run({ admin, arguments: { id }, output }) {
    const client = await admin();
    const limit = expectData(await client.GET("/limits/{id}", { params: { path: { id } } }));
    await output.data(limit, async () => {
      output.line(`${formatScope(limit)} may take ${formatAmounts(limit)}`);
      if (limit.uses.length === 0) return output.note("nothing counts now");
      await output.table(limit.uses, [
        { title: limit.scope.kind, value: (use) => use.name ?? (use.subject || "all calls") },
        { title: "requests", value: (use) => formatCount(use.requests), isNumber: true },
        { title: "tokens", value: (use) => formatCount(use.tokens), isNumber: true },
        { title: "in flight", value: (use) => formatCount(use.callsInFlight), isNumber: true },
        { title: "set aside", value: formatSetAside },
      ]);
    });
  },
});

const update = defineCommand({
  summary: "change a limit's amounts",
  details: "What is not named stays as it is; `none` takes an amount away.",
  examples: [
    "keyward limits update lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D --requests 120",
    "keyward limits update lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D --tokens none --concurrency 10",
  ],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: AMOUNT_OPTIONS,
  async run({ admin, arguments: { id }, options, output }) {
    const body = amountsOf(options);
    if (Object.keys(body).length === 0) {
      throw new CliError("nothing to change was named", { isUsage: true });
    }
    const client = await admin();
    const params = { path: { id } };
    const limit = expectData(await client.PATCH("/limits/{id}", { params, body }));
    await output.data(limit, () => {
      output.line(`${formatScope(limit)} may now take ${formatAmounts(limit)}`);
    });
  },
});

const remove = defineCommand({
  summary: "remove a limit",
  examples: ["keyward limits remove lim_01JZ6Y4V2S8W3N5R7T9X0B1C2D --yes"],
  reach: "admin",
  printsData: true,
  arguments: ID,
  options: { yes: { description: "do not ask" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const client = await admin();
    const params = { path: { id } };
    const limit = expectData(await client.GET("/limits/{id}", { params }));
    const what = `the limit of ${formatAmounts(limit)} for ${formatScope(limit)}`;
    await agree({ io, isAgreed: options.yes }, `Remove ${what}?`);
    const removed = expectData(await client.DELETE("/limits/{id}", { params }));
    await output.data(removed, () => output.line(`removed ${what} (${id})`));
  },
});

/** What processes hold for calls to come: `7 requests, 1 slot` */
function formatSetAside({ requestsSetAside, tokensSetAside, slotsSetAside }: LimitUse): string {
  const told = [
    [requestsSetAside, "request"],
    [tokensSetAside, "token"],
    [slotsSetAside, "slot"],
  ] as const;
  const some = told.filter(([amount]) => amount > 0);
  return formatOptional(
    some.length === 0 ? null : some.map(([amount, word]) => counted(amount, word)).join(", "),
  );
}

const isScopeKind = (word: string): word is ScopeKind =>
  (SCOPE_KINDS as readonly string[]).includes(word);

/** `60 requests per minute, 5 calls at a time` */
function formatAmounts({ requestsPerMinute, tokensPerMinute, concurrency }: LimitAmounts): string {
  return [
    ...(requestsPerMinute === null ? [] : [describeAmount("requests", requestsPerMinute)]),
    ...(tokensPerMinute === null ? [] : [describeAmount("tokens", tokensPerMinute)]),
    ...(concurrency === null ? [] : [describeAmount("concurrency", concurrency)]),
  ].join(", ");
}

function amountOf(name: keyof LimitAmounts) {
  return (limit: Limit): string => {
    const amount = limit[name];
    return formatOptional(amount === null ? null : formatCount(amount));
  };
}

export const limits = { list, create, show, update, remove };
