import { EVENT_STATUSES, type EventStatus } from "../core/usage/usage-event.ts";
import type { CommandContext, OptionSpec } from "./command.ts";
import { given } from "./given.ts";
import { parseChoice } from "./parse-choice.ts";
import { parseWhen } from "./parse-when.ts";

export const RANGE_OPTIONS = {
  from: { value: "when", description: "from this time on: 24h, 7d, today, yesterday, 2026-01-31" },
  to: { value: "when", description: "before this time" },
} as const satisfies Record<string, OptionSpec>;

type RangeOptions = { readonly [Name in keyof typeof RANGE_OPTIONS]: string | undefined };

/** The query parameters for them. */
export function rangeOf({ options, io }: Pick<CommandContext<RangeOptions>, "options" | "io">) {
  const { from, to } = options;
  const nowMs = io.nowMs();
  return given({
    from: from && parseWhen(from, { nowMs, flag: "--from", direction: "ago" }),
    to: to && parseWhen(to, { nowMs, flag: "--to", direction: "ago" }),
  });
}

/** What the summary and the list of events are both narrowed by. */
export const SCOPE_OPTIONS = {
  ...RANGE_OPTIONS,
  project: { value: "name", description: "only this project's" },
  environment: { value: "name", description: "only this environment's" },
  customer: { value: "id", description: "only this customer's" },
  feature: { value: "tag", description: "only this feature's" },
  model: { value: "model", description: "only calls that this model served" },
  key: { value: "id", description: "only calls with this gateway key" },
} as const satisfies Record<string, OptionSpec>;

type ScopeOptions = { readonly [Name in keyof typeof SCOPE_OPTIONS]: string | undefined };

/** The query parameters for them. */
export function scopeOf(context: Pick<CommandContext<ScopeOptions>, "options" | "io">) {
  const { project, environment, customer, feature, model, key } = context.options;
  const scope = given({ project, environment, customer, feature, model, key });
  return { ...rangeOf(context), ...scope };
}

/** What a list of events can be narrowed by besides. */
export const EVENT_OPTIONS = {
  ...SCOPE_OPTIONS,
  status: { value: "status", description: "only calls that ended so", choices: EVENT_STATUSES },
  clientToken: { value: "id", description: "only calls with this client token" },
  requestId: { value: "id", description: "the call with this x-keyward-request-id" },
} as const satisfies Record<string, OptionSpec>;

type EventOptions = { readonly [Name in keyof typeof EVENT_OPTIONS]: string | undefined };

export function eventFilterOf(context: Pick<CommandContext<EventOptions>, "options" | "io">) {
  const { status, clientToken, requestId } = context.options;
  return {
    ...scopeOf(context),
    ...given({
      status: status === undefined ? undefined : parseChoice(status, isEventStatus, "--status"),
      clientToken,
      requestId,
    }),
  };
}

function isEventStatus(word: string): word is EventStatus {
  return (EVENT_STATUSES as readonly string[]).includes(word);
}
