/**
 * The simulator: a server that speaks OpenAI's API with made-up answers, so that development and staging cost nothing.
 * Deterministic: the same request gets the same answer; only ids and times tell two calls apart. What each endpoint
 * says stands in its own file; here is the HTTP around them. It calls nobody, and what it keeps (files, batches, stored
 * responses) it keeps in memory, within limits.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dialectOf, type Dialect } from "../../wire/dialect.ts";
import { refuse, type Answer, type Call } from "./endpoint.ts";
import { createEndpoints } from "./endpoints/all-endpoints.ts";
import { FaultCounter } from "./faults/fault-counter.ts";
import { refusalInstead } from "./faults/fault-refusal.ts";
import { spoilAnswer } from "./faults/spoil-answer.ts";
import { readCallSettings, type CallDefaults, type CallSettings } from "./http/call-settings.ts";
import { EndpointTable } from "./http/endpoint-table.ts";
import { sendAnswer } from "./http/exchange.ts";
import { readAnswer, type BodyLimits } from "./http/read-answer.ts";
import { SimulatorMemory } from "./memory/simulator-memory.ts";

export interface SimulatorOptions {
  readonly host: string;
  /** 0 = one that is free. */
  readonly port: number;
  /** Milliseconds since the epoch, for `created`. */
  readonly nowMs: () => number;
  /** The pace of calls that name none; 0 (the default) = as fast as the client reads. */
  readonly tokensPerSecond?: number;
  /** The seed of calls that name none: with another one, other answers. Default "". */
  readonly seed?: string;
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

/** Rejects with the server's own error when the address cannot be taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const shared: Shared = {
    limits: {
      jsonBytes: options.maxJsonBodyBytes ?? 32 * 1024 * 1024,
      uploadBytes: options.maxUploadBytes ?? 512 * 1024 * 1024,
    },
    defaults: {
      pace: { tokensPerSecond: options.tokensPerSecond ?? 0 },
      seed: options.seed ?? "",
    },
    endpoints: new EndpointTable(createEndpoints(new SimulatorMemory())),
    counter: new FaultCounter(),
  };
  let callNumber = 0;
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
    callNumber += 1;
    const exchange = { req, res, callNumber, createdAtMs: options.nowMs(), shared };
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

/** What all calls of one simulator have in common. */
interface Shared {
  readonly limits: BodyLimits;
  readonly defaults: CallDefaults;
  readonly endpoints: EndpointTable;
  readonly counter: FaultCounter;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly callNumber: number;
  readonly createdAtMs: number;
  readonly shared: Shared;
}

async function handle(exchange: Exchange): Promise<void> {
  const { req, res, shared } = exchange;
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const createId = idMaker(exchange.callNumber);
  const requestId = createId("req_");
  const [path = "/", query = ""] = (req.url ?? "/").split("?", 2);
  const dialect = dialectOf(path, req.headers["anthropic-version"] !== undefined);
  res.setHeader(dialect === "anthropic" ? "request-id" : "x-request-id", requestId);
  if (dialect === "openai") res.setHeader("openai-version", "2020-10-01");
  const settings = readCallSettings(req.headers, shared.defaults, shared.counter);
  const isRefused = "kind" in settings;
  const answer = isRefused
    ? settings
    : await answerCall(exchange, { path, query, dialect }, settings, createId);
  if (answer === undefined || gone.signal.aborted) return;
  // Whatever of the body was not read is thrown away, so that the client gets to read the answer.
  if (!req.complete) {
    res.setHeader("connection", "close");
    req.resume();
  }
  const pace = isRefused ? shared.defaults.pace : settings.pace;
  await sendAnswer(res, answer, { pace, dialect, signal: gone.signal });
}

async function answerCall(
  { req, createdAtMs, shared }: Exchange,
  { path, query, dialect }: Place,
  { fault, ...settings }: CallSettings,
  createId: Call["createId"],
): Promise<Answer | undefined> {
  const { endpoints, limits } = shared;
  const call = {
    ...settings,
    dialect,
    method: req.method ?? "GET",
    path,
    query: new URLSearchParams(query),
    createdAtSeconds: Math.floor(createdAtMs / 1000),
    nowMs: createdAtMs,
    createId,
    answerJson: (other: string, body: unknown) =>
      endpoints.findJson(other)?.answer(body, { ...call, path: other, id: "" }) ??
      refuse(404, `The simulator does not speak ${other}.`),
  };
  const refusal = fault === undefined ? undefined : refusalInstead(fault);
  const answer = await readAnswer(req, call, { endpoints, limits, refusal });
  if (answer === undefined || fault === undefined) return answer;
  return spoilAnswer(answer, fault, { path, dialect });
}

/** What is asked for. */
interface Place {
  readonly path: string;
  readonly query: string;
  readonly dialect: Dialect;
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
    // Exclusive: a worker of several does not share this port with the others.
    server.listen({ port, host, exclusive: true }, () => {
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
