// Keeps the unsent text of the editor in this browser, for its author, until the server has it. Each tab keeps its own.

const PREFIX = "postly-draft:";
/** What was sent from this tab, until the next page says what became of it. */
const SENT = "postly-draft-sent";
/** The name of this tab, and whether a page is open in it. */
const TAB = "postly-tab";
const MAX_AGE = 14 * 24 * 60 * 60 * 1000;
const MAX_COUNT = 20;

/** Storage may be full, damaged or forbidden. The editor then works without it. */
function attempt(work) {
  try {
    return work();
  } catch {
    return null;
  }
}

const read = (key) => attempt(() => JSON.parse(localStorage.getItem(key)));
const remove = (key) => attempt(() => localStorage.removeItem(key));
const store = (key, draft) => attempt(() => localStorage.setItem(key, JSON.stringify(draft)));
const keys = () => attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))) ?? [];
const isSame = (a, b) => a?.title === b?.title && a?.content === b?.content;
const isText = (draft) => typeof draft?.title === "string" && typeof draft?.content === "string";

/** The name of this tab. Whatever duplicates a tab copies its storage while a page is open in it, and gets another. */
function nameTab() {
  const known = attempt(() => JSON.parse(sessionStorage.getItem(TAB)));
  const random = () => [...crypto.getRandomValues(new Uint32Array(2))].map((number) => number.toString(36)).join("");
  const name = typeof known?.name === "string" && !known.isOpen ? known.name : random();
  const mark = (isOpen) => attempt(() => sessionStorage.setItem(TAB, JSON.stringify({ name, isOpen })));
  mark(true);
  addEventListener("pagehide", () => mark(false));
  addEventListener("pageshow", () => mark(true));
  return name;
}

const tab = nameTab();
const lockOf = (name) => `${PREFIX}tab:${name}`;

/** Tells other tabs, for as long as this page is open, that somebody is writing in this one. */
function occupy() {
  const name = lockOf(tab);
  navigator.locks?.request(name, { mode: "shared" }, () => new Promise(() => {})).catch(() => {});
}

/** The locks of the tabs in which somebody is writing; none is known where the browser has no locks (without https). */
async function occupied() {
  const state = await navigator.locks?.query().catch(() => undefined);
  return new Set(state?.held.map(({ name }) => name));
}

/** Removes what is old, damaged, or beyond the limit. */
function prune() {
  const found = keys().map((key) => ({ key, at: Number(read(key)?.at) || 0 }));
  found.sort((a, b) => b.at - a.at);
  const isGone = ({ at }, index) => index >= MAX_COUNT || at < Date.now() - MAX_AGE;
  for (const { key } of found.filter(isGone)) remove(key);
}

/** Drafts are for their author: whoever uses this browser next does not find them. */
function forgetAll() {
  for (const key of keys()) remove(key);
}

/** The last text that was sent from this tab is saved if this page says so. */
function settle() {
  const sent = attempt(() => JSON.parse(sessionStorage.getItem(SENT)));
  attempt(() => sessionStorage.removeItem(SENT));
  const notice = document.querySelector(".flash")?.dataset.notice;
  if (notice === "logged-out") forgetAll();
  if (sent && ["post-created", "post-saved", "draft-saved", "post-scheduled"].includes(notice) && isSame(read(sent.key), sent)) {
    remove(sent.key);
  }
}

function keep(form) {
  const family = () => PREFIX + form.dataset.draft;
  let key = `${family()}:${tab}`;
  const { title, content, version } = form.elements;
  const typed = () => ({ title: title.value, content: content.value });
  const fill = (text) => {
    title.value = text.title;
    content.value = text.content;
    // Counters follow.
    for (const field of [title, content]) field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const original = { ...typed(), version: version?.value };
  let saved = original;
  let isChanged = false;

  const write = () => {
    if (!isChanged) return;
    isChanged = false;
    const text = typed();
    const isNothing = !text.title && !text.content;
    if (isNothing || (isSame(text, saved) && !("returned" in form.dataset))) return remove(key);
    // The first draft on the server gives a new text a version, too.
    store(key, { ...text, version: form.elements.version?.value, at: Date.now() });
  };

  const offer = (draft) => {
    const note = document.createElement("p");
    note.className = "notice";
    note.setAttribute("role", "status");
    const discard = document.createElement("button");
    discard.type = "button";
    discard.className = "plain";
    discard.textContent = "Discard";
    discard.addEventListener("click", () => {
      fill(original);
      if (version) version.value = original.version;
      isChanged = false;
      remove(key);
      note.remove();
      title.focus();
    });
    note.append("Restored from this browser – ", discard);
    form.before(note);
    fill(draft);
    form.dispatchEvent(new Event("restored"));
    // An edit of an older version is still one: the server then says so, and loses no text.
    if (version && draft.version) version.value = draft.version;
    isChanged = false;
  };

  /** Takes the newest text that a tab has left behind. */
  const adopt = async () => {
    const inUse = await occupied();
    // Somebody has begun to write meanwhile.
    if (isChanged || !isSame(typed(), original)) return;
    const others = keys().filter((other) => other !== key && `${other}:`.startsWith(`${family()}:`));
    const left = others.filter((other) => !inUse.has(lockOf(other.slice(family().length + 1))));
    const found = left.map((other) => ({ other, draft: read(other) }));
    found.sort((a, b) => b.draft?.at - a.draft?.at);
    for (const { other, draft } of found) {
      if (isText(draft) && !isSame(draft, original)) {
        remove(other);
        store(key, draft);
        return offer(draft);
      }
      remove(other);
    }
  };

  let timer;
  form.addEventListener("input", () => {
    isChanged = true;
    clearTimeout(timer);
    timer = setTimeout(write, 300);
  });
  form.addEventListener("autosaved", ({ detail }) => {
    // The server has it. The first draft there also gives a new text another name.
    remove(key);
    key = `${family()}:${tab}`;
    saved = detail;
    isChanged = !isSame(typed(), saved);
    write();
  });
  addEventListener("storage", (event) => {
    // Another tab has logged out.
    if (event.key === key && event.newValue === null) isChanged = false;
  });
  addEventListener("pagehide", write);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") write();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("data-preview")) return;
    write();
    attempt(() => sessionStorage.setItem(SENT, JSON.stringify({ key, ...typed() })));
  });
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/logout") isChanged = false;
  });

  occupy();
  if ("returned" in form.dataset) {
    // The server has just shown what was typed last.
    isChanged = true;
    write();
    return;
  }
  const own = read(key);
  if (isText(own) && !isSame(own, original)) return offer(own);
  remove(key);
  adopt();
}

settle();
prune();
document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("action") === "/logout") forgetAll();
});
for (const form of document.querySelectorAll("[data-draft]")) keep(form);
// A page that comes back as it was left has not sent anything.
addEventListener("pageshow", (event) => {
  if (event.persisted) attempt(() => sessionStorage.removeItem(SENT));
});
