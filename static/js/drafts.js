// Keeps the unsent text of the editor in this browser, for its author, until the server has it.

const PREFIX = "postly-draft:";
/** What was sent from this tab, until the next page says what became of it. */
const SENT = "postly-draft-sent";
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
const keys = () => attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))) ?? [];
const isSame = (a, b) => a?.title === b?.title && a?.content === b?.content;

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
  // The first draft on the server gives a new text another name.
  const key = () => PREFIX + form.dataset.draft;
  const { title, content, version } = form.elements;
  const typed = () => ({ title: title.value, content: content.value });
  const fill = (text) => {
    title.value = text.title;
    content.value = text.content;
    // Counters follow.
    for (const field of [title, content]) field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const original = { ...typed(), version: version?.value };
  let isChanged = false;

  const write = () => {
    if (!isChanged) return;
    isChanged = false;
    const text = typed();
    const isNothing = !text.title && !text.content;
    if (isNothing || (isSame(text, original) && !("returned" in form.dataset))) return remove(key());
    attempt(() => localStorage.setItem(key(), JSON.stringify({ ...text, version: version?.value, at: Date.now() })));
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
      remove(key());
      note.remove();
      title.focus();
    });
    note.append("Restored from this browser – ", discard);
    form.before(note);
    fill(draft);
    // An edit of an older version is still one: the server then says so, and loses no text.
    if (version && draft.version) version.value = draft.version;
    isChanged = false;
  };

  let timer;
  form.addEventListener("input", () => {
    isChanged = true;
    clearTimeout(timer);
    timer = setTimeout(write, 300);
  });
  addEventListener("pagehide", write);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") write();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("data-preview")) return;
    write();
    attempt(() => sessionStorage.setItem(SENT, JSON.stringify({ key: key(), ...typed() })));
  });
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/logout") isChanged = false;
  });

  if ("returned" in form.dataset) {
    // The server has just shown what was typed last.
    isChanged = true;
    write();
    return;
  }
  const draft = read(key());
  if (!draft) return;
  if (typeof draft.title !== "string" || typeof draft.content !== "string" || isSame(draft, original)) {
    remove(key());
  } else {
    offer(draft);
  }
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
