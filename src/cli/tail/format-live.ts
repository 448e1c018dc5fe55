import type { components } from "../../admin/api-types.ts";
import { formatCount, formatLack, formatUsd } from "../format-cells.ts";
import { formatInput, formatOutput } from "../format-quantities.ts";
import { printable } from "../printable.ts";

type LiveCall = components["schemas"]["LiveCall"];
type LiveRefusal = components["schemas"]["LiveRefusal"];

interface LiveColumn {
  readonly title: string;
  /** Characters; what is longer is cut, so that one long name does not push a column off the screen for good. */
  readonly width: number;
  readonly isNumber?: true;
  readonly ofCall: (call: LiveCall) => string;
  readonly ofRefusal: (refusal: LiveRefusal) => string;
}

const NOTHING = "–";

const COLUMNS: readonly LiveColumn[] = [
  {
    title: "started",
    width: 8,
    ofCall: ({ startedAt }) => clock(startedAt),
    ofRefusal: ({ startedAt }) => clock(startedAt),
  },
  {
    title: "status",
    width: 26,
    ofCall: ({ status, httpStatus }) =>
      status === "succeeded" || httpStatus === null ? status : `${status} ${httpStatus}`,
    ofRefusal: ({ code }) => code,
  },
  {
    title: "environment",
    width: 12,
    ofCall: ({ environment }) => environment ?? NOTHING,
    ofRefusal: ({ environment }) => environment ?? NOTHING,
  },
  { title: "call", width: 20, ofCall: nameOf, ofRefusal: nameOf },
  {
    title: "model",
    width: 26,
    ofCall: ({ servedModel, requestedModel }) => servedModel ?? requestedModel ?? NOTHING,
    ofRefusal: ({ requestedModel }) => requestedModel ?? NOTHING,
  },
  {
    title: "input",
    width: 11,
    isNumber: true,
    ofCall: formatInput,
    ofRefusal: () => NOTHING,
  },
  {
    title: "output",
    width: 8,
    isNumber: true,
    ofCall: formatOutput,
    ofRefusal: () => NOTHING,
  },
  {
    title: "cost",
    width: 13,
    isNumber: true,
    ofCall: (event) => (event.costUsd === null ? formatLack(event) : formatUsd(event.costUsd)),
    ofRefusal: () => NOTHING,
  },
  {
    title: "ms",
    width: 8,
    isNumber: true,
    ofCall: ({ durationMs }) => formatCount(durationMs),
    ofRefusal: ({ durationMs }) => formatCount(durationMs),
  },
  {
    title: "customer",
    width: 20,
    ofCall: ({ customer }) => customer ?? NOTHING,
    ofRefusal: ({ customer }) => customer ?? NOTHING,
  },
  {
    title: "feature",
    width: 16,
    ofCall: ({ feature }) => feature ?? NOTHING,
    ofRefusal: ({ feature }) => feature ?? NOTHING,
  },
  {
    title: "request id",
    width: 30,
    ofCall: ({ requestId }) => requestId,
    ofRefusal: ({ requestId }) => requestId,
  },
];

/** The line above the first call. */
export function liveHeader(): string {
  return joinCells(COLUMNS.map(({ title }) => title));
}

export function formatLiveCall(call: LiveCall): string {
  return joinCells(COLUMNS.map(({ ofCall }) => ofCall(call)));
}

export function formatLiveRefusal(refusal: LiveRefusal): string {
  return joinCells(COLUMNS.map(({ ofRefusal }) => ofRefusal(refusal)));
}

function joinCells(cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const { width = 0, isNumber } = COLUMNS[index] ?? {};
      const text = fit(printable(cell), width);
      return isNumber === true ? text.padStart(width) : text.padEnd(width);
    })
    .join("  ")
    .trimEnd();
}

/** By code points, so that none is cut in two. */
function fit(text: string, width: number): string {
  const points = Array.from(text);
  return points.length <= width ? text : `${points.slice(0, width - 1).join("")}…`;
}

/** `09:30:12`, in UTC. */
function clock(iso: string): string {
  return iso.slice(11, 19);
}

function nameOf({ operation, method, path }: LiveCall | LiveRefusal): string {
  return operation === "other" ? `${method} ${path}` : operation;
}
