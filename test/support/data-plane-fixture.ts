import { afterEach } from "vitest";
import { startDataPlane, type DataPlane, type DataPlaneOptions } from "./data-plane.ts";
import { startUpstream, type Respond, type Upstream } from "./upstream.ts";

export interface DataPlaneFixture {
  /** A data plane in front of an upstream that answers so. */
  readonly start: (
    respond: Respond,
    options?: Partial<DataPlaneOptions>,
  ) => Promise<{ upstream: Upstream; gateway: DataPlane }>;
  /** One more thing to be closed after the test. */
  readonly closeAfter: (close: () => Promise<void>) => void;
}

/** For the top of a test file; what a test starts is closed after it. */
export function dataPlaneFixture(): DataPlaneFixture {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });
  return {
    start: async (respond, options = {}) => {
      const upstream = await startUpstream(respond);
      closers.push(() => upstream.close());
      const gateway = await startDataPlane({ upstreamUrl: upstream.url, ...options });
      closers.push(() => gateway.close());
      return { upstream, gateway };
    },
    closeAfter: (close) => closers.push(close),
  };
}
