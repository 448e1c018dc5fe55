/** When a trip to the store was made, by this process's clock, and what the store's said in between. */
export interface TripMoment {
  readonly sentAtMs: number;
  readonly storeNowMs: number;
  readonly heardAtMs: number;
}
