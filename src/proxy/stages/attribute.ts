import { createHash } from "node:crypto";
import { storableText } from "../../core/text/storable-text.ts";
import type { Call, Refusal } from "../call.ts";

const MAX_CUSTOMER_CHARACTERS = 256;
const MAX_FEATURE_CHARACTERS = 128;
/** Anything but control characters, those of terminals included; a name is shown in tables and exported to spreadsheets. */
// eslint-disable-next-line no-control-regex
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Decides whose call it is: the customer from the key, else from `x-keyward-customer`, else from the body's
 * `safety_identifier` or `user`; the feature from `x-keyward-feature`.
 */
export function attribute(call: Call): Refusal | undefined {
  const feature = readTag(call, "x-keyward-feature", MAX_FEATURE_CHARACTERS);
  if (typeof feature === "object" && feature !== null) return feature;
  const named = readTag(call, "x-keyward-customer", MAX_CUSTOMER_CHARACTERS);
  if (typeof named === "object" && named !== null) return named;
  const token = call.key?.clientToken;
  // Who holds a client token is a visitor, and says nothing that is believed.
  call.feature = token === undefined ? feature : token.feature;
  // A key that is bound to a customer cannot speak for another one, whatever the request says.
  const customer = call.key?.customer ?? named ?? fromEndUser(call.peeked?.endUser ?? null);
  // As the store will have it, so that budgets and limits mean the same one here as there.
  call.customer = customer === null ? null : storableText(customer);
  return undefined;
}

function readTag(call: Call, name: string, maxCharacters: number): string | null | Refusal {
  const raw = call.request.headers.get(name);
  if (raw === undefined) return null;
  const value = decodeName(raw).trim();
  if (value === "") return null;
  if (value.length > maxCharacters || CONTROL_CHARACTER.test(value)) {
    return {
      code: "invalid_header",
      message: `${name} must be at most ${maxCharacters} characters without control characters; it has ${value.length}.`,
      param: name,
    };
  }
  return value;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * A header's bytes as text. They are handed over as Latin-1, which is also how `fetch` sends what is not ASCII;
 * curl and most others send UTF-8. Bytes that are valid UTF-8 are taken as such, so no two names become one.
 */
function decodeName(latin1: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\u0000-\u007f]*$/.test(latin1)) return latin1;
  try {
    return UTF8.decode(Buffer.from(latin1, "latin1"));
  } catch {
    return latin1;
  }
}

/** The field is meant for the provider, so a value that is no usable name is no error: it is told apart by its hash. */
function fromEndUser(value: string | null): string | null {
  if (value === null || value === "") return null;
  if (value.length <= MAX_CUSTOMER_CHARACTERS && !CONTROL_CHARACTER.test(value)) return value;
  return `sha256:${createHash("sha256").update(value).digest("hex").slice(0, 32)}`;
}
