import { scrubSecrets } from "./scrub-secrets.ts";

/** What stands for a model that has no place of its own. */
const OTHER_MODEL = "other";
/** What stands where a call has no model. */
const NO_MODEL = "none";

export const MAX_MODEL_NAMES = 100;

const PLAIN_NAME = /^[\w.:/@+-]{1,100}$/;

interface NamedModels {
  readonly requestedModel: string | null;
  readonly servedModel: string | null;
}

/**
 * The models that metrics tell apart. Names come from callers, and every name is a series that is kept for the life of
 * the process: a fixed number of them gets one, the first to come. So that made-up names do not take the places, one
 * must have been served: by the name that the provider answers with, else the requested one.
 */
export class ModelNames {
  readonly #names = new Set<string>();
  readonly #maxNames: number;

  constructor(maxNames: number = MAX_MODEL_NAMES) {
    this.#maxNames = maxNames;
  }

  /** The name to count the call under. `isServed`: the provider has answered it. */
  labelOf({ servedModel, requestedModel }: NamedModels, isServed: boolean): string {
    const name = servedModel ?? requestedModel;
    if (name === null) return NO_MODEL;
    if (this.#names.has(name)) return name;
    if (!isServed || this.#names.size >= this.#maxNames) return OTHER_MODEL;
    // A caller who writes a key into the field for the model must not find it in a label.
    if (!PLAIN_NAME.test(name) || scrubSecrets(name) !== name) return OTHER_MODEL;
    this.#names.add(name);
    return name;
  }
}
