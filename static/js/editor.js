// The editor: keys, a count of words, letters of equal width for tables and code, and care that nothing is lost or sent
// twice.

const KEY = "postly-fixed-pitch";

/** The number of words in any language that the browser knows, without punctuation. */
function countWords(text) {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
  let words = 0;
  for (const segment of segmenter.segment(text)) if (segment.isWordLike) words += 1;
  return words;
}

/** The browser may refuse to store anything. */
function stored() {
  try {
    return localStorage.getItem(KEY) === "true";
  } catch {
    return false;
  }
}

function store(chosen) {
  try {
    localStorage.setItem(KEY, String(chosen));
  } catch {
    // It lasts until the page is left, then.
  }
}

/** Replaces the selection, so that it can be undone. */
function insert(field, text, start, end) {
  if (!document.execCommand("insertText", false, text)) field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.setSelectionRange(start, end);
}

/** Puts marks of Markdown around the selection. */
function mark(field, before, after) {
  const { selectionStart: from, selectionEnd: to, value } = field;
  const chosen = value.slice(from, to);
  insert(field, before + chosen + after, from + before.length, to + before.length);
}

/** A link around the selection, with the cursor where its address belongs. */
function link(field) {
  const { selectionStart: from, selectionEnd: to, value } = field;
  const chosen = value.slice(from, to);
  const at = from + chosen.length + 3;
  insert(field, `[${chosen}]()`, at, at);
}

function addKeys(form) {
  const field = form.elements.content;
  form.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && event.target.name === "title" && !isCommand) {
      // A title is one line: the text comes next.
      event.preventDefault();
      field.focus();
    }
    if (!isCommand || event.altKey || event.shiftKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      // The last button is the one that publishes or saves.
      form.requestSubmit([...form.querySelectorAll(".actions button")].pop());
      return;
    }
    const work = { b: () => mark(field, "**", "**"), i: () => mark(field, "*", "*"), k: () => link(field) }[event.key];
    if (!work || event.target !== field) return;
    event.preventDefault();
    work();
  });
}

/** Shows how many characters are left, once at most a tenth remain. */
function addCounter(field) {
  const counter = document.createElement("p");
  counter.className = "hint counter";
  counter.setAttribute("role", "status");
  const tell = () => {
    const left = field.maxLength - field.value.length;
    counter.textContent = left <= field.maxLength / 10 ? `${left} characters left` : "";
  };
  field.addEventListener("input", tell);
  tell();
  field.after(counter);
}

/** Sends a form once, and asks before it is left with what nobody has saved. */
function guard(form) {
  const typed = () => new URLSearchParams(new FormData(form)).toString();
  // A form that came back has not been saved either.
  const initial = "returned" in form.dataset ? "" : typed();
  let leaving = false;
  form.addEventListener("submit", (event) => {
    // The second half of a double click. The server would notice it, too.
    if (leaving) return event.preventDefault();
    leaving = true;
    // Whoever stops the loading can send it again.
    setTimeout(() => {
      leaving = false;
    }, 2000);
  });
  addEventListener("pageshow", () => {
    leaving = false;
  });
  addEventListener("beforeunload", (event) => {
    // What is saved while it is written knows that better.
    const isWatched = "autosave" in form.dataset;
    if (!isWatched && !leaving && typed() !== initial) event.preventDefault();
  });
}

function addTools(form) {
  const field = form.elements.content;
  const count = document.createElement("p");
  let waiting;
  const tell = () => {
    waiting = undefined;
    const words = countWords(field.value);
    count.textContent = words === 1 ? "1 word" : `${words.toLocaleString("en")} words`;
  };
  // Not at each key: a long text takes a moment.
  field.addEventListener("input", () => {
    waiting ??= setTimeout(tell, 300);
  });
  const toggle = document.createElement("button");
  toggle.type = "button";
  toggle.className = "plain";
  toggle.textContent = "Fixed-width letters";
  const show = (chosen) => {
    form.classList.toggle("fixed-pitch", chosen);
    toggle.setAttribute("aria-pressed", String(chosen));
  };
  toggle.addEventListener("click", () => {
    const chosen = !form.classList.contains("fixed-pitch");
    show(chosen);
    store(chosen);
  });
  show(stored());
  tell();
  form.querySelector(".tools").append(count, toggle);
}

for (const form of document.querySelectorAll("[data-editor]")) {
  guard(form);
  addTools(form);
  addKeys(form);
  for (const field of form.querySelectorAll("[maxlength]")) addCounter(field);
}
