import type { IncomingMessage } from "node:http";
import {
  refuse,
  type Answer,
  type Call,
  type Endpoint,
  type FormEndpoint,
  type JsonEndpoint,
  type Refusal,
} from "../endpoint.ts";
import type { EndpointTable } from "./endpoint-table.ts";
import { readBody } from "./exchange.ts";
import { multipartBoundary, MultipartReader } from "./multipart-reader.ts";

export interface BodyLimits {
  readonly jsonBytes: number;
  readonly uploadBytes: number;
}

export interface AnswerRules {
  readonly endpoints: EndpointTable;
  readonly limits: BodyLimits;
  /** What is answered in place of what the endpoint would do, which it then does not do. */
  readonly refusal: Refusal | undefined;
}

/** Reads the call's body and has its endpoint answer. Undefined when the client went away before its request was whole. */
export async function readAnswer(
  req: IncomingMessage,
  call: Omit<Call, "id">,
  { endpoints, limits, refusal }: AnswerRules,
): Promise<Answer | undefined> {
  const { dialect, method, path } = call;
  const found = endpoints.find(dialect, method, path);
  if (found === undefined) {
    return refuse(
      404,
      `Invalid URL (${method} ${path}): the simulator answered, which does not speak this endpoint. A provider key for the environment is what is needed.`,
    );
  }
  if ("methods" in found) {
    const hint = `(HINT: Perhaps you meant to ${found.methods.join(" or ")}?)`;
    const code = "method_not_supported";
    return refuse(405, `Not allowed to ${method} on ${path}. ${hint}`, { code });
  }
  const { id } = found;
  const endpoint = refusal === undefined ? found.endpoint : refusing(found.endpoint, refusal);
  if (endpoint.takes === "nothing") return endpoint.answer({ ...call, id });
  if ((req.headers["content-encoding"] ?? "identity") !== "identity") {
    return refuse(415, "The simulator reads bodies that are not compressed.");
  }
  return endpoint.takes === "json"
    ? answerJson(endpoint, { ...call, id }, req, limits.jsonBytes)
    : answerForm(endpoint, { ...call, id }, req, limits.uploadBytes);
}

function refusing(endpoint: Endpoint, refusal: Refusal): Endpoint {
  return { ...endpoint, answer: () => refusal };
}

async function answerJson(
  endpoint: JsonEndpoint,
  call: Call,
  req: IncomingMessage,
  limitBytes: number,
): Promise<Answer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const outcome = await readBody(req, (piece) => {
    bytes += piece.length;
    if (bytes > limitBytes) return false;
    pieces.push(piece);
    return true;
  });
  if (outcome === "aborted") return undefined;
  if (outcome === "stopped") return tooLarge(limitBytes);
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    return refuse(
      400,
      "We could not parse the JSON body of your request. (HINT: the body must be valid JSON, sent with 'content-type: application/json'.)",
    );
  }
  return endpoint.answer(body, call);
}

async function answerForm(
  endpoint: FormEndpoint,
  call: Call,
  req: IncomingMessage,
  limitBytes: number,
): Promise<Answer | undefined> {
  const boundary = multipartBoundary(req.headers["content-type"]);
  if (boundary === undefined) return refuse(400, "The body must be multipart/form-data.");
  const reader = new MultipartReader(boundary, endpoint.keptFileBytes);
  let bytes = 0;
  const outcome = await readBody(req, (piece) => {
    bytes += piece.length;
    return bytes <= limitBytes && reader.write(piece);
  });
  if (outcome === "aborted") return undefined;
  if (bytes > limitBytes) return tooLarge(limitBytes);
  const form = outcome === "done" ? reader.end() : undefined;
  return form === undefined
    ? refuse(400, "The multipart form could not be read.")
    : endpoint.answer(form, call);
}

function tooLarge(limitBytes: number): Answer {
  return refuse(413, `The request body is too large: the limit is ${limitBytes} bytes.`, {
    code: "request_too_large",
  });
}
