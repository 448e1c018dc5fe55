import { expect } from "vitest";
import type { ParsedResponse } from "./parse-responses.ts";

/** An error of Keyward's own, in the shape that the official clients read. */
export function expectRefusal(
  response: ParsedResponse | undefined,
  expected: {
    readonly status: number;
    readonly code: string;
    /** Says that the connection is closed after it. */
    readonly isLast?: boolean;
  },
): void {
  const body = readErrorBody(response);
  expect({ status: response?.status, code: body.error.code }).toEqual({
    status: expected.status,
    code: expected.code,
  });
  if (expected.isLast === true) expect(response?.headers.get("connection")).toBe("close");
}

/** Fails where the answer is not one JSON error as OpenAI has it. */
export function readErrorBody(response: ParsedResponse | undefined): {
  readonly error: { readonly code: string; readonly message: string };
} {
  expect(response?.headers.get("content-type")).toMatch(/^application\/json/);
  const body: unknown = JSON.parse(response?.body.toString() ?? "");
  expect(body).toEqual({
    error: {
      message: expect.stringMatching(/./),
      type: expect.stringMatching(/./),
      param: expect.toSatisfy((param) => param === null || typeof param === "string"),
      code: expect.stringMatching(/^[a-z_]+$/),
    },
  });
  return body as ReturnType<typeof readErrorBody>;
}
