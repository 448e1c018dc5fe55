/** A request may ask for the priority tier by the name of its mode. Source: `service_tier` of OpenAI's API. */
export const OPENAI_TIER_WORDS: Readonly<Record<string, string>> = { fast: "priority" };
