// The guide's examples for Node 20. They read POSTLY_URL, POSTLY_USER and POSTLY_PASSWORD.

// == log-in ==
const { POSTLY_URL, POSTLY_USER: username, POSTLY_PASSWORD: password } = process.env;
let token;

function ask(method, path, body, headers = {}) {
  if (body) headers = { "Content-Type": "application/json", ...headers };
  if (token) headers = { Authorization: `Bearer ${token}`, ...headers };
  return fetch(`${POSTLY_URL}/api/v1${path}`, {
    method, headers, body: body && JSON.stringify(body),
  });
}

const login = await ask("POST", "/auth/login", { username, password });
token = (await login.json()).access_token;
const me = await (await ask("GET", "/me")).json();
console.log("user", me.username);

// == lists ==
let count = 0;
let path = "/posts?limit=2";
while (path) {
  const page = await (await ask("GET", path)).json();
  count += page.items.length;
  path = page.next && `/posts?limit=2&before=${page.next}`;
}
console.log("posts", count);

// == write ==
const post = { title: "On tides", content: "The sea comes *twice* a day.", tags: ["sea"] };
const written = await (await ask("POST", "/posts", post)).json();
console.log("title", written.title);

// == edit ==
const address = `/posts/${written.id}`;
const tag = { "If-Match": (await ask("GET", address)).headers.get("ETag") };
const edited = await ask("PUT", address, { content: "The sea comes and goes." }, tag);
console.log("edit", edited.status);
// The tag is that of the first version: somebody could have saved another one.
const stale = await ask("PUT", address, { content: "The sea goes." }, tag);
console.log("stale", stale.status);

// == find ==
const filter = new URLSearchParams({ sort: "top", period: "week", tag: "sea", author: username });
const top = await (await ask("GET", `/posts?${filter}`)).json();
console.log("tagged", top.items[0].title);
const words = new URLSearchParams({ q: `comes tag:sea author:${username}` });
const [found] = (await (await ask("GET", `/search?${words}`)).json()).items;
console.log("found", found.title.map((part) => part.text).join(""));
console.log("hit", found.excerpt.find((part) => part.hit).text);

// == discuss ==
const first = await (await ask("POST", `${address}/comments`, { content: "Twice?" })).json();
await ask("POST", `${address}/comments`, { content: "*Twice.*", parent_id: first.id });
const thread = await (await ask("GET", `${address}/comments?sort=best`)).json();
for (const { depth, content } of thread.items) console.log(`depth ${depth}: ${content}`);

// == retry ==
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

async function publish(post, key) {
  for (;;) {
    const answer = await ask("POST", "/posts", post, { "Idempotency-Key": key }).catch(() => null);
    if (!answer) {
      await sleep(1); // Nobody knows whether the request arrived.
      continue;
    }
    const json = await answer.json();
    if (![429, 503].includes(answer.status) && json.code !== "idempotency_key.in_use") return json;
    await sleep(Number(answer.headers.get("Retry-After")));
  }
}

const key = crypto.randomUUID();
console.log("once", (await publish(post, key)).id === (await publish(post, key)).id);

// == limits ==
const preview = await ask("POST", "/posts/preview", post);
console.log("left", preview.headers.get("RateLimit"));

// == errors ==
const problem = await (await ask("POST", "/posts", { title: "" })).json();
console.log("code", problem.code);
for (const { field, message } of problem.errors) console.log(`${field}: ${message}`);
