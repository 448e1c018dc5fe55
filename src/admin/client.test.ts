import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import { AdminApiError, createAdminClient, expectData } from "./client.ts";

describe("the admin client", () => {
  const admin = adminUnderTest();

  it("turns a refusal into an error with the public message, code and request id", async () => {
    const answer = await admin.client.POST("/keys", { body: { environment: "prod", name: "x" } });
    const thrown = (() => {
      try {
        return expectData(answer);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(AdminApiError);
    expect(thrown).toMatchObject({
      status: 400,
      code: "invalid_argument",
      param: "environment",
      requestId: answer.response.headers.get("x-keyward-request-id"),
      message: expect.stringContaining("There is no environment `prod`") as string,
    });
  });

  it("makes do with an error that is none of Keyward's", async () => {
    const page = new Response("<h1>Bad gateway</h1>", { status: 502 });
    const fetch = () => Promise.resolve(page);
    const client = createAdminClient({ baseUrl: "http://keyward.test", fetch });
    const answer = await client.GET("/projects");
    expect(() => expectData(answer)).toThrow("The server answered with status 502.");
  });

  it("hands an export on as a stream", async () => {
    const { data, response } = await admin.client.GET("/usage/events/export", {
      params: { query: { format: "csv" } },
      parseAs: "stream",
    });
    expect(response.status).toBe(200);
    const reader = data?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toMatch(/^id,requestId,/);
  });
});
