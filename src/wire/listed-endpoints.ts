import { nearestName } from "../core/text/nearest-name.ts";
import { ANTHROPIC_OPERATIONS } from "./anthropic/operations.ts";
import { OPERATIONS } from "./openai/operations.ts";

/** Below `/v1`. */
const PATHS = [
  ...new Set([...OPERATIONS, ...ANTHROPIC_OPERATIONS].map(({ path }) => path.slice("/v1/".length))),
];
/** Those that pass unmetered and that people allow on purpose. Source: the reference of OpenAI's API. */
const PASSED = [
  "assistants",
  "containers",
  "conversations",
  "evals",
  "files",
  "fine_tuning",
  "models",
  "realtime",
  "threads",
  "uploads",
  "vector_stores",
  "videos",
];
const NAMES = [...PATHS.filter((path) => !path.includes("{")), ...PASSED];

/**
 * Whether a path below `/v1` is one that this version knows: an endpoint, the beginning of some, or one below them. Any
 * other is passed on all the same.
 */
export function isListedEndpoint(pattern: string): boolean {
  const segments = pattern.split("/");
  return [...PATHS, ...PASSED].some((path) => {
    const known = path.split("/");
    const common = Math.min(known.length, segments.length);
    const isAlike = known
      .slice(0, common)
      .every((segment, at) => segment.startsWith("{") || segment === segments[at]);
    return isAlike;
  });
}

/** The endpoint that was most likely meant. */
export function nearestEndpoint(pattern: string): string | undefined {
  return nearestName(pattern, NAMES);
}
