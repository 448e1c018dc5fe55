import {
  unbounded,
  type CacheWriteClass,
  type CallBound,
  type TokenBound,
} from "../../core/budgets/call-bound.ts";
import type { UnitClass } from "../../core/usage/quantities.ts";
import { parseJsonText } from "../json/parse-json-text.ts";
import { SoughtNames } from "../json/sought-names.ts";
import { TopLevelScanner, type TopLevelScan } from "../json/top-level-scanner.ts";
import type { BoundRequest, Operation } from "../openai/operation.ts";
import { readAttachments } from "./read-attachments.ts";
import { readTools, type OfferedTool } from "./read-tools.ts";

/** Whose work a tool is. `client`: the model stops, and the client's next call is another one. */
export type ToolKind = "client" | UnitClass | "uncharged" | "unknown";

/** What is different about an endpoint that is charged by the token. */
export interface TokenCallShape {
  /** The fields with what the model reads; attachments are looked for in them alone. */
  readonly messages: readonly string[];
  readonly outputLimits: readonly string[];
  readonly isLimitPerTurn?: boolean;
  readonly minOutputTokens?: number;
  /** False for an endpoint that is charged for its input alone. */
  readonly hasOutput?: boolean;
  /** Fields that, given, make the model read what is not in the body; with what that is, for people. */
  readonly unseen?: Readonly<Record<string, string>>;
  /** Fields that, given, make the cost open-ended; with why. */
  readonly openEnded?: Readonly<Record<string, string>>;
  /** Words of `service_tier` that mean another one's. */
  readonly tierWords?: Readonly<Record<string, string>>;
  readonly toolKind?: (type: string | null) => ToolKind;
  /** A field that, given, may bring tools of the provider's that are stored there; with what they are charged by. */
  readonly storedTools?: { readonly field: string; readonly classes: readonly UnitClass[] };
  /** Whether caching is asked for in the body, and not done by the provider unasked. */
  readonly isCacheExplicit?: boolean;
  /** Further fields that `refine` reads. */
  readonly reads?: readonly string[];
  /** What only this endpoint knows. */
  readonly refine?: (bound: TokenBound, scan: TopLevelScan) => CallBound;
}

/**
 * The framing that a provider adds around what it is sent: a few tokens a message, which take fewer than the braces and
 * names of its JSON, and a system prompt of its own, which models with a chat format of theirs begin with.
 */
const FRAMING_TOKENS = 200;
/** What a provider tells a model about tools besides their definitions (Anthropic: up to 735 for a tool of its own). */
const TOOL_TOKENS = 2000;

/** Counts above these are nothing that an API takes. */
const MAX_ANSWERS = 10_000;
const MAX_HOSTED_CALLS = 10_000;
const MAX_LIMIT = 1_000_000_000;

/** Longer values of the fields that are read whole say nothing. */
const MAX_VALUE_BYTES = 1024;

const COMMON_FIELDS = [
  "n",
  "best_of",
  "service_tier",
  "max_tool_calls",
  "modalities",
  "audio",
  "prediction",
  "tools",
] as const;

/** What an endpoint's requests say of the most that a call can cost: how it is read, and out of which fields. */
export function tokenBound(
  tokenCall: TokenCallShape,
): Required<Pick<Operation, "readBound" | "boundFields">> {
  const { messages, outputLimits, reads = [], unseen = {}, openEnded = {} } = tokenCall;
  const given = [...Object.keys(unseen), ...Object.keys(openEnded)];
  const specialFields = [...new Set([...COMMON_FIELDS, ...given])];
  const boundFields = new Set([...specialFields, ...messages, ...outputLimits, ...reads]);
  const shape = {
    ...tokenCall,
    unseenFields: Object.entries(unseen),
    openEndedFields: Object.entries(openEnded),
    specialFields,
  };
  const names = new SoughtNames(boundFields);
  const readBoundOf = ({ bytes, scan: known }: BoundRequest): CallBound => {
    if (bytes === null) return unbounded("its body is not read before it is sent");
    const scan = known ?? findFields(bytes, names);
    if (scan === undefined) return unbounded("its body is not one JSON object");
    return readBound(bytes, scan, shape);
  };
  return { readBound: readBoundOf, boundFields };
}

function findFields(bytes: Buffer, names: SoughtNames): TopLevelScan | undefined {
  const scanner = new TopLevelScanner(names, MAX_VALUE_BYTES);
  scanner.push(bytes);
  return scanner.finish();
}

interface Shape extends TokenCallShape {
  /** Names and what they mean, for people. */
  readonly unseenFields: readonly (readonly [string, string])[];
  readonly openEndedFields: readonly (readonly [string, string])[];
  /** What `readSpecialFields` reads. */
  readonly specialFields: readonly string[];
}

function readBound(bytes: Buffer, scan: TopLevelScan, shape: Shape): CallBound {
  const odd = scan.duplicate ?? scan.lookAlike ?? scan.unclear;
  if (odd !== undefined) return unbounded(`its body has "${odd}" in two spellings, or twice`);
  const more = isPlain(scan, shape) ? PLAIN : readSpecialFields(bytes, scan, shape);
  if (typeof more === "string") return unbounded(more);
  const attachments = readAttachments(bytes, scan.fields, shape.messages);
  const bound: TokenBound = {
    kind: "tokens",
    inputTokens: bytes.length - attachments.pictureBytes + FRAMING_TOKENS + more.toolTokens,
    pictures: attachments.pictures,
    hasAudioInput: attachments.hasAudio,
    unseen: more.unseen ?? attachments.unseen,
    cacheWrites: cacheWritesOf(bytes, shape),
    hostedCalls: more.hosted.calls,
    hostedClasses: more.hosted.classes,
    searches: 0,
    hasOutput: shape.hasOutput ?? true,
    hasAudioOutput: more.hasAudioOutput,
    outputLimits: readLimits(scan, shape),
    isLimitPerTurn: shape.isLimitPerTurn ?? false,
    minOutputTokens: shape.minOutputTokens ?? 1,
    answers: more.answers,
    extraOutputTokens: more.extraOutputTokens,
    serviceTier: more.serviceTier,
  };
  return shape.refine?.(bound, scan) ?? bound;
}

function isPlain({ fields }: TopLevelScan, { specialFields }: Shape): boolean {
  for (const field of specialFields) if (fields.has(field)) return false;
  return true;
}

/** What most bodies say nothing of. */
interface SpecialFields extends Pick<
  TokenBound,
  "unseen" | "hasAudioOutput" | "answers" | "extraOutputTokens" | "serviceTier"
> {
  readonly hosted: Hosted;
  /** What a provider adds for the tools that are offered. */
  readonly toolTokens: number;
}

const NONE_HOSTED: Hosted = { calls: 0, classes: [] };

const PLAIN: SpecialFields = {
  unseen: null,
  hasAudioOutput: false,
  answers: 1,
  extraOutputTokens: 0,
  serviceTier: null,
  hosted: NONE_HOSTED,
  toolTokens: 0,
};

/** Or why the cost has no end. */
function readSpecialFields(
  bytes: Buffer,
  scan: TopLevelScan,
  shape: Shape,
): SpecialFields | string {
  for (const [field, why] of shape.openEndedFields) if (isGiven(scan, field)) return why;
  const answers = readAnswers(scan);
  if (typeof answers === "string") return answers;
  const hosted = readHosted(bytes, scan, shape);
  if (typeof hosted === "string") return hosted;
  const prediction = scan.fields.get("prediction");
  return {
    unseen: shape.unseenFields.find(([field]) => isGiven(scan, field))?.[1] ?? null,
    hasAudioOutput: hasAudioOutput(scan),
    answers,
    extraOutputTokens: prediction === undefined ? 0 : prediction.end - prediction.start,
    serviceTier: readTier(scan, shape),
    hosted,
    toolTokens: scan.fields.has("tools") ? TOOL_TOKENS : 0,
  };
}

/** Whether a field is there and not null. */
function isGiven(scan: TopLevelScan, field: string): boolean {
  const found = scan.fields.get(field);
  return found !== undefined && found.text !== "null";
}

/** A field's number; undefined where it is none, or there is none. */
export function readNumber(scan: TopLevelScan, field: string): number | undefined {
  const value = readValue(scan, field);
  return typeof value === "number" ? value : undefined;
}

/** A field's value, where it is short; undefined where there is none, or it is malformed. */
export function readValue(scan: TopLevelScan, field: string): unknown {
  const text = scan.fields.get(field)?.text;
  if (text === undefined) return undefined;
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

/** How many answers are asked for; or why nobody can say. */
function readAnswers(scan: TopLevelScan): number | string {
  let answers = 1;
  for (const field of ["n", "best_of"] as const) {
    if (!isGiven(scan, field)) continue;
    const count = readNumber(scan, field) ?? 0;
    if (!Number.isInteger(count) || count < 1 || count > MAX_ANSWERS) {
      return `"${field}" is no whole number from 1 to ${MAX_ANSWERS}`;
    }
    answers = Math.max(answers, count);
  }
  return answers;
}

/** Empty where one of those that are given can't be read: a server may read it all the same, and heed that one. */
function readLimits(scan: TopLevelScan, { outputLimits }: TokenCallShape): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const field of outputLimits) {
    const limit = readOutputLimit(scan, field);
    if (limit === undefined) continue;
    if (limit === null || limit > MAX_LIMIT) return {};
    limits[field] = limit;
  }
  return limits;
}

/**
 * A field's limit on the output. Undefined where none is given; null where what is given is no whole number above zero,
 * which is no limit: some servers take 0 and -1 for exactly that.
 */
export function readOutputLimit(scan: TopLevelScan, field: string): number | null | undefined {
  if (!isGiven(scan, field)) return undefined;
  const limit = readNumber(scan, field);
  return limit !== undefined && Number.isInteger(limit) && limit > 0 ? limit : null;
}

interface Hosted {
  readonly calls: number;
  readonly classes: readonly UnitClass[];
}

/** How often the model may call the provider's own tools; or why nobody can say. */
function readHosted(bytes: Buffer, scan: TopLevelScan, shape: TokenCallShape): Hosted | string {
  const place = scan.fields.get("tools");
  const { storedTools } = shape;
  const hasStored = storedTools !== undefined && isGiven(scan, storedTools.field);
  const isOffering = place !== undefined && place.memberCount !== 0;
  if (!isOffering && !hasStored) return NONE_HOSTED;
  const tools = isOffering ? readTools(bytes, place) : [];
  if (tools === undefined) return `its "tools" is no list that Keyward can read`;
  const toolKind = shape.toolKind ?? (() => "unknown" as const);
  const classes = new Set<UnitClass>(hasStored ? storedTools.classes : []);
  const hosted: OfferedTool[] = hasStored
    ? [{ type: storedTools.field, maxUses: null, models: [] }]
    : [];
  for (const tool of tools) {
    const kind = toolKind(tool.type);
    if (kind === "client") continue;
    if (kind === "unknown") return `nobody says what the tool "${tool.type ?? ""}" can cost`;
    if (kind !== "uncharged") classes.add(kind);
    hosted.push(tool);
  }
  if (hosted.length === 0) return NONE_HOSTED;
  const calls = readNumber(scan, "max_tool_calls") ?? sumOfUses(hosted);
  return calls === null || !Number.isInteger(calls) || calls < 0 || calls > MAX_HOSTED_CALLS
    ? `the model may call the provider's tools as often as it likes (set ${shape.isLimitPerTurn === true ? '"max_uses" of each tool' : '"max_tool_calls"'})`
    : { calls, classes: [...classes] };
}

function sumOfUses(tools: readonly OfferedTool[]): number | null {
  let sum = 0;
  for (const { maxUses } of tools) {
    if (maxUses === null) return null;
    sum += maxUses;
  }
  return sum;
}

/** Chats whose answer is spoken. */
function hasAudioOutput(scan: TopLevelScan): boolean {
  const modalities = scan.fields.get("modalities");
  if (isGiven(scan, "audio")) return true;
  const value = readValue(scan, "modalities");
  return modalities !== undefined && (!Array.isArray(value) || value.includes("audio"));
}

function readTier(scan: TopLevelScan, { tierWords }: TokenCallShape): string | null {
  if (!isGiven(scan, "service_tier")) return null;
  const tier = readValue(scan, "service_tier");
  // A tier that is no name is none that has a price.
  if (typeof tier !== "string") return "?";
  return tierWords?.[tier] ?? tier;
}

function cacheWritesOf(bytes: Buffer, shape: TokenCallShape): readonly CacheWriteClass[] {
  if (shape.isCacheExplicit !== true) return CACHED_UNASKED;
  // With an escape in it the word may be written in any way.
  const isAsked = bytes.includes("cache_control") || bytes.includes("\\u");
  return isAsked ? CACHED_AS_ASKED : NOT_CACHED;
}

const CACHED_UNASKED: readonly CacheWriteClass[] = ["cacheWriteInput"];
const CACHED_AS_ASKED: readonly CacheWriteClass[] = ["cacheWriteInput", "cacheWrite1hInput"];
const NOT_CACHED: readonly CacheWriteClass[] = [];
