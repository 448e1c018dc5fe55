import type { AlertContent, AlertFact, FormatTime } from "./alert-content.ts";

/** Work at a provider that does not go on by itself, or not for long. */
export interface StuckWorkFacts {
  readonly kind: "rotation" | "provision";
  readonly id: string;
  /** `provider key main of production` */
  readonly whose: string;
  /** What is known of the key. */
  readonly facts: readonly AlertFact[];
  readonly isCompromise: boolean;
  /** What does not succeed. */
  readonly step: string;
  /** `ended`: it cannot be looked after any more. */
  readonly standing: "failed" | "held" | "tried" | "ended";
  readonly problem: string | null;
  readonly sinceMs: number;
}

export function describeStuckWork(stuck: StuckWorkFacts, formatTime: FormatTime): AlertContent {
  const { kind, id, whose, facts, isCompromise, problem, sinceMs } = stuck;
  return {
    severity: isCompromise ? "critical" : "warning",
    title: `The ${kind} of ${whose} ${STANDINGS[stuck.standing](stuck)}`,
    facts: [
      ...facts,
      ...(problem === null ? [] : [{ label: "in the way", value: problem }]),
      { label: "since", value: formatTime(sinceMs), figures: { [`${kind}Id`]: id } },
    ],
    command: `keyward ${kind}s show ${id}`,
  };
}

const STANDINGS: Readonly<Record<StuckWorkFacts["standing"], (stuck: StuckWorkFacts) => string>> = {
  failed: ({ step }) => `failed in ${step}: it waits for a retry or a cancel`,
  held: ({ step }) => `is on hold in ${step} since a backup was restored`,
  tried: ({ step }) => `does not get on in ${step}`,
  ended: () => "has ended, and whether the provider made a key after that cannot be looked up",
};

export interface StolenSecretFacts {
  readonly rotationId: string;
  readonly whose: string;
  readonly facts: readonly AlertFact[];
  readonly preview: string;
  readonly isValid: boolean;
}

/** A secret in wrong hands that was replaced here, and not seen to end at its provider. */
export function describeStolenSecret(stolen: StolenSecretFacts): AlertContent {
  const { rotationId, whose, facts, preview, isValid } = stolen;
  const now = isValid ? "is still valid" : "may still be valid";
  return {
    severity: "critical",
    title: `A stolen secret of ${whose} ${now} at its provider`,
    facts: [
      ...facts,
      { label: "stolen secret", value: preview, figures: { rotationId } },
      { label: "what to do", value: "delete it at the provider, and confirm that you have" },
    ],
    command: `keyward rotations confirm-revoked ${rotationId}`,
  };
}
