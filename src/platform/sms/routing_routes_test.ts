import { assert, assertEquals } from "@std/assert";
import { Gateways, type Node, PEER_SECRET, PlayedGateway } from "./peer/testing_gateways.ts";

const GNS = { code: "000001", host: "10.0.0.1" };

Deno.test("routes are created, changed, listed page by page and removed, with who did it", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await a.route("mt", `13${i}`, "002001")).id);
  const call = (method: string, path: string, body?: unknown) =>
    a.call(method, `/api/v1/sms/routes${path}`, body);
  const pages: string[][] = [];
  for (let next: string | undefined = ""; next !== undefined;) {
    const page: { items: { id: string }[]; next?: string } =
      (await call("GET", `?limit=2${next && `&cursor=${next}`}`)).body;
    pages.push(page.items.map((route) => route.id));
    next = page.next;
  }
  assertEquals(pages.map((page) => page.length), [2, 2, 1]);
  assertEquals(pages.flat().sort(), [...ids].sort());
  const [first] = (await call("GET", "?limit=1")).body.items;
  assertEquals([first.origin, first.updatedBy, first.target, first.last], [
    "operator",
    "admin",
    "002001",
    "130",
  ]);
  const changed = await call("PUT", `/${ids[0]}`, {
    kind: "mt",
    first: "1300",
    last: "1305",
    target: "local",
  });
  assertEquals([changed.status, changed.body.target, changed.body.last], [200, "local", "1305"]);
  assertEquals((await call("GET", "/way?kind=mt&number=8613050000000")).body.way, "local");
  assertEquals((await call("GET", "/way?kind=mt&number=13100000000")).body.way, "002001");
  const refused: [string, string, unknown, number][] = [
    ["POST", "", { kind: "mt", first: "131", target: "local" }, 409],
    ["POST", "", { kind: "mt", first: "131", last: "13", target: "local" }, 400],
    ["POST", "", { kind: "mt", first: "132", last: "131", target: "local" }, 400],
    ["POST", "", { kind: "mt", first: "13x", target: "local" }, 400],
    ["POST", "", { kind: "mt", first: "139", target: "somewhere" }, 400],
    ["PUT", `/${ids[1]}`, { kind: "mo", first: "131", target: "local" }, 409],
    ["PUT", "/mt:nothing", { kind: "mt", first: "131", target: "local" }, 404],
    ["DELETE", "/mt:nothing", undefined, 404],
  ];
  for (const [method, path, body, status] of refused) {
    assertEquals(
      (await call(method, path, body)).status,
      status,
      `${method} ${path} ${JSON.stringify(body)}`,
    );
  }
  assertEquals((await call("DELETE", `/${ids[1]}`)).status, 204);
  assertEquals((await call("GET", "/way?kind=mt&number=13100000000")).body.way, "local");
  // They are there after a restart.
  await a.stop();
  await a.start();
  assertEquals((await a.call("GET", "/api/v1/sms/routes")).body.items.length, 4);
});

Deno.test("a route for every number is the last resort: with a name server it is asked first", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
  const a = await stage.add("001001", { settings: { gnsServer: { host: GNS.host, port: 9168 } } });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET });
  await a.ask("PUT", "/api/v1/sms/name-server", { code: GNS.code, secret: PEER_SECRET });
  await a.route("mt", "", "local");
  const where = { destinationId: "002001", gatewayIp: "10.0.0.9", gatewayPort: 7930 };
  await server.ask("POST", "/api/v1/gns/routes", { kind: "mt", startId: "139", endId: "139", ...where });
  const way = (number: string) => {
    const asked = a.ask("GET", `/api/v1/sms/routes/way?kind=mt&number=${number}`);
    return stage.settle(2).then(() => asked).then(({ way }) => way);
  };
  assertEquals([await way("13900139000"), await way("13300133000")], ["002001", "local"]);
  // What the name server told can't be changed here.
  const [learned] = (await a.ask("GET", "/api/v1/sms/routes?origin=name_server")).items;
  assertEquals((await a.call("DELETE", `/api/v1/sms/routes/${learned.id}`)).status, 409);
});

Deno.test("a gateway tells its name server of a route, which refuses what is none; without one it says so", async () => {
  await using stage = new Gateways();
  // The name server is in the same process as the gateway, and on one port.
  const node: Node = await stage.add("001001", {
    gns: true,
    settings: { gnsServer: { host: "10.0.0.1", port: 9168 } },
  });
  await node.ask("POST", "/api/v1/gns/gateways", {
    code: "001001",
    secret: PEER_SECRET,
    address: "10.0.0.1:9168",
    trusted: true,
  });
  await node.ask("PUT", "/api/v1/sms/name-server", { code: "001001", secret: PEER_SECRET });
  const route = { kind: "mt", startId: "139", endId: "139", destinationId: "002001" };
  const tell = async (body: object) => {
    const asked = node.call("POST", "/api/v1/sms/name-server/routes", body);
    await stage.settle();
    return await asked;
  };
  const where = { gatewayIp: "10.0.0.2", gatewayPort: 7930 };
  const told = await tell({ ...route, ...where });
  assertEquals([told.status, told.body.routeId], [200, 0]);
  await stage.settle();
  // And it comes back as an update for the gateway in the same process.
  const [learned] = (await node.ask("GET", "/api/v1/sms/routes")).items;
  assertEquals([learned.first, learned.target, learned.address], ["139", "002001", "10.0.0.2:7930"]);
  assertEquals((await tell({ ...route, ...where, change: "update", routeId: 7 })).status, 422);
  assertEquals((await tell({ ...route, ...where, change: "delete", routeId: 0 })).status, 200);
  await stage.settle();
  assertEquals((await node.ask("GET", "/api/v1/sms/routes")).items, []);
  const alone = await stage.add("003001");
  assertEquals((await alone.call("GET", "/api/v1/sms/name-server")).status, 409);
});

Deno.test("what waits for a gateway that is away goes another way when its route changes, or it is removed", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  for (const code of ["002001", "003001"]) await a.peer({ code, host: "" }, false);
  const { id } = await a.route("mt", "139", "002001");
  const sp = await a.provider();
  const b = await PlayedGateway.connect(stage, a, "003001");
  const ids = [];
  for (let i = 0; i < 4; i++) {
    ids.push((await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] })).Msg_Id);
  }
  assertEquals((await a.ask("GET", "/api/v1/sms/peers")).items[0].waiting, 4);
  await a.ask("PUT", `/api/v1/sms/routes/${id}`, { kind: "mt", first: "139", target: "003001" });
  await stage.settle();
  assertEquals(b.all("FWD").map(({ Msg_Id }) => Msg_Id), ids);
  assertEquals(b.all("FWD").map(({ Destination_Id }) => Destination_Id), Array(4).fill("003001"));
  // Without the gateway there is no way: its messages end.
  await a.ask("PUT", `/api/v1/sms/routes/${id}`, { kind: "mt", first: "139", target: "002001" });
  const last = await stage.submit(sp, { Dest_terminal_Id: ["13900139001"] });
  assertEquals((await a.call("DELETE", "/api/v1/sms/peers/002001")).status, 204);
  await stage.settle();
  assertEquals(sp.reports(), [{ id: last.Msg_Id, stat: "IA:0072" }]);
});

Deno.test("gateways are created, changed and shown without their secrets; a changed one has to say who it is again", async () => {
  await using stage = new Gateways();
  const a = await stage.add("001001");
  const own = await a.call("POST", "/api/v1/sms/peers", { code: "001001", secret: PEER_SECRET });
  assertEquals(own.status, 409);
  await a.peer({ code: "002001", host: "" }, false, { window: 3 });
  const b = await PlayedGateway.connect(stage, a, "002001");
  const [connection] = (await a.ask("GET", "/api/v1/sms/peers/connections")).items;
  assertEquals([connection.peer, connection.direction, connection.version], ["002001", "in", "3.0"]);
  const shown = (await a.ask("GET", "/api/v1/sms/peers")).items;
  assertEquals([shown[0].code, shown[0].window, shown[0].connected, shown[0].updatedBy], [
    "002001",
    3,
    true,
    "admin",
  ]);
  assert(!JSON.stringify(shown).includes(PEER_SECRET));
  await a.peer({ code: "002001", host: "" }, false, { secret: "another secret" });
  await stage.settle();
  assertEquals(b.all("TERMINATE").length, 1);
  assertEquals((await PlayedGateway.connect(stage, a, "002001")).all("CONNECT_RESP")[0]!.Status, 3);
  assertEquals((await a.call("DELETE", "/api/v1/sms/peers/009001")).status, 404);
});
