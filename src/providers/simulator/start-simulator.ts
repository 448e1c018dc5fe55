/**
 * The simulator: a server that speaks OpenAI's API with made-up answers, so that development and staging cost nothing.
 * Deterministic: the same request gets the same answer; only ids and times tell two calls apart. What each endpoint
 * says stands in its own file; here is the HTTP around them. It keeps nothing and calls nobody.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readCallSettings, type CallSettings } from "./call-settings.ts";
import { chatCompletions } from "./chat-completions.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { refuse, type Answer, type Call, type JsonEndpoint } from "./endpoint.ts";
import { readBody, sendAnswer, type Pace } from "./exchange.ts";
import { answerModels } from "./models.ts";
import { multipartBoundary, MultipartReader } from "./multipart-reader.ts";
import { responses } from "./responses.ts";
import { uploadEndpoints, type UploadEndpoint } from "./uploads.ts";

export interface SimulatorOptions {
  readonly host: string;
  /** 0 = one that is free. */
  readonly port: number;
  /** Milliseconds since the epoch, for `created`. */
  readonly nowMs: () => number;
  /** The pace of calls that name none; 0 (the default) = as fast as the client reads. */
  readonly tokensPerSecond?: number;
  /** Told of a fault of the simulator itself; the call is answered with status 500. */
  readonly onFault?: (fault: unknown) => void;
  /** Default 32 MiB. */
  readonly maxJsonBodyBytes?: number;
  /** Default 512 MiB, OpenAI's own limit for a file. */
  readonly maxUploadBytes?: number;
}

export interface Simulator {
  /** `http://127.0.0.1:50123` */
  readonly url: string;
  /** What a provider account or `OPENAI_BASE_URL` needs: the URL with the version path, `http://127.0.0.1:50123/v1`. */
  readonly baseUrl: string;
  /** Ends all calls in flight. May be called again. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 65_000;

const JSON_ENDPOINTS: readonly JsonEndpoint[] = [
  chatCompletions,
  responses,
  completions,
  embeddings,
];

/** Rejects with the server's own error when the address cannot be taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const limits = {
    jsonBytes: options.maxJsonBodyBytes ?? 32 * 1024 * 1024,
    uploadBytes: options.maxUploadBytes ?? 512 * 1024 * 1024,
  };
  const defaultPace = { tokensPerSecond: options.tokensPerSecond ?? 0 };
  let callNumber = 0;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
    callNumber += 1;
    const exchange = { req, res, callNumber, createdAtMs: options.nowMs(), limits, defaultPace };
    handle(exchange).catch((fault: unknown) => {
      options.onFault?.(fault);
      failCall(res);
    });
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  const url = `http://${host}:${port}`;
  let closing: Promise<void> | undefined;
  return { url, baseUrl: `${url}/v1`, close: () => (closing ??= close(server)) };
}

interface Limits {
  readonly jsonBytes: number;
  readonly uploadBytes: number;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly callNumber: number;
  readonly createdAtMs: number;
  readonly limits: Limits;
  readonly defaultPace: Pace;
}

async function handle(exchange: Exchange): Promise<void> {
  const { req, res } = exchange;
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const ids = idMaker(exchange.callNumber);
  res.setHeader("x-request-id", ids("req_"));
  res.setHeader("openai-version", "2020-10-01");
  const settings = readCallSettings(req.headers, exchange.defaultPace);
  const answer = "kind" in settings ? settings : await findAnswer(exchange, settings, ids);
  if (answer === undefined || gone.signal.aborted) return;
  // Whatever of the body was not read is thrown away, so that the client gets to read the answer.
  if (!req.complete) {
    res.setHeader("connection", "close");
    req.resume();
  }
  const pace = "kind" in settings ? exchange.defaultPace : settings.pace;
  await sendAnswer(res, answer, pace, gone.signal);
}

/** The edge of this server: a fault ends its own call and no other. */
function failCall(res: ServerResponse): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const error = { message: "The simulator failed.", type: "server_error", param: null, code: null };
  res.writeHead(500, { "content-type": "application/json", connection: "close" });
  res.end(JSON.stringify({ error }));
}

/** Undefined when the client went away before its request was whole. */
async function findAnswer(
  exchange: Exchange,
  settings: CallSettings,
  createId: Call["createId"],
): Promise<Answer | undefined> {
  const { req, createdAtMs, limits } = exchange;
  const method = req.method ?? "GET";
  const [path = "/"] = (req.url ?? "/").split("?", 1);
  const call: Call = {
    method,
    path,
    createdAtSeconds: Math.floor(createdAtMs / 1000),
    outputTokens: settings.outputTokens,
    createId,
  };
  const unknown = refuse(
    404,
    `Invalid URL (${method} ${path}): the simulator answered, which does not speak this endpoint. A provider key for the environment is what is needed.`,
  );
  if (method === "GET") return answerModels(call) ?? unknown;
  const json = JSON_ENDPOINTS.find((one) => one.path === path);
  const upload = uploadEndpoints.find((one) => one.path === path);
  if (json === undefined && upload === undefined) return unknown;
  if (method !== "POST") {
    return refuse(405, `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to POST?)`, {
      code: "method_not_supported",
    });
  }
  if ((req.headers["content-encoding"] ?? "identity") !== "identity") {
    return refuse(415, "The simulator reads bodies that are not compressed.");
  }
  if (json !== undefined) return answerJson(json, call, req, limits.jsonBytes);
  return upload === undefined ? unknown : answerUpload(upload, call, req, limits.uploadBytes);
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

async function answerUpload(
  endpoint: UploadEndpoint,
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

/** Ids that tell the calls of one simulator apart and are the same again after a restart. */
function idMaker(callNumber: number): Call["createId"] {
  let count = 0;
  return (prefix) => {
    count += 1;
    const digest = createHash("sha256").update(`${callNumber}/${count}`).digest("hex");
    return `${prefix}${digest.slice(0, 32)}`;
  };
}

function listen(server: Server, { host, port }: SimulatorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
