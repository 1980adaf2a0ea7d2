// What a browser makes of hostile text and of other sites.
import { createServer } from "node:http";
import { expect, fresh, PASSWORD, test } from "./support/site.ts";

const attacks = [
  "<script>window.__pwned = 1</script>",
  "<img src=x onerror='window.__pwned = 1'>",
  "<svg onload='window.__pwned = 1'></svg>",
  "[a](javascript:window.__pwned=1) [b](data:text/html,<script>1</script>)",
  "\"><script>window.__pwned = 1</script>",
  "{{7*7}} {% raw %} </textarea><script>window.__pwned = 1</script>",
];

test("hostile text is shown and never run", async ({ page, site }) => {
  const ann = fresh("mallory");
  site.run(["user", "add", ann, "--admin"], PASSWORD);
  await site.logIn(page, ann);
  page.on("dialog", () => expect("a dialog").toBe("never seen"));
  for (const attack of attacks) {
    const post = await site.post(page, attack, attack);
    for (const path of [post, `${post}/edit`, "/", `/admin/posts?q=${encodeURIComponent(attack)}`]) {
      await page.goto(path);
      expect(await page.evaluate(() => "__pwned" in window), `${attack} at ${path}`).toBe(false);
      expect(await page.locator("main img, main svg, main script, a[href^='javascript:'], a[href^='data:']").count()).toBe(0);
    }
    await page.goto(post);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(attack.replace(/\s+/g, " "));
    await page.goto(`/?author=${encodeURIComponent(attack)}`);
    expect(await page.evaluate(() => "__pwned" in window)).toBe(false);
  }
});

test("the cookie is out of reach of scripts", async ({ page, site, context }) => {
  await site.enter(page, fresh("cookie"));
  const cookie = (await context.cookies()).find((one) => one.name === "postly");
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  await page.goto("/");
  expect(await page.evaluate(() => document.cookie)).not.toContain("postly=");
});

const elsewhere = [
  // SameSite already keeps the cookie back.
  { from: "another site", host: "localhost", cookie: false, origin: /^http:\/\/localhost:/ },
  // The same site to SameSite, since ports do not count: the cookie comes along.
  { from: "another port", host: "127.0.0.1", cookie: true, origin: /^http:\/\/127\.0\.0\.1:/ },
  // And it does not say which.
  { from: "another port in hiding", host: "127.0.0.1", cookie: true, origin: /^null$/ },
];

for (const { from, host, cookie, origin } of elsewhere) {
  test(`a form on ${from} changes nothing here`, async ({ page, site, context }) => {
    await site.enter(page, fresh("victim"));
    const post = await site.post(page, "Mine", "My words.");
    const forms = [
      ["publish", "/posts", ""],
      ["edit", post, "<input name=_method value=put>"],
      ["delete", post, "<input name=_method value=delete>"],
      ["log out", "/logout", ""],
    ];
    const evil = createServer((_, answer) => {
      if (origin.test("null")) answer.setHeader("Referrer-Policy", "no-referrer");
      answer.setHeader("Content-Type", "text/html").end(
        forms.map(([name, path, more]) => `<form method=post action="${site.url}${path}">${more}
          <input name=title value=Stolen><input name=content value=Stolen><button>${name}</button></form>`).join(""),
      );
    });
    await new Promise<void>((done) => evil.listen(0, "127.0.0.1", done));
    const { port } = evil.address() as { port: number };
    for (const [name, path] of forms) {
      await page.goto(`http://${host}:${port}/`);
      const answer = page.waitForResponse(`${site.url}${path}`);
      await page.getByRole("button", { name, exact: true }).click();
      const refused = await answer;
      const sent = await refused.request().allHeaders();
      expect(sent.origin, name).toMatch(origin);
      expect(/(^|; )postly=/.test(sent.cookie ?? ""), `${name} with the cookie`).toBe(cookie);
      expect(refused.status(), name).toBe(403);
    }
    evil.close();
    expect((await context.cookies()).some((one) => one.name === "postly")).toBe(true);
    await page.goto("/dashboard");
    await expect(page.getByText("1 post,")).toBeVisible();
    await page.goto(post);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mine");
    await expect(page.locator(".prose")).toHaveText("My words.");
  });
}
