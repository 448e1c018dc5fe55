import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { parseCount } from "../parse-count.ts";
import { untilStopped } from "../until-stopped.ts";

export const simulator = defineCommand({
  summary: "run the built-in provider by itself",
  details:
    "A server that speaks OpenAI's API with made-up, repeatable answers: chat, responses, completions, embeddings, audio, images, moderations, files, batches, models; and Anthropic's messages. A token is a word with the white space before it. A request may name a pace (x-simulator-tokens-per-second), a length (x-simulator-output-tokens), a seed (x-simulator-seed) or a bad day (x-simulator-fault: 429; retry-after=2; times=3); so may its key (sim:429; retry-after=2).",
  examples: [
    "keyward simulator",
    "keyward simulator --port 4242 --tokens-per-second 50",
    "OPENAI_BASE_URL=http://127.0.0.1:4242/v1 OPENAI_API_KEY=any node app.js",
    "OPENAI_BASE_URL=http://127.0.0.1:4242/v1 OPENAI_API_KEY='sim:cut; after-tokens=5' node app.js",
  ],
  reach: "none",
  printsData: false,
  options: {
    port: { value: "port", description: "TCP port; 0 takes any free one", default: "4242" },
    host: { value: "address", description: "address to listen on", default: "127.0.0.1" },
    tokensPerSecond: {
      value: "count",
      description: "pace of the answers; 0 = as fast as they are read",
      default: "0",
    },
    seed: { value: "text", description: "another seed, other answers to the same requests" },
  },
  async run({ io, options, output }) {
    const port = parseCount(options.port, "--port");
    if (port > 65_535) throw new CliError("--port takes 0 to 65535", { isUsage: true });
    const tokensPerSecond = parseCount(options.tokensPerSecond, "--tokens-per-second");
    const { startSimulator } = await import("../../providers/simulator/start-simulator.ts");
    const running = await startSimulator({
      host: options.host,
      port,
      nowMs: () => io.nowMs(),
      tokensPerSecond,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      onFault: (fault) => output.warn(`the simulator failed: ${String(fault)}`),
    }).catch((cause: NodeJS.ErrnoException) => {
      throw new CliError(`cannot listen on ${options.host} port ${port} (${cause.code})`, {
        advice: "name another port with --port, or 0 for any free one",
        cause,
      });
    });
    output.line(`simulator: ${running.baseUrl}`);
    output.note("Control-C ends it");
    await untilStopped(io.stopped);
    await running.close();
  },
});
