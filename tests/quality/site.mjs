// A throwaway Postly with the demonstration's posts and an author.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY = fileURLToPath(new URL("../../target/debug/postly", import.meta.url));
export const PASSWORD = "violet otter paddles upstream";

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export class Site {
  static async start() {
    const site = new Site();
    site.folder = mkdtempSync(join(tmpdir(), "postly-quality-"));
    site.log = join(site.folder, "server.log");
    const port = await freePort();
    site.url = `http://127.0.0.1:${port}`;
    const env = {
      PATH: process.env.PATH,
      ROCKET_PORT: String(port),
      POSTLY_BCRYPT_COST: "4",
      POSTLY_LOG_FORMAT: "json",
    };
    const run = (args, input) => execFileSync(BINARY, args, { cwd: site.folder, env, input, stdio: ["pipe", "ignore", "ignore"] });
    run(["demo"]);
    run(["user", "add", "quinn", "--admin"], PASSWORD);
    site.server = spawn(BINARY, { cwd: site.folder, env, stdio: ["ignore", "pipe", openSync(site.log, "a")] });
    process.on("exit", () => site.stop());
    await once(site.server.stdout, "data");
    await site.logIn();
    return site;
  }

  async logIn() {
    const form = (fields) => ({
      method: "POST",
      redirect: "manual",
      headers: { Origin: this.url, Cookie: this.cookie ?? "" },
      body: new URLSearchParams(fields),
    });
    const answer = await fetch(`${this.url}/login`, form({ username: "quinn", password: PASSWORD }));
    this.cookie = answer.headers.getSetCookie().find((cookie) => cookie.startsWith("postly=")).split(";")[0];
    await fetch(`${this.url}/sudo`, form({ password: PASSWORD }));
    const content = "The sea comes *twice* a day.\n\n## Why\n\n- the moon\n- the shelf\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
    const post = await fetch(`${this.url}/posts`, form({ title: "On tides", content }));
    this.post = post.headers.get("location");
  }

  stop() {
    this.server.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
