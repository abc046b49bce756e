/**
 * The first code that runs in every guest, before the plug-in's own: the guest's side of the border.
 *
 * It keeps the built-ins it needs in its closure and never iterates (iterators can be replaced), so a plug-in that
 * tampers with prototypes tampers only with itself. It is given no host function; see `engine.ts`.
 *
 * What it leaves for the host, one line each (JSON text holds no line breaks):
 * `S <call> <json>` returned · `E <call> <json [message, stack]>` threw · `H <seq> <name> <json array>` calls a
 * host function · `L <level> <json string>` logs · `D <lines>` it logged more than it may at once. A command that returns at once and leaves nothing else gives its
 * result alone, which starts with a brace.
 *
 * @module
 */

/** Host calls of one guest that may be unanswered at one time. */
export const OPEN_HOST_CALLS = 64;
/** The longest log line, in UTF-16 units. */
export const LOG_LENGTH = 2048;
/** The longest error message and stack, in UTF-16 units. */
export const ERROR_LENGTH = 1024;

/** Log lines that a guest may leave in one stretch of running; the rest is counted and dropped. */
export const LOGS_AT_ONCE = 100;

/** Source of a function expression: `(…limits) => ({ adopt, admit, invoke, answer, take })`. */
export const GUEST_SOURCE = `(function (jsonLength, openHostCalls, logLength, errorLength, logsAtOnce) {
"use strict";
const { parse, stringify } = JSON;
const { create, freeze, keys } = Object;
const { apply } = Reflect;
const { then } = Promise.prototype;
const { resolve: resolved } = Promise;
const { slice, split } = String.prototype;
const PromiseOf = Promise, ErrorOf = Error, StringOf = String;

let outbox = "", logs = 0;
let commands = create(null), waiting = create(null), open = 0, seq = 0;
let host;

const cut = (text, length) => text.length > length ? apply(slice, text, [0, length]) : text;
const line = (value) => {
  let text;
  try { text = stringify(value); } catch { text = undefined; }
  return typeof text === "string" ? text : "null";
};
const plain = (value) => {
  try { return typeof value === "string" ? value : typeof value === "object" ? line(value) : StringOf(value); }
  catch { return "?"; }
};
const log = (level) => freeze((...parts) => {
  if (++logs > logsAtOnce) return;
  let text = "";
  for (let i = 0; i < parts.length && text.length <= logLength; i++) {
    text += (i ? " " : "") + cut(plain(parts[i]), logLength);
  }
  outbox += "L " + level + " " + line(cut(text, logLength)) + "\\n";
});
const logOf = () => {
  const write = (...parts) => apply(info, undefined, parts);
  write.debug = log("debug"); write.info = info; write.warn = log("warn"); write.error = log("error");
  return freeze(write);
};
const info = log("info");

const textOf = (value) => {
  if (value === undefined || value === null) return "{}";
  const text = stringify(value);
  if (typeof text !== "string" || text[0] !== "{") throw new ErrorOf("the command returned no object");
  if (text.length > jsonLength) throw new ErrorOf("the command returned too much");
  return text;
};
const success = (call, value) => {
  try { outbox += "S " + call + " " + textOf(value) + "\\n"; } catch (error) { failure(call, error); }
};
const failure = (call, error) => {
  let message = "", stack = "";
  try {
    if (typeof error === "object" && error !== null && "message" in error) {
      message = StringOf(error.message);
      stack = StringOf(error.stack ?? "");
    } else message = StringOf(error);
  } catch { message = ""; }
  // Not as an array: its toJSON could be the plug-in's own.
  const told = line(cut(message, errorLength)) + "," + line(cut(stack, errorLength));
  outbox += "E " + call + " [" + told + "]\\n";
};
const hostFunction = (name) => freeze((...args) => new PromiseOf((resolve, reject) => {
  if (open >= openHostCalls) throw new ErrorOf(name + ": too many calls to the host at one time");
  // An argument that was left out, where the plug-in hands on one of its own: JSON would make it null.
  while (args.length > 0 && args[args.length - 1] === undefined) args.length--;
  const text = stringify(args);
  if (text.length > jsonLength) throw new ErrorOf(name + ": the arguments are too long");
  open++;
  waiting[++seq] = { resolve, reject };
  outbox += "H " + seq + " " + name + " " + text + "\\n";
}));

const console = freeze({ log: info, info, debug: log("debug"), warn: log("warn"), error: log("error") });
Object.defineProperty(globalThis, "console", { value: console, writable: true, configurable: true });

const take = () => {
  let text = outbox;
  outbox = "";
  if (logs > logsAtOnce) text += "D " + (logs - logsAtOnce) + "\\n";
  logs = 0;
  return text;
};

return {
  adopt(exported) {
    const names = [];
    const given = exported.commands;
    if (typeof given === "object" && given !== null) {
      const all = keys(given);
      for (let i = 0; i < all.length; i++) {
        const name = all[i], run = given[name];
        if (typeof run !== "function") continue;
        commands[name] = (request, host) => apply(run, given, [request, host]);
        names[names.length] = name;
      }
    }
    const { start, stop, health } = exported;
    if (typeof start === "function") commands["@start"] = (_request, host) => start(host);
    if (typeof stop === "function") commands["@stop"] = (_request, host) => stop(host);
    if (typeof health === "function") commands["@health"] = (_request, host) => health(host);
    return stringify({
      manifest: exported.manifest === undefined ? null : exported.manifest,
      commands: names, start: typeof start === "function", stop: typeof stop === "function",
      health: typeof health === "function",
    });
  },
  admit(text) {
    const made = create(null);
    const functions = parse(text);
    for (let i = 0; i < functions.length; i++) {
      const parts = apply(split, functions[i], ["."]);
      (made[parts[0]] ??= create(null))[parts[1]] = hostFunction(functions[i]);
    }
    const groups = keys(made);
    for (let i = 0; i < groups.length; i++) freeze(made[groups[i]]);
    made.log = logOf();
    host = freeze(made);
    return "";
  },
  invoke(call, command, request) {
    try {
      const run = commands[command];
      if (run === undefined) throw new ErrorOf("no such command");
      const value = run(parse(request), host);
      if (typeof value === "object" && value !== null && typeof value.then === "function") {
        const promise = apply(resolved, PromiseOf, [value]);
        apply(then, promise, [(v) => success(call, v), (e) => failure(call, e)]);
      } else {
        const text = textOf(value);
        if (outbox === "") return text;
        outbox += "S " + call + " " + text + "\\n";
      }
    } catch (error) { failure(call, error); }
    return take();
  },
  answer(id, ok, text) {
    const entry = waiting[id];
    if (entry === undefined) return "";
    delete waiting[id];
    open--;
    const value = parse(text);
    if (ok) entry.resolve(value); else entry.reject(new ErrorOf(value));
    return take();
  },
  take,
};
})`;
