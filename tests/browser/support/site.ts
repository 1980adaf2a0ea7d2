// Starts a Postly for each worker, and creates its users.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page, type Request, type Response } from "@playwright/test";

export { expect };
export const PASSWORD = "violet otter paddles upstream";

const binary = fileURLToPath(new URL("../../../target/debug/postly", import.meta.url));

/** A random address from a documentation network (RFC 5737). */
function randomAddress(): string {
  return `198.51.${randomBytes(1)[0]}.${randomBytes(1)[0]}`;
}

export class Site {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly errors: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly process: ChildProcess,
  ) {}

  /** `settings` are further environment variables. */
  static async start(engine: string, settings: NodeJS.ProcessEnv = {}): Promise<Site> {
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run cargo build first`);
    const folder = mkdtempSync(join(tmpdir(), "postly-browser-"));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      ROCKET_PORT: String(port),
      POSTLY_PUBLIC_URL: url,
      // A debug build allows cheap hashes; these tests are not about hashing.
      POSTLY_BCRYPT_COST: "4",
      // Each log-in claims another address, so that rate limits do not interfere.
      POSTLY_TRUSTED_PROXIES: "127.0.0.1/32",
      ...(engine === "postgres" ? postgres() : {}),
      ...settings,
    };
    // To a file, so that everything logged can be read at once.
    const errors = join(folder, "server.log");
    const log = openSync(errors, "a");
    const child = spawn(binary, { cwd: folder, env, stdio: ["ignore", "pipe", log] });
    closeSync(log);
    let output = "";
    const started = new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (text) => {
        output += text;
        if (output.includes("Postly is at")) resolve();
      });
      child.on("exit", (code) => {
        reject(new Error(`postly exited with ${code}:\n${output}${readFileSync(errors, "utf8")}`));
      });
    });
    await started;
    return new Site(url, folder, errors, env, child);
  }

  /** The log of the server so far. */
  log(): string {
    return readFileSync(this.errors, "utf8");
  }

  /** The link with which the first admin of a new site is created. */
  setupLink(): string {
    return readFileSync(join(this.folder, "data", "setup-link"), "utf8").trim();
  }

  /** Runs a command of the binary on the same site. */
  run(args: string[], input = ""): string {
    return execFileSync(binary, args, { cwd: this.folder, env: this.env, input, encoding: "utf8" });
  }

  /** Registers and logs in a new user, without using the pages. */
  async register(page: Page, name: string): Promise<void> {
    const form = { username: name, password: PASSWORD };
    const response = await page.request.post(`${this.url}/register`, {
      form: { ...form, email: `${name}@mail.example` },
      headers: { Origin: this.url, "X-Forwarded-For": randomAddress() },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
  }

  /** Logs in an existing user, without using the pages. */
  async logIn(page: Page, name: string): Promise<void> {
    const response = await page.request.post(`${this.url}/login`, {
      form: { username: name, password: PASSWORD },
      headers: { Origin: this.url, "X-Forwarded-For": randomAddress() },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
  }

  /** Publishes a post as the user of this page; returns its path without the words of the title. */
  async post(page: Page, title: string, content: string, tags = "", series = ""): Promise<string> {
    const response = await page.request.post(`${this.url}/posts`, {
      form: { title, content, tags, series },
      headers: { Origin: this.url },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
    return response.headers().location.split("/").slice(0, 3).join("/");
  }

  /** Comments on the post at this path, or replies to the comment at `parent`. */
  async comment(page: Page, post: string, content: string, parent = ""): Promise<string> {
    const response = await page.request.post(`${this.url}${post}/comments`, {
      form: { content, parent_id: parent.split("/").pop() ?? "" },
      headers: { Origin: this.url },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
    return response.headers().location;
  }

  /** Edits the post or comment at this path. */
  async edit(page: Page, path: string, form: Record<string, string>): Promise<void> {
    const response = await page.request.post(`${this.url}${path}`, {
      form: { _method: "put", ...form },
      headers: { Origin: this.url },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
  }

  /** Votes for the post at this path as the user of this page. */
  async vote(page: Page, post: string): Promise<void> {
    const response = await page.request.post(`${this.url}${post}/vote`, {
      form: { _method: "put" },
      headers: { Origin: this.url },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
  }

  async stop(): Promise<void> {
    this.process.removeAllListeners("exit");
    const exited = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Creates a database on the PostgreSQL server that ./test started. */
function postgres(): NodeJS.ProcessEnv {
  const server = process.env.POSTLY_TEST_DATABASE_URL;
  if (!server) throw new Error("POSTLY_TEST_DATABASE_URL must name a server: run ./test browser");
  const name = `b${randomBytes(6).toString("hex")}`;
  execFileSync("psql", ["-q", server, "-c", `CREATE DATABASE ${name}`]);
  return {
    DATABASE_URL: server.replace(/[^/]*$/, name),
    POSTLY_SECRET_KEY: randomBytes(36).toString("base64url"),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Collects the warnings, errors, exceptions and dialogs of a page. */
export class Console {
  private readonly messages: { text: string; url: string }[] = [];
  private readonly expected = new Set<string>();

  constructor(page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.messages.push({ text: message.text(), url: message.location().url });
      }
    });
    page.on("pageerror", (error) => this.messages.push({ text: error.message, url: page.url() }));
    page.on("dialog", async (dialog) => {
      // The editor asks before typed text is lost, as it should.
      if (dialog.type() === "beforeunload") return dialog.accept();
      this.messages.push({ text: `a dialog: ${dialog.message()}`, url: page.url() });
      await dialog.dismiss();
    });
  }

  /**
   * Chromium logs an error for every response with an error status. That is expected of a page that
   * is meant to have that status, but not of a style sheet or a script.
   */
  expect(response: Response): void {
    this.expected.add(`${response.status()} ${response.url()}`);
  }

  /** Every message that was not expected. */
  problems(): string[] {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/;
    return this.messages
      .filter(({ text, url }) => !this.expected.has(`${status.exec(text)?.[1]} ${url}`))
      .map(({ text, url }) => `${text} (${url})`);
  }
}

/** Opens a page that should have this status. */
export async function open(page: Page, console: Console, path: string, status: number): Promise<Response> {
  const response = await page.goto(path);
  if (!response) throw new Error(`${path} was not loaded`);
  expect(response.status(), path).toBe(status);
  if (status >= 400) console.expect(response);
  return response;
}

/** Submits a form of the page, which should answer with this status. */
export async function submit(page: Page, console: Console, button: string, status: number): Promise<Response> {
  // Not what the editor saves and shows by itself meanwhile.
  const ownWork = button === "Preview" ? /\/(posts|draft)$/ : /\/(posts|draft|preview)$/;
  const isByItself = (request: Request) =>
    request.resourceType() === "fetch" && ownWork.test(new URL(request.url()).pathname);
  const answered = page.waitForResponse((response) =>
    response.request().method() === "POST" && !isByItself(response.request()));
  await page.getByRole("button", { name: button, exact: true }).click();
  const response = await answered;
  expect(response.status(), button).toBe(status);
  if (status >= 400) console.expect(response);
  return response;
}

let counter = 0;
/** A username that no other test of this worker uses. */
export function unique(name: string): string {
  counter += 1;
  return `${name}-${counter}`;
}

export const test = base.extend<{ serverLog: void }, { site: Site }>({
  site: [
    async ({}, use, info) => {
      const site = await Site.start(info.project.name === "postgres" ? "postgres" : "sqlite");
      await use(site);
      await site.stop();
    },
    { scope: "worker" },
  ],
  baseURL: async ({ site }, use) => use(site.url),
  // The server log of a failed test is kept with its result.
  serverLog: [
    async ({ site }, use, info) => {
      const before = site.log().length;
      await use();
      if (info.status === info.expectedStatus) return;
      const path = info.outputPath("server.log");
      writeFileSync(path, site.log().slice(before));
      await info.attach("server.log", { path, contentType: "text/plain" });
      rmSync(path); // Playwright has copied it.
    },
    { auto: true },
  ],
});
