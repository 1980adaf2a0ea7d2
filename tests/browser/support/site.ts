// A Postly of its own for each worker, and people in it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page, type Response } from "@playwright/test";

export { expect };
export const PASSWORD = "violet otter paddles upstream";

const binary = fileURLToPath(new URL("../../../target/debug/postly", import.meta.url));

/** An address of a documentation network (RFC 5737). */
function anywhere(): string {
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

  static async start(engine: string): Promise<Site> {
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
      // Each newcomer says to come from elsewhere: limits are not what these tests are about.
      POSTLY_TRUSTED_PROXIES: "127.0.0.1/32",
      ...(engine === "postgres" ? postgres() : {}),
    };
    // Into a file, so that whatever was written is there to be read at once.
    const errors = join(folder, "server.log");
    const log = openSync(errors, "a");
    const child = spawn(binary, { cwd: folder, env, stdio: ["ignore", "pipe", log] });
    closeSync(log);
    let said = "";
    const up = new Promise<void>((done, fail) => {
      child.stdout?.on("data", (text) => {
        said += text;
        if (said.includes("Postly is at")) done();
      });
      child.on("exit", (code) => {
        fail(new Error(`postly ended with ${code}:\n${said}${readFileSync(errors, "utf8")}`));
      });
    });
    await up;
    return new Site(url, folder, errors, env, child);
  }

  /** What the server has logged so far. */
  log(): string {
    return readFileSync(this.errors, "utf8");
  }

  /** Runs a command of the binary beside the server. */
  run(args: string[], input = ""): string {
    return execFileSync(binary, args, { cwd: this.folder, env: this.env, input, encoding: "utf8" });
  }

  /** Logs a new person in, without going through the pages. */
  async enter(page: Page, name: string): Promise<void> {
    const form = { username: name, password: PASSWORD };
    const response = await page.request.post(`${this.url}/register`, {
      form: { ...form, email: `${name}@mail.example` },
      headers: { Origin: this.url, "X-Forwarded-For": anywhere() },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
  }

  /** Logs somebody in who is there already. */
  async logIn(page: Page, name: string): Promise<void> {
    const response = await page.request.post(`${this.url}/login`, {
      form: { username: name, password: PASSWORD },
      headers: { Origin: this.url, "X-Forwarded-For": anywhere() },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
  }

  /** Publishes a post as the person whose page this is; gives its path. */
  async post(page: Page, title: string, content: string): Promise<string> {
    const response = await page.request.post(`${this.url}/posts`, {
      form: { title, content },
      headers: { Origin: this.url },
      maxRedirects: 0,
    });
    expect(response.status()).toBe(303);
    return response.headers().location;
  }

  /** Votes for the post at this path as the person whose page this is. */
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
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A fresh database on the PostgreSQL server that ./test has started. */
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
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

/** What a page says in the browser's console: warnings, errors, exceptions and dialogs. */
export class Console {
  private readonly said: { text: string; url: string }[] = [];
  private readonly wanted = new Set<string>();

  constructor(page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.said.push({ text: message.text(), url: message.location().url });
      }
    });
    page.on("pageerror", (error) => this.said.push({ text: error.message, url: page.url() }));
    page.on("dialog", async (dialog) => {
      // The editor rightly asks before what was typed is left behind.
      if (dialog.type() === "beforeunload") return dialog.accept();
      this.said.push({ text: `a dialog: ${dialog.message()}`, url: page.url() });
      await dialog.dismiss();
    });
  }

  /**
   * Chromium complains of every answer with an error status. When a page itself is to come with
   * one, that complaint is right; the same status of a style sheet or a script is not.
   */
  want(answer: Response): void {
    this.wanted.add(`${answer.status()} ${answer.url()}`);
  }

  /** Everything that was said and not wanted. */
  heard(): string[] {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/;
    return this.said
      .filter(({ text, url }) => !this.wanted.has(`${status.exec(text)?.[1]} ${url}`))
      .map(({ text, url }) => `${text} (${url})`);
  }
}

/** Opens a page that is to come with this status. */
export async function open(page: Page, console: Console, path: string, status: number): Promise<Response> {
  const response = await page.goto(path);
  if (!response) throw new Error(`${path} was not fetched`);
  expect(response.status(), path).toBe(status);
  if (status >= 400) console.want(response);
  return response;
}

/** Sends a form of the page, which is to come back with this status. */
export async function send(page: Page, console: Console, button: string, status: number): Promise<Response> {
  const answer = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button", { name: button, exact: true }).click();
  const response = await answer;
  expect(response.status(), button).toBe(status);
  if (status >= 400) console.want(response);
  return response;
}

let counter = 0;
/** A username that no other test of this worker uses. */
export function fresh(name: string): string {
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
  // What the server logged during a test that failed is kept beside its result.
  serverLog: [
    async ({ site }, use, info) => {
      const before = site.log().length;
      await use();
      if (info.status === info.expectedStatus) return;
      const path = info.outputPath("server.log");
      writeFileSync(path, site.log().slice(before));
      await info.attach("server.log", { path, contentType: "text/plain" });
      rmSync(path); // Playwright keeps a copy.
    },
    { auto: true },
  ],
});
