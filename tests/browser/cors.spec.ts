// A front end that lives elsewhere uses the API from its own pages.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, PASSWORD, Site, test } from "./support/site.ts";

/** A site with an empty page. */
async function frontEnd() {
  const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<!DOCTYPE html><title>x</title>"));
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test("a script of another site uses the API if that site is named, and not otherwise", async ({ page }) => {
  const [named, other] = [await frontEnd(), await frontEnd()];
  const site = await Site.start("sqlite", { POSTLY_CORS_ORIGINS: named.origin });
  site.run(["user", "add", "ann"], PASSWORD);
  const session = [`${site.url}/api/v1`, PASSWORD] as const;
  await page.goto(named.origin);
  const seen = await page.evaluate(async ([api, password]) => {
    const json = { "Content-Type": "application/json" };
    const login = await fetch(`${api}/auth/login`, { method: "POST", headers: json, body: JSON.stringify({ username: "ann", password }) });
    const headers = { ...json, Authorization: `Bearer ${(await login.json()).access_token}` };
    const created = await fetch(`${api}/posts`, { method: "POST", headers, body: JSON.stringify({ title: "From afar", content: "x" }) });
    const path = new URL(created.headers.get("Location") ?? "", api).href;
    const etag = created.headers.get("ETag") ?? "";
    const edited = await fetch(path, { method: "PUT", headers: { ...headers, "If-Match": etag }, body: JSON.stringify({ title: "Edited" }) });
    const gone = await fetch(path, { method: "DELETE", headers });
    return [created.status, edited.status, gone.status, created.headers.get("RateLimit") !== null];
  }, session);
  expect(seen).toEqual([201, 200, 204, true]);
  await page.goto(other.origin);
  const refused = await page.evaluate(async ([api]) => fetch(`${api}/posts`).then(() => "read", () => "refused"), session);
  expect(refused).toBe("refused");
  for (const { server } of [named, other]) server.close();
  await site.stop();
});
