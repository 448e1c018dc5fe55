import type { Provider } from "../provider.ts";

/** A key that begins so asks for a fault: `sim:429; retry-after=2`. */
export const FAULT_KEY_PREFIX = "sim:";

/**
 * The built-in provider for development and staging: its calls cost nothing and never leave the machine. Its base
 * URL is known once `startSimulator` has a port, so it has none of its own.
 */
export const simulatorProvider: Provider = {
  name: "simulator",
  title: "Built-in simulator",
  dialects: ["openai", "anthropic"],
  defaultBaseUrl: null,
  baseUrlExample: "http://127.0.0.1:4142/v1",
  accountFields: [],
  supports: { streamUsage: true },
  isFree: true,
  isSimulated: true,
  // It asks for no key. Only one that is the simulator's own is sent, for the fault it names: a real secret filed under
  // it by mistake stays here.
  authHeaders: ({ secret }) =>
    secret.startsWith(FAULT_KEY_PREFIX) ? [["authorization", `Bearer ${secret}`]] : [],
};
