export type EncodingName = "o200k_base" | "cl100k_base";

/**
 * The encoding of a model's family: GPT-4 before 4o, GPT-3.5 and the text embeddings count in `cl100k_base`; all that
 * came later, and every model of which nothing is known, in `o200k_base`. Source: tiktoken's table of models.
 */
export function encodingOf(model: string | null): EncodingName {
  return model !== null && CL100K.test(model) ? "cl100k_base" : "o200k_base";
}

/** With the prefix of a reseller (`openai/`) or of a fine-tuned model (`ft:`), and Azure's `gpt-35`. */
const CL100K = /^(?:[\w.-]+\/)?(?:ft:)?(?:gpt-4(?:$|-(?!o\b|1\b|5\b))|gpt-3\.?5|text-embedding-)/i;
