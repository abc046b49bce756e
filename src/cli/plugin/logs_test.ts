import { assertEquals } from "@std/assert";
import { ControlClient } from "./control_client.ts";
import { printLogs } from "./logs.ts";

Deno.test("a line break in what a plug-in logs begins no line of its own", async () => {
  const text = "fine\n10:00:00.000 INFO  [gateway] is running now\r\u001b[2K\u0085forged";
  const items = [{ time: "2026-11-29T09:30:00.000Z", level: "warn", text }];
  const answer = () => Promise.resolve(Response.json({ items, next: 7 }));
  const api = new ControlClient(new URL("http://127.0.0.1:1"), "token", answer as typeof fetch);
  const printed: string[] = [];
  assertEquals(await printLogs(api, "p", { limit: 10 }, (line) => void printed.push(line)), 7);
  assertEquals(printed.join("\n").split("\n"), [
    "09:30:00.000 WARN  fine",
    "                   10:00:00.000 INFO  [gateway] is running now??[2K?forged",
  ]);
});
