import { anthropicProvider } from "../providers/anthropic/anthropic-provider.ts";
import { azureProvider } from "../providers/azure/azure-provider.ts";
import { compatibleServers } from "../providers/openai-compatible/compatible-servers.ts";
import { openaiCompatibleProvider } from "../providers/openai-compatible/openai-compatible-provider.ts";
import { openaiProvider } from "../providers/openai/openai-provider.ts";
import {
  createProviderRegistry,
  type Provider,
  type ProviderRegistry,
} from "../providers/provider.ts";

/** Every provider that Keyward knows, in the order in which people are shown them. */
export function createProviders(simulator: Provider): ProviderRegistry {
  return createProviderRegistry([
    openaiProvider,
    azureProvider,
    anthropicProvider,
    ...compatibleServers,
    openaiCompatibleProvider,
    simulator,
  ]);
}
