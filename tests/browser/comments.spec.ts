// A discussion, from both sides. It runs with JavaScript and without.
import type { Browser, Page, TestInfo } from "@playwright/test";
import { expect, PASSWORD, type Site, test, unique } from "./support/site.ts";

/** Somebody else's page, with scripts if this test has them. */
async function another(browser: Browser, site: Site, info: TestInfo, name: string): Promise<Page> {
  const { javaScriptEnabled } = info.project.use;
  const page = await (await browser.newContext({ baseURL: site.url, javaScriptEnabled })).newPage();
  await site.register(page, name);
  return page;
}

async function comment(page: Page, post: string, text: string): Promise<void> {
  await page.goto(post);
  await page.getByLabel("Write a comment").fill(text);
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(page.getByRole("status").first()).toHaveText("Comment added.");
}

async function logIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Username or e-mail").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("people comment, reply, vote, sort, fold, edit and delete", async ({ page, site, browser }, info) => {
  const [ann, bob] = [unique("ann"), unique("bob")];
  const author = await another(browser, site, info, ann);
  const post = await site.post(author, "Tides", "They come twice a day.");
  await site.register(page, bob);
  await comment(page, post, "I saw *both*.");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Comment by ${bob}`);
  await expect(page.locator(".prose em")).toHaveText("both");
  await comment(page, post, "And the moon.");

  await author.goto(post);
  await author.getByRole("link", { name: `Reply to ${bob}` }).first().click();
  await expect(author.locator(".comment .prose em")).toHaveText("both");
  await author.getByLabel("Text").fill("Which was higher?");
  await author.getByRole("button", { name: "Reply" }).click();
  await expect(author.getByRole("status").first()).toHaveText("Comment added.");
  await author.goto(post);
  await expect(author.getByRole("heading", { level: 2, name: "3 comments" })).toBeVisible();
  await author.getByRole("button", { name: `Vote for the comment by ${bob}` }).last().click();
  await expect(author.getByRole("button", { name: `Withdraw your vote for the comment by ${bob}, 1 vote` })).toBeVisible();
  await expect(author.getByText("Your vote was counted.").first()).toBeVisible();

  // What was voted for is the best; the oldest are first by themselves.
  const first = page.locator(".comments > .comment").first();
  await page.goto(post);
  await expect(first).toContainText("I saw both.");
  for (const order of ["Newest", "Best"]) {
    await page.getByRole("navigation", { name: "Order of comments" }).getByRole("link", { name: order }).click();
    await expect(first).toContainText("And the moon.");
    await expect(page.getByRole("link", { name: order })).toHaveAttribute("aria-current", "true");
  }
  const reply = page.getByText("Which was higher?");
  await expect(reply).toBeVisible();
  await page.getByText("1 reply").click();
  await expect(reply).toBeHidden();
  await page.getByText("1 reply").click();
  await expect(reply).toBeVisible();

  await page.goto(post);
  await page.getByRole("link", { name: "Edit" }).first().click();
  await expect(page.getByLabel("Text")).toHaveValue("I saw *both*.");
  await page.getByLabel("Text").fill("I saw one.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("article")).toContainText(/edited[\s\S]*I saw one\./);

  await page.goto(post);
  await page.getByText("Delete…").first().click();
  await page.getByRole("button", { name: "Delete this comment" }).first().click();
  await expect(page.getByRole("status").first()).toHaveText("Comment deleted.");
  await expect(page.getByText("This comment was deleted.")).toBeVisible();
  await expect(page.getByText("I saw one.")).toHaveCount(0);
  await expect(reply).toBeVisible();
  await author.context().close();
});

test("the comments on a post are closed while somebody writes, and opened again", async ({ page, site, browser }, info) => {
  const author = await another(browser, site, info, unique("ann"));
  const post = await site.post(author, "Tides", "They come twice a day.");
  await site.register(page, unique("bob"));
  await page.goto(post);
  await page.getByLabel("Write a comment").fill("A long thought.");
  await author.goto(post);
  await author.getByRole("button", { name: "Close the comments" }).click();
  await expect(author.getByRole("status").first()).toHaveText("Nobody can add a comment now.");
  await expect(author.getByText("The comments are closed.")).toBeVisible();
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText(/closed/);
  await expect(page.getByLabel("Text")).toHaveValue("A long thought.");
  await author.getByRole("button", { name: "Open the comments" }).click();
  await expect(author.getByLabel("Write a comment")).toBeVisible();
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(page.getByRole("status").first()).toHaveText("Comment added.");
  await expect(page.getByRole("article")).toContainText("A long thought.");
  await author.context().close();
});

test("a visitor logs in on the way to the form", async ({ page, site }) => {
  const bob = unique("bob");
  await site.register(page, bob);
  const post = await site.post(page, "Tides", "They come twice a day.");
  await page.context().clearCookies();
  await page.goto(post);
  await expect(page.getByLabel("Write a comment")).toHaveCount(0);
  await page.getByRole("link", { name: "Write a comment" }).click();
  await logIn(page, bob);
  await expect(page).toHaveURL(`${site.url}${post}/comments/new`);
  await page.getByLabel("Text").fill("Here I am.");
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(page.getByRole("article")).toContainText("Here I am.");
});

test("a comment that is sent after the session has ended is in the form after logging in", async ({ page, site }) => {
  const bob = unique("late");
  await site.register(page, bob);
  const post = await site.post(page, "Tides", "They come twice a day.");
  const parent = await site.comment(page, post, "Twice?");
  const forms: [string, string, string][] = [
    [post, "Write a comment", "Comment"],
    [`${post}/comments`, "Write a comment", "Comment"],
    [`${post}/comments/new?parent_id=${parent.split("/").pop()}`, "Text", "Reply"],
  ];
  for (const [address, label, button] of forms) {
    const text = `Two lines\n\nof “text” <b>, from ${address}.`;
    await page.goto(address);
    await page.getByLabel(label).fill(text);
    // As if it had expired while the page was open.
    await page.context().clearCookies({ name: "postly" });
    await page.getByRole("button", { name: button, exact: true }).click();
    await expect(page.getByText("What you typed is kept")).toBeVisible();
    await logIn(page, bob);
    await expect(page.getByRole("status").first()).toContainText("Nothing has been sent yet");
    await expect(page.getByLabel("Text")).toHaveValue(text);
    await page.getByRole("button", { name: button, exact: true }).click();
    await expect(page.getByRole("status").first()).toHaveText("Comment added.");
    await expect(page.getByRole("article")).toContainText(`from ${address}.`);
  }
  await expect(page.getByRole("link", { name: "another comment" })).toBeVisible();
});
