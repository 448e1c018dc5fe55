import { AuthenticationError, OpenAI, RateLimitError } from "openai-v4";
import { runOpenaiApp } from "./openai-app.mjs";

await runOpenaiApp({ OpenAI, AuthenticationError, RateLimitError });
