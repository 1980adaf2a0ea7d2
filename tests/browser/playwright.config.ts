// Debian's Chromium, two workers; each worker starts its own Postly.
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(chromium)) throw new Error(`${chromium} is missing: apt-get install chromium`);

export default defineConfig({
  testDir: ".",
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  retries: 0,
  // Only stops a hanging test; a busy machine may be slow.
  timeout: 10 * 60_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  outputDir: "node_modules/.results",
  use: {
    trace: "off",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "scripts" },
    { name: "no-scripts", testMatch: ["journey.spec.ts", "kept.spec.ts", "writing.spec.ts", "comments.spec.ts", "tags.spec.ts", "series.spec.ts", "finding.spec.ts", "history.spec.ts", "help.spec.ts"], use: { javaScriptEnabled: false } },
    { name: "postgres", testMatch: "journey.spec.ts" },
  ],
});
