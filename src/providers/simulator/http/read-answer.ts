import type { IncomingMessage } from "node:http";
import {
  refuse,
  type Answer,
  type Call,
  type FormEndpoint,
  type JsonEndpoint,
} from "../endpoint.ts";
import type { EndpointTable } from "./endpoint-table.ts";
import { readBody } from "./exchange.ts";
import { multipartBoundary, MultipartReader } from "./multipart-reader.ts";

export interface BodyLimits {
  readonly jsonBytes: number;
  readonly uploadBytes: number;
}

/** Reads the call's body and has its endpoint answer. Undefined when the client went away before its request was whole. */
export async function readAnswer(
  req: IncomingMessage,
  call: Omit<Call, "id">,
  endpoints: EndpointTable,
  limits: BodyLimits,
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
  const { endpoint, id } = found;
  if (endpoint.takes === "nothing") return endpoint.answer({ ...call, id });
  if ((req.headers["content-encoding"] ?? "identity") !== "identity") {
    return refuse(415, "The simulator reads bodies that are not compressed.");
  }
  return endpoint.takes === "json"
    ? answerJson(endpoint, { ...call, id }, req, limits.jsonBytes)
    : answerForm(endpoint, { ...call, id }, req, limits.uploadBytes);
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
  const reader = new MultipartReader(boundary);
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
