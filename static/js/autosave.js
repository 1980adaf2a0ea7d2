// Saves the text of the editor on the server while it is written. It never publishes, and changes nothing that
// anybody else can read.

/** After a pause of so many milliseconds; and at least so often while somebody writes on. */
const PAUSE = 2_000;
const LONGEST = 15_000;
/** What is saved. The other fields wait for the button. */
const TEXTS = ["title", "content", "summary", "tags", "series"];
/** What nobody types. */
const HIDDEN = ["_method", "form_id", "version"];

/** What the form holds, as it is sent. */
function textOf(form) {
  const fields = new FormData(form);
  const text = new URLSearchParams();
  for (const name of TEXTS) {
    for (const value of fields.getAll(name)) text.append(name, value);
  }
  return text;
}

/** The other fields that somebody fills in. */
function restOf(form) {
  const isOther = ([name]) => ![...TEXTS, ...HIDDEN].includes(name);
  return String(new URLSearchParams([...new FormData(form)].filter(isOther)));
}

const isBlank = (text) => !text.get("title").trim() && !text.get("content").trim();

/** Sends a form, and returns the page to which it leads; fails unless that is the page expected. */
async function send(action, body, expected, signal) {
  // The browser finishes what is short after the page is left.
  const keepalive = String(body).length < 60_000;
  const answer = await fetch(action, { method: "POST", body, keepalive, signal });
  const { pathname } = new URL(answer.url);
  if (!answer.ok || !expected.test(pathname)) throw new Error(pathname);
  return { pathname, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

/** The first save makes a draft of a new text; from then on, the form edits that. */
async function create(form, text, signal) {
  const body = new URLSearchParams(text);
  body.set("state", "draft");
  // A title that is half typed begins no series.
  body.delete("series");
  const { pathname } = await send("/posts", body, /^\/posts\/\d+\/[a-z0-9-]+$/, signal);
  // Without the words of the title, which may change.
  const [post] = pathname.match(/^\/posts\/\d+/);
  form.dataset.draft = `${form.dataset.draft.split(":")[0]}:${post}`;
  form.dataset.autosave = `${post}/draft`;
  form.setAttribute("action", post);
  form.querySelector("[data-preview]").setAttribute("formaction", `${post}/preview#preview`);
  for (const [name, value] of [["version", "1"], ["_method", "put"]]) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.prepend(field);
  }
  history.replaceState(null, "", `${post}/edit`);
  return new Date();
}

async function save(form, text, signal) {
  if (!form.dataset.autosave) {
    const at = await create(form, text, signal);
    if (!text.get("series")) return at;
  }
  // The method comes first, or the server does not look for it.
  const body = new URLSearchParams([["_method", "put"], ["version", form.elements.version.value], ...text]);
  const path = form.dataset.autosave;
  // What the post says already is not kept, and leads back to the form.
  const { page } = await send(path, body, new RegExp(`^${path.replace("draft", "(draft|edit)")}$`), signal);
  const time = page.querySelector("#saved-at");
  return time && new Date(time.getAttribute("datetime"));
}

function watch(form) {
  const note = document.createElement("p");
  note.className = "saved-note";
  note.setAttribute("role", "status");
  // Beside the count of words, where its coming and going moves nothing.
  form.querySelector(".tools").append(note);
  // A form that came back has not been saved.
  let saved = "returned" in form.dataset ? "" : String(textOf(form));
  const rest = restOf(form);
  let timer, since, running, sending;
  let isSending = false;

  const work = async () => {
    clearTimeout(timer);
    since = undefined;
    const text = textOf(form);
    if (isSending || String(text) === saved || isBlank(text)) return;
    try {
      sending = new AbortController();
      const at = await save(form, text, sending.signal);
      saved = String(text);
      form.dispatchEvent(new CustomEvent("autosaved", { detail: Object.fromEntries(text) }));
      const time = at?.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
      note.textContent = at ? `Saved as a draft at ${time}` : "Nothing differs from the post";
    } catch (error) {
      if (isSending) return;
      note.textContent = ["/login", "/resume"].includes(error.message)
        ? "You are no longer logged in. What you write is kept in this browser."
        : "The draft could not be saved just now. What you write is kept in this browser.";
      timer = setTimeout(start, LONGEST);
    }
  };
  const start = () => {
    // One at a time: of two, the older could arrive last.
    running = Promise.resolve(running).then(work);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    since ??= Date.now();
    timer = setTimeout(start, Date.now() - since > LONGEST ? 0 : PAUSE);
  });
  // It comes from this browser, and waits there until somebody goes on with it.
  form.addEventListener("restored", () => {
    clearTimeout(timer);
    since = undefined;
    saved = String(textOf(form));
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    isSending = true;
    // It would arrive after the post is saved, and be kept as a change to it.
    if (form.dataset.autosave) sending?.abort();
  });
  addEventListener("pageshow", () => {
    isSending = false;
  });
  document.addEventListener("visibilitychange", () => {
    // A first draft would not learn its address any more.
    if (document.visibilityState === "hidden" && since && form.dataset.autosave) start();
  });
  addEventListener("beforeunload", (event) => {
    const text = textOf(form);
    const isUnsaved = (String(text) !== saved && !isBlank(text)) || restOf(form) !== rest;
    if (!isSending && isUnsaved) event.preventDefault();
  });
}

for (const form of document.querySelectorAll("[data-autosave]")) watch(form);
