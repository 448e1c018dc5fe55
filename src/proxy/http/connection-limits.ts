/** What bounds a connection, whoever is at its other end. */
export interface ConnectionLimits {
  /** Further ones are closed as they come. */
  readonly maxConnections: number;
  /** From the connection's opening, or a request's first byte, to the end of its head. */
  readonly clientHeadersTimeoutMs: number;
  /** From a request's first byte to its last. */
  readonly clientRequestTimeoutMs: number;
  /** For a client that is waited for: to send more of its request, or to take more of its answer. */
  readonly clientIdleTimeoutMs: number;
  /** Between an answer's end and the next request. */
  readonly keepAliveTimeoutMs: number;
}
