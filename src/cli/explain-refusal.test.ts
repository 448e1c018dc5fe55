import { describe, expect, it } from "vitest";
import { AdminApiError } from "../admin/client.ts";
import { keys } from "./commands/keys.ts";
import { providerKeys } from "./commands/provider-keys.ts";
import { explainRefusal } from "./explain-refusal.ts";

interface Said {
  readonly status?: number;
  readonly param?: string | null;
  readonly options?: Readonly<Record<string, unknown>>;
}

function explain(
  command: Parameters<typeof explainRefusal>[1]["command"],
  message: string,
  { status = 400, param = null, options = {} }: Said = {},
) {
  const error = new AdminApiError(message, { status, code: "conflict", param, requestId: null });
  const said = explainRefusal(error, { noun: "provider-keys", command, options, hasList: true });
  return { message: said?.message, advice: said?.advice };
}

describe("a refusal in the words of the command", () => {
  it("names the option, and spans of time as they are typed", () => {
    expect(explain(keys.rotate, "`overlapSeconds` must be at most 7776000.").message).toBe(
      "--overlap must be at most 90d.",
    );
    expect(explain(keys.unused, "`unusedForDays` must be at least 1.").message).toBe(
      "--days must be at least 1.",
    );
    const days = "`rotateEveryDays` must be at least 1.";
    expect(explain(providerKeys.update, days).message).toBe(
      "--rotate-every-days must be at least 1.",
    );
    // The word may be a value as well.
    const value = "There is no environment `name`.";
    expect(explain(providerKeys.add, value).message).toBe(value);
  });

  it("names the way a secret was given, and no option that is not taken", () => {
    const message = "`secret` must be a key that calls models.";
    const said = (options: object) =>
      explain(providerKeys.add, message, { options: { ...options } }).message;
    expect(said({ secretStdin: true })).toMatch(/^--secret-stdin must be/);
    expect(said({ secretEnv: "KEY", secretStdin: false })).toMatch(/^--secret-env must be/);
    expect(said({ secretStdin: false })).toMatch(/^the secret must be/);
  });

  it("says what to do next with the command that the server named, else with a list of what is not there", () => {
    const open = "It is being rotated already. See `keyward rotations show rot_1`.";
    expect(explain(providerKeys.rotate, open, { status: 409, param: "id" })).toEqual({
      message: "It is being rotated already.",
      advice: "keyward rotations show rot_1",
    });
    const gone = { status: 404, param: "id" };
    expect(explain(providerKeys.show, "There is none.", gone).advice).toBe(
      "keyward provider-keys list",
    );
    // A list of accounts does not help whose key is a person's.
    const personal = { status: 409, param: "accountId" };
    expect(explain(providerKeys.add, "The key is a person's.", personal).advice).toBeUndefined();
  });
});
