import type { Target } from "./target.ts";

/** No gateway at all: what latencies are compared with. Its CPU is the load generator's business and not measured. */
export const direct: Target = {
  name: "direct",
  title: "no gateway",
  prepare: async () => undefined,
  start: async ({ upstreamPort }) => ({
    port: upstreamPort,
    path: "/v1/chat/completions",
    headers: {},
    pid: 0,
    readyMs: 0,
  }),
};
