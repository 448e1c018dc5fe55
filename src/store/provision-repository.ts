/** The store's contract for provisions: what is made at a provider for a new environment, and how far that has come. */
import type {
  EnvironmentId,
  ProviderAccountId,
  ProviderKeyId,
  ProvisionId,
} from "../core/ids/ids.ts";
import type { ProviderLimits } from "../core/provisioning/provider-limits.ts";
import type { ProvisionProgress, ProvisionState } from "../core/provisioning/provision.ts";
import type { LateLook } from "../core/resumable/late-look.ts";
import type { Note } from "../core/resumable/resumable.ts";
import type { Page, PageRequest } from "./paging.ts";
import type { SecretVersion } from "./rotation-records.ts";

/** What has become of one of the limits at the provider. */
export interface LimitOutcome {
  readonly limit: keyof ProviderLimits;
  readonly isSet: boolean;
  /** For people: what was set, or why not and what to do by hand. */
  readonly text: string;
}

export type ProvisionNote = Note<ProvisionState>;

export interface ProvisionRecord extends ProvisionProgress {
  readonly id: ProvisionId;
  readonly environmentId: EnvironmentId;
  readonly accountId: ProviderAccountId;
  /** Of the provider key that there will be. */
  readonly keyId: ProviderKeyId;
  readonly keyName: string;
  /** Counts the changes of the record; who changes it says which one it has seen. */
  readonly revision: number;
  /** What the provider is told to call the project and its service account: no other provision has this name. */
  readonly remoteName: string;
  /** What was to be set, as it was when it was begun. */
  readonly limits: ProviderLimits;
  /** Empty until it was tried. */
  readonly outcomes: readonly LimitOutcome[];
  /** The provider's id of the project; null until there is one. */
  readonly projectId: string | null;
  /** Null until there is one. Its seal is under `keyId`, and is null once it is the key's own. */
  readonly secret: SecretVersion | null;
  /** The provider answered a call with the key; false where it has nothing to ask for. */
  readonly isVerified: boolean;
  /** It was put back from a backup: nothing is done for it before a person says so. */
  readonly isHeld: boolean;
  /** Null until it has ended. */
  readonly lateLook: LateLook | null;
  /** What happened, oldest first; at most MAX_ROTATION_NOTES. */
  readonly notes: readonly ProvisionNote[];
  readonly createdBy: string;
  readonly createdAtMs: number;
}

export interface ProvisionRepository {
  /** Throws UniqueViolationError (`environmentId`) while another one of the environment is open. */
  insert(record: ProvisionRecord): Promise<void>;
  findById(id: ProvisionId): Promise<ProvisionRecord | undefined>;
  findOpenOf(environmentId: EnvironmentId): Promise<ProvisionRecord | undefined>;
  /** Of those that have not ended, oldest first: one an environment. One that can't be read hides no other. */
  listOpenIds(): Promise<readonly ProvisionId[]>;
  /**
   * Of those that have ended and are looked after once more, the most urgent first; with `untilMs` those whose time has come
   * by then. At most MAX_PAGE_SIZE.
   */
  listLookIds(untilMs?: number): Promise<readonly ProvisionId[]>;
  list(page: PageRequest): Promise<Page<ProvisionRecord>>;
  /**
   * Everything that can change, with the revision counted up. Undefined, and nothing changed, when the record has another
   * revision by now.
   */
  save(record: ProvisionRecord): Promise<ProvisionRecord | undefined>;
}
