import type { ActiveMode } from "./call-policy.ts";
import { RULE_MODES, type EnvironmentPolicy, type PolicyRule } from "./environment-policy.ts";

/** An environment with its policy. */
export interface RuledEnvironment {
  readonly name: string;
  readonly policy: Pick<EnvironmentPolicy, "modes">;
}

/** A provider key, where it is or is to be. */
export interface KeyPlacement {
  readonly environment: RuledEnvironment;
  /** A person's: so declared of its account, or told by what is known of the secret. */
  readonly isPersonal: boolean;
  /** What says so, for people: `owner.type: user`. */
  readonly evidence?: string | null | undefined;
  /** Of an account whose answers are made up. */
  readonly isSimulated?: boolean;
  /** The other environments in which the same secret is active. */
  readonly others: readonly RuledEnvironment[];
}

export interface BrokenRule {
  readonly rule: Extract<
    PolicyRule,
    "one_environment_per_provider_key" | "no_personal_keys" | "no_simulator_keys"
  >;
  readonly mode: ActiveMode;
  /** For people; what to do as well. */
  readonly message: string;
}

/**
 * What a provider key breaks where it is put. One secret in two environments breaks the rule of both: production is not
 * to be called with from a laptop because the laptop's environment does not mind.
 */
export function judgeNewKey(placement: KeyPlacement): readonly BrokenRule[] {
  const { environment, others } = placement;
  const modes = [environment, ...others].map(({ policy }) => policy.modes);
  const strictest = RULE_MODES.find((mode) =>
    modes.some((one) => one.one_environment_per_provider_key === mode),
  );
  return broken(placement, strictest ?? "off");
}

/** What a provider key breaks where it is, by the rules of that environment alone. */
export function judgeKey(placement: KeyPlacement): readonly BrokenRule[] {
  return broken(placement, placement.environment.policy.modes.one_environment_per_provider_key);
}

function broken(
  { environment, isPersonal, evidence, isSimulated, others }: KeyPlacement,
  shared: EnvironmentPolicy["modes"][PolicyRule],
): readonly BrokenRule[] {
  const found: BrokenRule[] = [];
  if (others.length > 0 && shared !== "off") {
    const names = others.map(({ name }) => `\`${name}\``).join(", ");
    found.push({
      rule: "one_environment_per_provider_key",
      mode: shared,
      message: `The same secret is active in ${names}, and \`${environment.name}\` needs one of its own: create another at the provider.`,
    });
  }
  const personal = environment.policy.modes.no_personal_keys;
  if (isPersonal && personal !== "off") {
    const because = evidence == null ? "" : ` (${evidence})`;
    const none = personal === "enforce" ? "takes none of those" : "is better off without those";
    found.push({
      rule: "no_personal_keys",
      mode: personal,
      message: `The key is a person's${because}, and \`${environment.name}\` ${none}: what is a person's goes when that person goes. Add one that is no person's (a service account's), to an account of kind \`organization\`.`,
    });
  }
  const simulated = environment.policy.modes.no_simulator_keys;
  if (isSimulated === true && simulated !== "off") {
    found.push({
      rule: "no_simulator_keys",
      mode: simulated,
      message: `The key is of the simulator's, whose answers are made up, and \`${environment.name}\` is for customers. Add a key of a provider's account, and revoke this one.`,
    });
  }
  return found;
}
