// A mail server for tests: `node smtp.mjs MODE PORT [OPTIONS]`. Prints its port, then one line of JSON for
// each event. Modes:
//   take              accepts every mail
//   hang              accepts the connection and never answers
//   drop              hangs up in the middle of a mail
//   swallow           takes the text of a mail and never answers
//   hold              takes the text of a mail and answers when a line arrives on standard input; tells when the
//                     connection is closed
//   refuse-recipient  550 to RCPT
//   refuse-text       554 after the text
//   delay             451 to RCPT
// Recipients at hang.example never get an answer to RCPT, whatever the mode. OPTIONS are those of smtp-server,
// in JSON; `key` and `cert` are files, and `login` requires the password "right".
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { SMTPServer } from "smtp-server";

/** Decodes quoted-printable (RFC 2045 §6.7). */
function decode(raw) {
  const joined = raw.toString("latin1").replace(/=\r\n/g, "");
  const bytes = joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const [mode, port, given] = process.argv.slice(2);
const { login, ...options } = JSON.parse(given ?? "{}");
for (const file of ["key", "cert"]) if (options[file]) options[file] = readFileSync(options[file]);
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const refusal = (responseCode, text) => Object.assign(new Error(text), { responseCode });
const held = [];
let server;
if (mode === "hang") {
  server = createServer((socket) => {
    print({ connected: true });
    socket.on("error", () => {});
  });
} else {
  server = new SMTPServer({
    authOptional: !login,
    // So that a client that sends its password in clear is noticed.
    allowInsecureAuth: true,
    disabledCommands: options.cert ? [] : ["STARTTLS"],
    logger: false,
    onAuth(auth, session, done) {
      print({ password: auth.password, secure: session.secure });
      done(auth.password === "right" ? null : refusal(535, `5.7.8 wrong password ${auth.password}`), { user: auth.username });
    },
    onClose() {
      if (mode === "hold") print({ closed: true });
    },
    onRcptTo(to, session, done) {
      if (to.address.endsWith("@hang.example")) return print({ hanging: to.address });
      if (mode === "refuse-recipient") {
        print({ refused: to.address });
        return done(refusal(550, `5.1.1 <${to.address}>: no such user`));
      }
      if (mode === "delay") {
        print({ delayed: to.address });
        return done(refusal(451, "4.7.1 try again later"));
      }
      done();
    },
    onData(stream, session, done) {
      if (mode === "drop") {
        print({ dropped: true });
        for (const connection of server.connections) connection._socket.destroy();
        return;
      }
      const chunks = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map((one) => one.address);
        print({ to, raw: decode(Buffer.concat(chunks)), hello: session.hostNameAppearsAs, secure: session.secure });
        if (mode === "hold") held.push(done);
        else if (mode === "refuse-text") done(refusal(554, "5.7.1 looks like spam"));
        else if (mode !== "swallow") done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
}
const listener = server.listen(Number(port ?? 0), "127.0.0.1", () => print({ port: listener.address().port }));
process.stdin.on("data", () => held.splice(0).forEach((done) => done()));
// Exits when the test that started it exits.
process.stdin.on("end", () => process.exit(0));
