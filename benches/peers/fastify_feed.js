// The feed on Fastify + better-sqlite3, in two processes that share a port: `node fastify_feed.js PORT`.

import cluster from "node:cluster";

import Database from "better-sqlite3";
import fastify from "fastify";

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  serve();
}

function serve() {
  const database = new Database(process.env.FEED_DATABASE);
  // The settings that Postly's database has too.
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("busy_timeout = 30000");
  const shown = `SELECT posts.id, users.username AS author, title, excerpt, votes, published_at
    FROM posts JOIN users ON users.id = posts.user_id`;
  const newest = database.prepare(`${shown} ORDER BY published_at DESC, posts.id DESC LIMIT 20`);
  const one = database.prepare(`${shown} WHERE posts.id = ?`);
  const insert = database.prepare(`INSERT INTO posts (user_id, title, content, excerpt, votes, published_at)
    VALUES (1, ?, ?, ?, 0, ?)`);

  const item = {
    type: "object",
    properties: {
      id: { type: "integer" },
      author: { type: "string" },
      title: { type: "string" },
      excerpt: { type: "string" },
      votes: { type: "integer" },
      published_at: { type: "string" },
    },
  };
  const page = { type: "object", properties: { items: { type: "array", items: item } } };
  const body = {
    type: "object",
    required: ["title", "content"],
    properties: { title: { type: "string" }, content: { type: "string" } },
  };

  const app = fastify();
  app.get("/posts", { schema: { response: { 200: page } } }, async () => ({ items: newest.all() }));
  app.post("/posts", { schema: { body, response: { 201: item } } }, async (request, reply) => {
    const { title, content } = request.body;
    const { lastInsertRowid } = insert.run(title, content, content.slice(0, 200), new Date().toISOString());
    reply.code(201);
    return one.get(lastInsertRowid);
  });
  app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
}
