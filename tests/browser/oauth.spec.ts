// Applications of third parties: registered, given access on the consent page, listed, revoked.
import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Page } from "@playwright/test";
import { expect, PASSWORD, type Site, test, unique } from "./support/site.ts";
import { inspect, validate } from "./support/inspect.ts";

/** A program that listens on this device; it redirects once more, to another host name. */
class Program {
  private constructor(private readonly server: Server, readonly port: number) {}

  static async start(): Promise<Program> {
    const server = createServer((request, response) => {
      const { port } = server.address() as AddressInfo;
      if (request.url?.startsWith("/callback")) {
        response.writeHead(302, { Location: request.url.replace("/callback", `http://localhost:${port}/done`) }).end();
      } else {
        response.writeHead(200, { "Content-Type": "text/html" }).end("<title>Tide Tables</title>Connected");
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // Chromium may ask the other loopback address first, and then this one.
    return new Program(server, (server.address() as AddressInfo).port);
  }

  get callback(): string {
    return `http://127.0.0.1:${this.port}/callback`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const verifier = randomBytes(32).toString("base64url");

function request(clientId: string, redirectUri: string, scope: string): string {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state: "from here",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  return `/oauth/authorize?${query}`;
}

/** Registers an application in the pages; returns its client id. */
async function register(page: Page, uris: string): Promise<string> {
  await page.goto("/me/tokens");
  await page.getByRole("link", { name: "Your applications" }).click();
  await page.getByRole("button", { name: "Register application" }).click();
  await expect(page.getByRole("alert")).toContainText("Give the application a name.");
  await page.getByLabel("Name").fill("Tide Tables");
  await page.getByLabel("Redirect URIs").fill(uris);
  await page.getByRole("button", { name: "Register application" }).click();
  await expect(page.getByRole("heading", { name: "Your new application" })).toBeVisible();
  await inspect(page, "a new application");
  return page.getByLabel("Client id").inputValue();
}

async function exchange(page: Page, site: Site, clientId: string, code: string, redirectUri: string) {
  return page.request.post(`${site.url}/api/v1/auth/token`, {
    form: {
      grant_type: "authorization_code",
      client_id: clientId,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    },
  });
}

test("a person logs in, allows a program, sees its access and revokes it", async ({ page, site, browser }) => {
  const program = await Program.start();
  const [bob, ann] = [unique("bob"), unique("ann")];
  const developer = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.register(developer, bob);
  const clientId = await register(developer, `http://127.0.0.1/callback\nhttps://tides.example/callback`);
  await developer.getByRole("link", { name: "All applications" }).click();
  await inspect(developer, "applications");
  await validate(await developer.content(), "applications");
  await developer.getByRole("link", { name: "Tide Tables" }).click();
  await inspect(developer, "an application");
  await validate(await developer.content(), "an application");

  await site.register(page, ann);
  await page.goto("/me");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto(request(clientId, program.callback, "posts:read account"));
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("heading", { name: "Give “Tide Tables” access?" })).toBeVisible();
  await expect(page.getByText("a program on this device")).toBeVisible();
  await expect(page.getByText("Registered by")).toBeVisible();
  await inspect(page, "consent");
  await validate(await page.content(), "consent");
  const violations: string[] = [];
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) violations.push(message.text());
  });
  await page.getByRole("button", { name: "Allow" }).click();
  await expect(page).toHaveURL(new RegExp(`^http://localhost:${program.port}/done\\?code=pac_.*state=from\\+here`));
  await expect(page.getByText("Connected")).toBeVisible();
  expect(violations).toEqual([]);
  const answer = new URL(page.url()).searchParams;
  expect(answer.get("iss")).toBe(site.url);
  const tokens = await exchange(page, site, clientId, answer.get("code")!, program.callback);
  expect(tokens.status()).toBe(200);
  const { access_token, scope } = await tokens.json();
  expect(scope).toBe("posts:read account");
  const me = async () =>
    (await page.request.get(`${site.url}/api/v1/me`, { headers: { Authorization: `Bearer ${access_token}` } })).status();
  expect(await me()).toBe(200);

  await page.goto("/me/tokens");
  await expect(page.getByRole("row", { name: /Tide Tables/ })).toContainText("posts:read, account");
  await inspect(page, "applications with access");
  await validate(await page.content(), "applications with access");
  await page.getByRole("button", { name: "Revoke the access of Tide Tables" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/no longer has access/);
  expect(await me()).toBe(401);
  program.stop();
});

test("a person denies a program, and a wrong request is explained", async ({ page, site }) => {
  const program = await Program.start();
  const ann = unique("ann");
  await site.register(page, ann);
  const clientId = await register(page, "http://127.0.0.1/callback");
  await page.goto(request(clientId, program.callback, "account"));
  await page.getByRole("button", { name: "Deny" }).click();
  await expect(page).toHaveURL(/\/done\?error=access_denied&.*state=from\+here/);

  await page.goto(request(clientId, "https://evil.example/", "account"));
  await expect(page.getByRole("heading", { name: "Wrong redirect URI" })).toBeVisible();
  await inspect(page, "wrong redirect URI");

  // After a log-in: its form does not lead to other sites.
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto(request(clientId, program.callback, "everything"));
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("heading", { name: "“Tide Tables” gets no access" })).toBeVisible();
  await inspect(page, "no access");
  await validate(await page.content(), "no access");
  await page.getByRole("link", { name: "Back to “Tide Tables”" }).click();
  await expect(page).toHaveURL(/\/done\?error=invalid_scope&/);
  program.stop();
});

test("no other site can show the consent page in a frame", async ({ page, site }) => {
  await site.register(page, unique("ann"));
  const clientId = await register(page, "http://127.0.0.1/callback");
  const consent = site.url + request(clientId, "http://127.0.0.1:5000/callback", "account");
  await page.route("https://evil.example/", (route) =>
    route.fulfill({ contentType: "text/html", body: `<iframe src="${consent.replaceAll("&", "&amp;")}"></iframe>` }),
  );
  await page.goto("https://evil.example/");
  await expect(page.frameLocator("iframe").getByRole("button", { name: "Allow" })).toHaveCount(0);
});
