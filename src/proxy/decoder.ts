import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";

export interface DecoderEvents {
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: () => void;
  readonly onError: (err: Error) => void;
  /** The provider sends faster than bytes can be decoded or passed on. */
  readonly onPause: () => void;
  readonly onResume: () => void;
}

/** Takes a content-encoding off a body as it arrives. */
export interface Decoder {
  write(chunk: Buffer): void;
  end(): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

const CREATE = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const;

/** A decoder for an encoding that is decodable. */
export function createDecoder(encoding: string, events: DecoderEvents): Decoder {
  const stream = CREATE[encoding.toLowerCase() as keyof typeof CREATE]();
  stream.on("data", events.onData);
  stream.on("end", events.onEnd);
  stream.on("error", events.onError);
  stream.on("drain", events.onResume);
  let isEmpty = true;
  return {
    write: (chunk) => {
      isEmpty = false;
      if (!stream.write(chunk)) events.onPause();
    },
    end: () => {
      // An answer without a body (204, say) may name an encoding all the same.
      if (isEmpty) events.onEnd();
      else stream.end();
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    destroy: () => stream.destroy(),
  };
}

/**
 * Whether it is one of the encodings that Node knows; false for a body that is not encoded. What a provider answers in an
 * unknown one, although it was told to use none, is passed through as it is and can't be read.
 */
export function isDecodable(encoding: string | undefined): encoding is string {
  return encoding !== undefined && Object.hasOwn(CREATE, encoding.toLowerCase());
}
