import { Client } from "pg";
import type { ChangeWatch } from "../store.ts";

export interface ChangeListenerOptions {
  /** One of Postgres. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Called when a change was committed, and when some may have been missed. */
  readonly onChange: () => void;
  /** Called once for each time that the connection is lost or cannot be had. */
  readonly onLost: (error: Error) => void;
  /** 0 inclusive to 1 exclusive. */
  readonly random?: () => number;
  readonly firstRetryMs?: number;
}

/** As the trigger on `change_log` announces changes, see the migrations. */
const CHANNEL = "keyward_change";
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;
/** A cut cable says nothing, so the connection is tried now and then. */
const PROBE_INTERVAL_MS = 30_000;
const ANSWER_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * A connection of its own by which Postgres tells of changes (LISTEN). It comes back whenever it is lost; whoever is told
 * must get by without it as well, since what is announced meanwhile is not repeated.
 */
export class ChangeListener implements ChangeWatch {
  readonly #options: ChangeListenerOptions;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isListening = false;
  #isClosed = false;
  #connecting: Promise<void>;

  constructor(options: ChangeListenerOptions) {
    this.#options = options;
    this.#connecting = this.#connect();
  }

  isListening(): boolean {
    return this.#isListening;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await endInTime(client);
  }

  async #connect(): Promise<void> {
    const { url, connectTimeoutMs, onChange } = this.#options;
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
      application_name: "keyward changes",
    });
    client.on("error", (error) => this.#lose(client, error));
    client.on("end", () => this.#lose(client, new Error("the server closed the connection")));
    client.on("notification", onChange);
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      this.#lose(client, error as Error);
      return;
    }
    if (this.#client !== client) return;
    this.#failures = 0;
    this.#isListening = true;
    // What was announced before the server listened to us.
    onChange();
    this.#scheduleProbe(client);
  }

  #scheduleProbe(client: Client): void {
    this.#timer = setTimeout(() => {
      client.query("select 1").then(
        () => this.#client === client && !this.#isClosed && this.#scheduleProbe(client),
        (error: unknown) => this.#lose(client, error as Error),
      );
    }, PROBE_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Once for each client: an error is often followed by the connection's end. */
  #lose(client: Client, error: Error): void {
    if (this.#client !== client || this.#isClosed) return;
    this.#client = undefined;
    this.#isListening = false;
    clearTimeout(this.#timer);
    void endInTime(client);
    this.#options.onLost(error);
    const { random = Math.random, firstRetryMs = FIRST_RETRY_MS } = this.#options;
    const longestMs = Math.min(firstRetryMs * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures += 1;
    this.#timer = setTimeout(
      () => {
        this.#connecting = this.#connect();
      },
      longestMs * (0.5 + random() / 2),
    );
  }
}

/** A server that keeps silent is not waited for. */
async function endInTime(client: Client): Promise<void> {
  const silence = Promise.withResolvers<void>();
  const timer = setTimeout(silence.resolve, CLOSE_TIMEOUT_MS);
  // What goes wrong with a connection on its way out concerns nobody.
  await Promise.race([client.end().catch(() => undefined), silence.promise]);
  clearTimeout(timer);
  (
    client as unknown as { connection: { stream: { destroy(): void } } }
  ).connection.stream.destroy();
}
