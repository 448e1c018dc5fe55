import type { Provider } from "../provider.ts";

/**
 * The built-in provider for development and staging: its calls cost nothing and never leave the machine. Its base
 * URL is known once `startSimulator` has a port, so it has none of its own.
 */
export const simulatorProvider: Provider = {
  name: "simulator",
  title: "Built-in simulator",
  defaultBaseUrl: null,
  supports: { streamUsage: true },
  isFree: true,
  // It asks for no key. What an account holds is not sent: a real secret filed under it by mistake stays here.
  authHeaders: () => [],
};
