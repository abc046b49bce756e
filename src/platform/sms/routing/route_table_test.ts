import { assertEquals } from "@std/assert";
import { nationalNumber } from "./numbers.ts";
import { RouteTable, type TableRoute } from "./route_table.ts";

const route = (
  id: string,
  first: string,
  last = first,
  rank = 1,
  timeStamp = "20261123000000",
): TableRoute => ({
  id,
  first,
  last,
  rank,
  timeStamp,
});

Deno.test("the longest match wins, then the operator's route, then the newer one", () => {
  const table = new RouteTable();
  table.put(route("all", ""));
  table.put(route("wide", "1380000", "1389999"));
  table.put(route("narrow", "13800138"));
  assertEquals(table.find("13800138000")?.id, "narrow");
  assertEquals(table.find("13800139000")?.id, "wide");
  assertEquals(table.find("13900139000")?.id, "all");
  assertEquals(table.find("138")?.id, "all");
  table.put(route("learned later", "13800138", "13800138", 1, "20261123000001"));
  assertEquals(table.find("13800138000")?.id, "learned later");
  table.put(route("operator", "13800138", "13800138", 2, "20200101000000"));
  assertEquals(table.find("13800138000")?.id, "operator");
  for (const id of ["operator", "learned later", "narrow", "wide", "all"]) {
    assertEquals(table.remove(id), true);
  }
  assertEquals([table.find("13800138000"), table.size, table.remove("all")], [undefined, 0, false]);
});

Deno.test("a wide segment is found behind narrow ones that begin after it and end before the number", () => {
  const table = new RouteTable();
  table.put(route("wide", "1000", "9000"));
  for (let i = 2000; i < 3000; i += 10) table.put(route(String(i), String(i), String(i + 5)));
  assertEquals(table.find("2007")?.id, "wide");
  assertEquals(table.find("8999")?.id, "wide");
  assertEquals(table.find("9001"), undefined);
  table.remove("wide");
  assertEquals(table.find("2007"), undefined);
});

Deno.test("finding a route is what looking through all of them would find", () => {
  let seed = 7;
  const next = (below: number) => (seed = (seed * 1103515245 + 12345) >>> 0) % below;
  const table = new RouteTable(), all: TableRoute[] = [];
  for (let i = 0; i < 300; i++) {
    const length = 1 + next(4), low = next(10 ** length), high = Math.min(10 ** length - 1, low + next(40));
    const text = (n: number) => String(n).padStart(length, "0");
    const one = route(`r${i}`, text(low), text(high), next(2), String(i).padStart(14, "0"));
    if (i % 3 > 0) table.put(one);
    all.push(one);
  }
  // Some one by one, some together, and some that come and go.
  table.putAll(all.filter((_, i) => i % 3 === 0));
  for (const one of all.splice(0, 50)) table.remove(one.id);
  for (let i = 0; i < 500; i++) {
    const number = String(next(10_000)).padStart(4, "0");
    const matching = all.filter(({ first, last }) => {
      const digits = number.slice(0, first.length);
      return digits >= first && digits <= last;
    }).sort((a, b) =>
      b.first.length - a.first.length || b.rank - a.rank || (a.timeStamp < b.timeStamp ? 1 : -1)
    );
    assertEquals(table.find(number)?.id, matching[0]?.id, number);
  }
});

Deno.test("a number is the same with and without its country code", () => {
  for (const written of ["13800138000", "8613800138000", "+8613800138000", "008613800138000"]) {
    assertEquals(nationalNumber(written), "13800138000");
  }
  // Not a country code: too short behind it, or a number of another country.
  assertEquals([nationalNumber("861065"), nationalNumber("+14155550100")], ["861065", "14155550100"]);
});

Deno.test("half a million routes are taken in at once, and found and changed one by one without being looked through", () => {
  const routes: TableRoute[] = [];
  for (let i = 0; i < 500_000; i++) routes.push(route(`r${i}`, String(1_300_000 + i)));
  const table = new RouteTable();
  table.putAll(routes.toReversed());
  assertEquals(table.size, 500_000);
  // A look at every one of them, or a new order, would take minutes here and not a moment.
  for (let i = 0; i < 200_000; i++) assertEquals(table.find(`${1_300_000 + i}0000`)?.id === `r${i}`, true);
  for (let i = 0; i < 1_000; i++) table.put(route(`r${i * 7}`, String(1_300_000 + i * 7), undefined, 2));
  assertEquals(table.find("13000070000")?.rank, 2);
  assertEquals(table.same("1300007", "1300007").length, 1);
});
