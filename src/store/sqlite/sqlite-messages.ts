/** What the gateway's thread and the database's thread say to each other. */

import type { PackedParameters } from "./packed-parameters.ts";

export type ThreadRequest =
  | {
      readonly kind: "execute";
      readonly id: number;
      readonly text: string;
      readonly parameters: readonly unknown[];
    }
  | {
      readonly kind: "repeat";
      readonly id: number;
      readonly text: string;
      /** Of all the runs, one after the other, in packs of whole ones; see packed-parameters.ts. */
      readonly packs: readonly PackedParameters[];
      readonly parametersPerRun: number;
    }
  | { readonly kind: "rollback"; readonly id: number }
  | { readonly kind: "close"; readonly id: number };

export type ThreadReply =
  | {
      readonly kind: "done";
      readonly id: number;
      readonly rows: readonly unknown[];
      readonly changes: bigint;
    }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly message: string;
      readonly code: string;
    };

/** The id of the reply to the opening of the database, which nobody asked for by a message. */
export const OPENING_ID = 0;
