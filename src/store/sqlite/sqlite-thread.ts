/** The database's own thread: node:sqlite blocks whoever calls it, so nobody else does. Started by sqlite-session.ts. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { SessionOptions } from "./database-session.ts";
import { unpackParameters } from "./packed-parameters.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { OPENING_ID, type ThreadReply, type ThreadRequest } from "./sqlite-messages.ts";

if (parentPort === null) throw new Error("sqlite-thread runs as a worker thread only");
serve(parentPort, workerData as SessionOptions);

function serve(port: MessagePort, options: SessionOptions): void {
  const send = (reply: ThreadReply): void => port.postMessage(reply);
  let connection: SqliteConnection;
  try {
    connection = new SqliteConnection(options);
  } catch (error) {
    send(failure(OPENING_ID, error));
    port.close();
    return;
  }
  port.on("message", (request: ThreadRequest) => {
    try {
      send(answer(connection, request));
    } catch (error) {
      send(failure(request.id, error));
    }
    if (request.kind === "close") port.close();
  });
  send({ kind: "done", id: OPENING_ID, rows: [], changes: 0n });
}

function answer(connection: SqliteConnection, request: ThreadRequest): ThreadReply {
  const done = { kind: "done", id: request.id, rows: [], changes: 0n } as const;
  if (request.kind === "execute") {
    return { ...done, ...connection.execute(request.text, request.parameters) };
  }
  if (request.kind === "repeat") {
    const { text, packs, parametersPerRun } = request;
    const rows = packs.flatMap((pack) =>
      connection.repeat(text, unpackParameters(pack), parametersPerRun),
    );
    return { ...done, rows };
  }
  if (request.kind === "rollback") connection.rollback();
  else connection.close();
  return done;
}

function failure(id: number, error: unknown): ThreadReply {
  const { message, code } = error as NodeJS.ErrnoException;
  return {
    kind: "failed",
    id,
    message: message ?? String(error),
    code: code ?? "ERR_SQLITE_ERROR",
  };
}
