import type { ModelMatch } from "./price-list.ts";

/** Whether a model's name is meant. Letter case does not matter but to a regular expression. */
export type ModelMatcher = (model: string) => boolean;

export function createModelMatcher(match: ModelMatch): ModelMatcher {
  if (typeof match === "string") {
    const wanted = match.toLowerCase();
    return (model) => model.toLowerCase() === wanted;
  }
  if (isList(match)) {
    const matchers = match.map(createModelMatcher);
    return (model) => matchers.some((matcher) => matcher(model));
  }
  if ("and" in match) {
    const matchers = match.and.map(createModelMatcher);
    return (model) => matchers.every((matcher) => matcher(model));
  }
  if ("regex" in match) {
    const pattern = new RegExp(match.regex);
    return (model) => pattern.test(model);
  }
  if ("startsWith" in match) {
    const wanted = match.startsWith.toLowerCase();
    return (model) => model.toLowerCase().startsWith(wanted);
  }
  if ("endsWith" in match) {
    const wanted = match.endsWith.toLowerCase();
    return (model) => model.toLowerCase().endsWith(wanted);
  }
  const wanted = match.contains.toLowerCase();
  return (model) => model.toLowerCase().includes(wanted);
}

/** The names that a match lists outright, in lower case. */
export function exactNames(match: ModelMatch): readonly string[] {
  if (typeof match === "string") return [match.toLowerCase()];
  return isList(match) ? match.flatMap(exactNames) : [];
}

/** A narrowing that Array.isArray does not make for read-only arrays. */
function isList(match: ModelMatch): match is readonly ModelMatch[] {
  return Array.isArray(match);
}
