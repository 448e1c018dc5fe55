import { unbounded, type CallBound } from "../../core/budgets/call-bound.ts";
import type { BoundRequest, Operation } from "../openai/operation.ts";

/** What a request says of the most that its call can cost. */
export function readCallBound(operation: Operation, request: BoundRequest): CallBound {
  if (!operation.charges) return { kind: "free" };
  return (
    operation.readBound?.(request) ??
    unbounded(`Keyward does not know what a ${operation.method} of its path can cost`)
  );
}
