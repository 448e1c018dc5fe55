import type { SkippedPlace } from "../config/import-openai-key.ts";
import type { RecoveryReport } from "../ledger/ledger.ts";
import type { UnimportedKey } from "./find-unimported-key.ts";
import type { FirstRun } from "./first-run.ts";
import type { ImportedKey } from "./import-openai-key.ts";
import type { OwnerOffer } from "./owner-link.ts";

/** One environment as the banner shows it. */
export interface EnvironmentOverview {
  readonly name: string;
  readonly kind: string;
  readonly providerKeys: number;
  /** Of these, those that the environment's policy shuts out. */
  readonly refusedKeys: number;
  /** Of the others, the simulator's. */
  readonly simulatorKeys: number;
  /** No key, and the built-in simulator answers. */
  readonly isSimulated: boolean;
}

/** What a start has found and made. */
export interface StartReport {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:4141` */
  readonly url: string;
  readonly storeKind: string;
  /** Set once in the life of an installation. */
  readonly firstRun: FirstRun | undefined;
  /** While there is no owner. */
  readonly ownerOffer: OwnerOffer | undefined;
  readonly importedKey: ImportedKey | undefined;
  readonly skippedPlaces: readonly SkippedPlace[];
  /** A key that was found and not taken in: keys are taken in at the first start alone, and not with `--no-import`. */
  readonly unimportedKey: UnimportedKey | undefined;
  readonly environments: readonly EnvironmentOverview[];
  readonly recovery: RecoveryReport;
}
