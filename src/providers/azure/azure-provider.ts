import type { AddressRequest, Provider } from "../provider.ts";

/**
 * Azure OpenAI. A model is called by the name of its deployment. There are two surfaces, both at one resource:
 * `/openai/v1/…`, which is OpenAI's API with the deployment as the model, and the dated one,
 * `/openai/deployments/{deployment}/…?api-version=…`. An account with an api version uses the dated one, and so does a
 * client that called it by itself, with the version that client named. Sources: "Azure OpenAI in Microsoft Foundry
 * Models v1 API" and "Azure OpenAI REST API reference" on learn.microsoft.com.
 */
export const azureProvider: Provider = {
  name: "azure",
  genAiName: "azure.ai.openai",
  title: "Azure OpenAI",
  dialects: ["openai"],
  defaultBaseUrl: null,
  baseUrlExample: "https://my-resource.openai.azure.com",
  keysPage: "https://portal.azure.com",
  accountFields: ["apiVersion"],
  supports: { streamUsage: true },
  isFree: false,
  authHeaders: ({ secret }) => [["api-key", secret]],
  normalizeBaseUrl: (baseUrl) => baseUrl.replace(/\/openai(?:\/v1|\/deployments\/[^/]+)?$/, ""),
  address(request) {
    const { dated, apiVersion: ownVersion } = request;
    const apiVersion = dated === null ? ownVersion : (dated.apiVersion ?? ownVersion);
    if (apiVersion === null) return currentAddress(request);
    return datedAddress(request, apiVersion) ?? currentAddress(request);
  },
};

/** Endpoints that stand below a deployment in the dated API. */
const DEPLOYMENT_PATHS: ReadonlySet<string> = new Set([
  "/chat/completions",
  "/completions",
  "/embeddings",
  "/audio/transcriptions",
  "/audio/translations",
  "/audio/speech",
  "/images/generations",
  "/images/edits",
]);

/** What Azure lets a deployment be called, and a little more; with a character that is no dot. */
const DEPLOYMENT_NAME = /^\.*[\w-][\w.-]*$/;

/** The first version whose published specification has `stream_options`. */
const FIRST_WITH_STREAM_USAGE = "2024-08-01";

function currentAddress({ basePath, path, query }: AddressRequest) {
  return { target: `${basePath}/openai/v1${path}${query}`, takesStreamUsage: true };
}

/**
 * Undefined where the deployment is not known, or is no name that a deployment can have; the other surface reads it from
 * the body itself, and says what it thinks of it.
 */
function datedAddress({ basePath, path, query, model }: AddressRequest, apiVersion: string) {
  const version = `${query === "" ? "?" : `${query}&`}api-version=${encodeURIComponent(apiVersion)}`;
  const takesStreamUsage = /^\d/.test(apiVersion) ? apiVersion >= FIRST_WITH_STREAM_USAGE : true;
  if (!DEPLOYMENT_PATHS.has(path)) {
    return { target: `${basePath}/openai${path}${version}`, takesStreamUsage };
  }
  // The model is the caller's: a slash in it, however encoded, or a name of dots could make another path of it.
  if (model === null || !DEPLOYMENT_NAME.test(model)) return undefined;
  return {
    target: `${basePath}/openai/deployments/${model}${path}${version}`,
    takesStreamUsage,
  };
}
