import type { GatewayReply, RequestBody } from "../gateway-request.ts";
import type { HeaderFields } from "./header-fields.ts";

/** A request as it is handed on: its head is whole, its body is still to come. */
export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderFields;
  readonly body: RequestBody;
  /** The IP address of the other end of the connection: of the client, or of a proxy before us. */
  readonly remoteAddress: string;
}

/** Answers a request, now or later. Throws nothing: it is called from within the connection's reading. */
export type HttpHandler = (request: HttpRequest, reply: GatewayReply) => void;
