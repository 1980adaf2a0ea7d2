// Lighthouse, as on a phone: all four scores of a page.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import lighthouse from "lighthouse";
import puppeteer from "puppeteer-core";

// Performance depends on the machine's other work; the rest does not.
const LEAST = { performance: 98, accessibility: 100, "best-practices": 100, seo: 100 };

export async function audit(url, cookie) {
  const profile = mkdtempSync(join(tmpdir(), "postly-lighthouse-"));
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    userDataDir: profile,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  try {
    const page = await browser.newPage();
    const flags = { output: "json", logLevel: "error", extraHeaders: cookie ? { Cookie: cookie } : {} };
    const { lhr } = await lighthouse(url, flags, undefined, page);
    const scores = Object.keys(LEAST).map((name) => Math.round(lhr.categories[name].score * 100));
    const metrics = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];
    const told = `${scores.join("/")} (${metrics.map((name) => lhr.audits[name].displayValue).join(", ")})`;
    const missed = Object.values(LEAST).some((least, index) => scores[index] < least);
    if (missed) {
      const weak = Object.values(lhr.audits).filter((found) => found.score !== null && found.score < 0.9);
      throw new Error(`${told}\n${weak.map((found) => `${found.id}: ${found.displayValue ?? ""} ${found.title}`).join("\n")}`);
    }
    return told;
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
