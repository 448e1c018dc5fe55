export type ClientErrorCode =
  /** The request can't be sent as it is: nothing of it was. */
  | "ERR_CLIENT_REQUEST"
  /** The client was closed. */
  | "ERR_CLIENT_CLOSED"
  | "ERR_CLIENT_HEADERS_TIMEOUT"
  | "ERR_CLIENT_BODY_TIMEOUT"
  /** The connection ended within the exchange. */
  | "ERR_CLIENT_CUT"
  /** What came is no answer that can be read in one way only. */
  | "ERR_CLIENT_RESPONSE";

/** Faults that the client itself finds; those of the system and of TLS come as they are. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
