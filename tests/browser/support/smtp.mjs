// A mail server for tests: `node smtp.mjs take|hang|drop`. Prints its port, then one line of JSON for
// each mail that it accepts.
import { createServer } from "node:net";
import { SMTPServer } from "smtp-server";

/** Decodes quoted-printable (RFC 2045 §6.7). */
function decode(raw) {
  const joined = raw.toString("latin1").replace(/=\r\n/g, "");
  const bytes = joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const mode = process.argv[2];
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
let server;
if (mode === "hang") {
  // Accepts the connection and never answers.
  server = createServer((socket) => {
    print({ connected: true });
    socket.on("error", () => {});
  });
} else {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onData(stream, session, done) {
      if (mode === "drop") {
        print({ dropped: true });
        for (const connection of server.connections) connection._socket.destroy();
        return;
      }
      const chunks = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("end", () => {
        print({ to: session.envelope.rcptTo.map((one) => one.address), raw: decode(Buffer.concat(chunks)) });
        done();
      });
    },
  });
  server.on("error", () => {});
}
const listener = server.listen(Number(process.argv[3] ?? 0), "127.0.0.1", () => print({ port: listener.address().port }));
// Exits when the test that started it exits.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
