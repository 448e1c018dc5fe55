import { until } from "./poll.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** With the price that the gateways are given: a token of output costs a hundredth of a cent. */
export const MODEL = "burst-model";
export const OUTPUT_TOKENS = 1000;
export const CENTS_A_CALL = 10;
const CHUNKS = 10;
const CHUNK_PAUSE_MS = 10;

/** A provider that bills every call for all that it may cost; a stream that is left, for what it was sent. */
export class BurstUpstream {
  isSlow = false;
  readonly #server: Upstream;
  readonly #tokens = new Map<string, number>();

  static async start(): Promise<BurstUpstream> {
    return new BurstUpstream(await startUpstream(() => undefined));
  }

  private constructor(server: Upstream) {
    this.#server = server;
    server.respond = (_req, res, seen) => {
      const body = JSON.parse(seen.body.toString()) as {
        user: string;
        stream?: boolean;
        max_tokens: number;
      };
      const bill = (tokens: number): void => {
        this.#tokens.set(body.user, (this.#tokens.get(body.user) ?? 0) + tokens);
      };
      const usage = { prompt_tokens: 1, completion_tokens: body.max_tokens, total_tokens: 1001 };
      if (body.stream === true) this.#stream(res, bill, usage);
      else {
        // Carried out as soon as it is here, whoever is there to hear of it.
        bill(body.max_tokens);
        setTimeout(
          () => {
            res.setHeader("content-type", "application/json");
            const choices = [{ index: 0, message: { role: "assistant", content: "hi" } }];
            res.end(
              JSON.stringify({ id: seen.headers["x-request-id"], model: MODEL, choices, usage }),
            );
          },
          this.isSlow ? 100 : 5,
        );
      }
    };
  }

  get url(): string {
    return this.#server.url;
  }

  /** What a customer's calls have cost. */
  billedCents(customer: string): number {
    return ((this.#tokens.get(customer) ?? 0) * CENTS_A_CALL) / OUTPUT_TOKENS;
  }

  async untilCarriedOut(customer: string): Promise<void> {
    await until("a call is carried out", () => this.#tokens.has(customer));
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** Each word is a token. */
  #stream(
    res: Parameters<Upstream["respond"]>[1],
    bill: (tokens: number) => void,
    usage: { readonly completion_tokens: number },
  ): void {
    const words = "hi ".repeat(usage.completion_tokens / CHUNKS);
    const send = (fields: object): boolean =>
      res.write(`data: ${JSON.stringify({ id: "chunk", model: MODEL, ...fields })}\n\n`);
    res.writeHead(200, { "content-type": "text/event-stream" });
    let sent = 0;
    const timer = setInterval(() => {
      if (res.destroyed) {
        clearInterval(timer);
        return;
      }
      send({ choices: [{ index: 0, delta: { content: words } }] });
      bill(usage.completion_tokens / CHUNKS);
      sent += 1;
      if (sent < CHUNKS) return;
      clearInterval(timer);
      send({ choices: [], usage });
      res.end("data: [DONE]\n\n");
    }, CHUNK_PAUSE_MS);
  }
}
