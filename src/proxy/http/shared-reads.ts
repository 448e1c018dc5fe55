import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";

/** What comes on any socket, until it is copied: a buffer for each would cost more than all the rest of reading. */
const READ_BUFFER: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** For sockets that are made here. What comes is then no event of the socket: that saves a buffer and a walk through the stream. */
export function readInto(onRead: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: READ_BUFFER,
    callback: (length) => {
      const bytes = Buffer.allocUnsafe(length);
      READ_BUFFER.copy(bytes, 0, 0, length);
      onRead(bytes);
      return true;
    },
  };
}

/**
 * The same for a socket that a server has accepted, with `pauseOnConnect`, and that nobody has read yet. Returns the one
 * to go on with. A server makes its sockets without asking how they are to be read, so the connection beneath is taken
 * over by another one; the first stays behind to be counted by its server until that is closed. Where Node shows no
 * connection beneath, what comes is read by events.
 */
export function takeReads(accepted: Socket, onRead: (bytes: Buffer) => void): Socket {
  const handle = (accepted as Beneath)[HANDLE];
  if (handle === undefined || handle === null) {
    accepted.on("data", onRead);
    accepted.resume();
    return accepted;
  }
  (accepted as Beneath)[HANDLE] = null;
  const socket = new Socket({ handle, onread: readInto(onRead) } as SocketConstructorOpts);
  socket.once("close", () => accepted.destroy());
  return socket;
}

/** Not of Node's documented interface, but as old as that. */
const HANDLE = "_handle";
type Beneath = Socket & { [HANDLE]?: object | null };
