// The preview, without leaving the page: when its button is pressed and, where there is room beside the text, while it
// is written. The server renders it, as it renders the post; nothing is saved.

/** Where the preview stands beside the text, as in editor.css. */
const BESIDE = matchMedia("(width >= 70rem)");
/** How long after a key, and how often at most, in milliseconds: as often as the site allows for all day. */
const PAUSE = 500;
const INTERVAL = 1_500;
/** After a failure, the server is left alone for a while. */
const RESPITE = 15_000;

/** What the server makes of a text; an empty one needs no server. */
async function render(form, text) {
  if (!text.trim()) {
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = "There is nothing to preview yet.";
    return [hint];
  }
  const body = new URLSearchParams({ content: text });
  const button = form.querySelector("[data-preview]");
  const method = form.elements._method?.value;
  // It comes first, or the server does not look for it.
  const fields = method ? new URLSearchParams([["_method", method], ...body]) : body;
  const answer = await fetch(button.formAction, { method: "POST", body: fields, redirect: "manual" }).catch(() => undefined);
  // To the log-in.
  if (answer?.type === "opaqueredirect") throw new Error("You are logged out. Log in in another tab, then continue here.");
  const page = new DOMParser().parseFromString((await answer?.text()) ?? "", "text/html");
  const fresh = page.querySelector("#preview .prose");
  const complaint = page.querySelector(".summary li")?.textContent.trim();
  if (!answer?.ok || !fresh) throw new Error(complaint ?? "The preview isn’t available right now.");
  // With text that stands in no element, which raw HTML becomes.
  return [...fresh.childNodes];
}

/** Puts other nodes in place of those that are there, except for those at the beginning and end that are the same. */
function replace(place, fresh) {
  const old = [...place.childNodes];
  const isSame = (a, b) => a && b && a.isEqualNode(b);
  let start = 0;
  while (isSame(old[start], fresh[start])) start += 1;
  let end = 0;
  const least = Math.min(old.length, fresh.length) - start;
  while (end < least && isSame(old.at(-1 - end), fresh.at(-1 - end))) end += 1;
  const rest = old[old.length - end] ?? null;
  for (const gone of old.slice(start, old.length - end)) gone.remove();
  for (const node of fresh.slice(start, fresh.length - end)) place.insertBefore(node, rest);
}

/** The parts of the preview, which are on the page from its first use on. */
function prepare(section) {
  if (!section.querySelector(".preview-head")) {
    const head = document.createElement("h2");
    head.className = "preview-head";
    head.id = "preview-head";
    head.textContent = "Preview";
    const prose = document.createElement("div");
    prose.className = "prose";
    prose.dir = "auto";
    section.append(head, prose);
    section.setAttribute("aria-labelledby", head.id);
    section.tabIndex = 0;
  }
  if (!section.querySelector("[role=status]")) {
    // What went wrong is read aloud. The text is not: its author knows it, and it changes all the time.
    const note = document.createElement("p");
    note.className = "hint";
    note.setAttribute("role", "status");
    section.querySelector(".preview-head").after(note);
  }
}

function follow(form) {
  const section = document.getElementById("preview");
  const field = form.elements.content;
  const isThere = () => section.querySelector(".preview-head") !== null;
  let shown = isThere() ? field.value : undefined;
  let timer, running;
  let earliest = 0;

  const update = async () => {
    clearTimeout(timer);
    timer = undefined;
    prepare(section);
    const note = section.querySelector("[role=status]");
    const text = field.value;
    const begun = Date.now();
    try {
      const fresh = await render(form, text);
      const { scrollTop } = section;
      replace(section.querySelector(".prose"), fresh);
      section.scrollTop = scrollTop;
      shown = text;
      note.textContent = "";
      // Where an answer takes long, it is asked for less often.
      earliest = Math.max(begun + INTERVAL, Date.now() + 2 * (Date.now() - begun));
    } catch (error) {
      // What was shown last stays.
      note.textContent = error.message;
      earliest = Date.now() + RESPITE;
    }
    running = undefined;
    if (shown === text) schedule();
  };
  // One at a time: of two, the older could arrive last.
  const start = () => (running ??= update());
  const schedule = () => {
    if (running || timer || field.value === shown || !(BESIDE.matches || isThere())) return;
    timer = setTimeout(start, Math.max(PAUSE, earliest - Date.now()));
  };

  field.addEventListener("input", schedule);
  form.querySelector("[data-preview]").addEventListener("click", async (event) => {
    // Stay on this page and keep what was typed.
    event.preventDefault();
    await running;
    await start();
    const note = section.querySelector("[role=status]");
    if (BESIDE.matches) {
      note.textContent ||= "It shows the text as it is now.";
    } else {
      section.focus({ preventScroll: true });
      section.scrollIntoView();
    }
  });
  const show = () => {
    if (BESIDE.matches && shown !== field.value) start();
  };
  BESIDE.addEventListener("change", show);
  // Browsers fill forms in again when one goes back.
  addEventListener("pageshow", show);
  show();
}

for (const form of document.querySelectorAll("[data-editor]")) follow(form);
