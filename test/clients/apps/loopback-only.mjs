/**
 * Loaded before an app: a connection to another machine is refused and told on standard error, so that a client that
 * speaks to anyone but the gateway is found out.
 */
import { Socket } from "node:net";

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|::1)$/;
const { value: connect } = Object.getOwnPropertyDescriptor(Socket.prototype, "connect");

Socket.prototype.connect = function connectToLoopback(...args) {
  // `net.connect` hands over its arguments as one list that it has put in order.
  const [target] = Array.isArray(args[0]) ? args[0] : args;
  const host = target.host ?? "localhost";
  if (target.path !== undefined && target.port === undefined) return connect.apply(this, args);
  if (LOOPBACK.test(host)) return connect.apply(this, args);
  process.stderr.write(`outbound connection: ${host}:${target.port}\n`);
  queueMicrotask(() => this.destroy(new Error(`${host} is another machine`)));
  return this;
};
