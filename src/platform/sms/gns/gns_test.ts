/**
 * Messages between gateways that ask a name server, and how they learn what is new there.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { CODE } from "../testing_stage.ts";
import { Gateways, type Node, PEER_SECRET, PlayedGateway } from "../peer/testing_gateways.ts";
import { gateway, GNS, moRoute, MT, mtRoute, nameServer } from "./testing.ts";

const way = async (node: Node, number: string, kind = "mt") =>
  (await node.ask("GET", `/api/v1/sms/routes/way?kind=${kind}&number=${number}`)).way;

Deno.test("messages and phones' messages find their gateways by what the name server says", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const a = await gateway(stage, server, "001001"), b = await gateway(stage, server, "002001");
  await a.peer(b);
  await b.peer(a);
  await mtRoute(server, "1390000", b, "1399999");
  await mtRoute(server, "1380000", a, "1389999");
  await moRoute(server, CODE, a);
  await stage.settle();
  const sp = await a.provider();
  const far = await stage.submit(sp, { Dest_terminal_Id: ["8613900139000"] });
  const near = await stage.submit(sp, { Dest_terminal_Id: ["13800138000"] });
  await stage.settle();
  assertEquals(sp.reports().map(({ id }) => id).sort(), [far.Msg_Id, near.Msg_Id].sort());
  assertEquals((await b.ask("GET", "/api/v1/sms/messages")).items.length, 1);
  b.simulator.injectMo("13900139000", CODE, "hello");
  await stage.settle();
  assertEquals(sp.all("DELIVER").filter((d) => d.Registered_Delivery === 0).length, 1);
});

Deno.test("a number that the name server has no route for is refused with 72; it counts for a while, then is asked again", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const a = await gateway(stage, server, "001001", { tell: false });
  const sp = await a.provider();
  const first = await stage.submit(sp, { Dest_terminal_Id: ["13300133000"] });
  await stage.settle();
  // Taken before it was known that there is no way; from then on it is known at once.
  assertEquals([first.Result, sp.reports()], [0, [{ id: first.Msg_Id, stat: "IA:0072" }]]);
  assertEquals((await stage.submit(sp, { Dest_terminal_Id: ["13300133001"] })).Result, 72);
  await mtRoute(server, "133", { code: "001001", host: a.host });
  assertEquals((await stage.submit(sp, { Dest_terminal_Id: ["13300133001"] })).Result, 72);
  await stage.clock.advance(60_000);
  await stage.settle();
  assertEquals((await stage.submit(sp, { Dest_terminal_Id: ["13300133001"] })).Result, 0);
});

Deno.test("a route that changes at the name server is told to gateways, and the next message goes the new way", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const [a, b, c] = [
    await gateway(stage, server, "001001"),
    await gateway(stage, server, "002001"),
    await gateway(stage, server, "003001"),
  ];
  for (const one of [a, b, c]) for (const other of [a, b, c]) if (one !== other) await one.peer(other);
  const { routeId } = await mtRoute(server, "1390013", b);
  await mtRoute(server, "1370013", c);
  await stage.settle();
  assertEquals([await way(a, "13900139000"), await way(a, "13700137000")], ["002001", "003001"]);
  const sp = await a.provider();
  let sent = 0;
  for (let i = 0; i < 20; i++) {
    await stage.submit(sp, { Dest_terminal_Id: [`1390013900${i % 10}`] });
    sent++;
    if (i !== 9) continue;
    await server.ask("PUT", `/api/v1/gns/routes/mt/${routeId}`, {
      ...MT,
      startId: "1390013",
      endId: "1390013",
      destinationId: "003001",
      gatewayIp: c.host,
    });
    await stage.settle();
  }
  await stage.settle();
  const there = async (node: Node) => (await node.ask("GET", "/api/v1/sms/messages")).items.length;
  assertEquals([await there(b), await there(c)], [10, 10]);
  assertEquals(new Set(sp.reports().map(({ id }) => id)).size, sent);
  assert(sp.reports().every(({ stat }) => stat === "DELIVRD"));
  await server.ask("DELETE", `/api/v1/gns/routes/mt/${routeId}`);
  await stage.settle();
  assertEquals((await a.ask("GET", "/api/v1/sms/routes?kind=mt")).items.length, 1);
});

Deno.test("while the name server is away what it told is used; what it never told waits for it", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const a = await gateway(stage, server, "001001");
  const b = await gateway(stage, server, "002001");
  await a.peer(b);
  await b.peer(a);
  await mtRoute(server, "1390013", b);
  await stage.settle();
  await server.stop();
  await a.stop();
  await a.start();
  const sp = await a.provider();
  await stage.clock.advance(10_000); // the other gateway comes back too
  await stage.settle();
  const known = await stage.submit(sp, { Dest_terminal_Id: ["13900139000"] });
  await stage.settle();
  assertEquals(sp.reports(), [{ id: known.Msg_Id, stat: "DELIVRD" }]);
  assertEquals(await way(a, "13500135000"), "unknown");
  const ids = [];
  for (let i = 0; i < 3; i++) {
    ids.push((await stage.submit(sp, { Dest_terminal_Id: ["13500135000"] })).Msg_Id);
  }
  await stage.settle();
  assertEquals(sp.reports().length, 1);
  await server.start();
  await mtRoute(server, "135", b);
  await stage.clock.advance(40_000);
  await stage.settle(12);
  assertEquals(sp.reports().slice(1).map(({ id }) => id), ids);
});

Deno.test("a change that was missed is told later, in order and over a restart of the name server; a removed route goes", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const a = await gateway(stage, server, "001001");
  const to = { code: "002001", host: "10.0.0.9" };
  const routes = async () =>
    (await a.ask("GET", "/api/v1/sms/routes?kind=mt")).items.map((r: { first: string }) => r.first);
  await mtRoute(server, "1390000", to);
  await stage.settle();
  assertEquals(await routes(), ["1390000"]);
  // Who connects in this network comes from there.
  stage.network.cut("127.0.0.1", a.host);
  await mtRoute(server, "1390001", to);
  await server.ask("DELETE", "/api/v1/gns/routes/mt/0");
  await mtRoute(server, "1390002", to);
  await stage.settle();
  assertEquals(await routes(), ["1390000"]);
  await server.stop();
  stage.network.heal();
  await server.start();
  await stage.clock.advance(70_000);
  await stage.settle();
  assertEquals(await routes(), ["1390001", "1390002"]);
  const [known] = (await server.ask("GET", "/api/v1/gns/gateways")).items;
  assertEquals(known.told, 4);
});

Deno.test("a push is taken from the name server alone, and an older one than what is here is answered 6", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const a = await gateway(stage, server, "001001");
  const push = (Time_stamp: string, Destination_Id = "002001", Update_type = 0) => ({
    command: "PUSH_MT_ROUTE_UPDATE" as const,
    Update_type,
    Route_Id: 7,
    Destination_Id,
    Gateway_IP: "10.0.0.2",
    Gateway_port: 7930,
    Start_Id: "1390013",
    End_Id: "1390013",
    Area_code: "",
    User_type: 0,
    Time_stamp,
  });
  const result = async (message: ReturnType<typeof push>, as = GNS.code) => {
    const told = await PlayedGateway.connect(stage, a, as, { port: 9168 });
    told.send({ ...message, sequence: told.next() });
    await stage.settle();
    return told.all("PUSH_MT_ROUTE_UPDATE_RESP")[0]?.Result;
  };
  assertEquals(await result(push("20261123120000")), 0);
  assertEquals(await result(push("20261123115959", "003001")), 6);
  assertEquals(await result(push("20261123120001", "nobody")), 5);
  assertEquals(await result(push("20261123120001", "003001", 9)), 5);
  assertEquals(await way(a, "13900139000"), "002001");
  // Who is not the name server is not let in.
  assertEquals(await result(push("20261123130000", "003001"), "002001"), undefined);
  assertEquals(await result(push("20261123120002", "003001", 2)), 0);
  assertEquals(await way(a, "13900139000"), "003001");
});

Deno.test("a whole table of many pages is taken over by a gateway that is never told, and what is gone goes with the next", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const to = { code: "002001", host: "10.0.0.9" };
  for (let i = 0; i < 620; i++) await mtRoute(server, String(1_390_000 + i), to);
  const a = await gateway(stage, server, "001001", { tell: false });
  const refresh = async () => {
    let done = false;
    const asked = a.ask("POST", "/api/v1/sms/name-server/refresh").finally(() => done = true);
    while (!done) await stage.settle(1);
    return await asked;
  };
  assertEquals((await refresh()).lastError, null);
  const count = async () => {
    let count = 0;
    for (let next: string | undefined = ""; next !== undefined;) {
      const page: { items: unknown[]; next?: string } = await a.ask(
        "GET",
        `/api/v1/sms/routes?limit=500${next && `&cursor=${next}`}`,
      );
      count += page.items.length;
      next = page.next;
    }
    return count;
  };
  assertEquals(await count(), 620);
  for (const id of [0, 400, 619]) await server.ask("DELETE", `/api/v1/gns/routes/mt/${id}`);
  await refresh();
  assertEquals([await count(), await way(a, "13900019999"), await way(a, "13900029999")], [
    617,
    "002001",
    "002001",
  ]);
});

Deno.test("old changes are forgotten once every gateway was told, and numbers go on from the last after a restart", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage, {
    settings: { retentionMs: 3_600_000 },
  });
  for (let i = 0; i < 3; i++) await mtRoute(server, `139${i}`, { code: "002001", host: "10.0.0.9" });
  const changes = async () =>
    (await server.ask("GET", "/api/v1/gns/changes?state=valid")).items.map(({ id }: { id: number }) => id);
  await server.ask("POST", "/api/v1/gns/gateways", {
    code: "001001",
    secret: PEER_SECRET,
    address: "10.0.0.7:9168", // nobody is there
  });
  await mtRoute(server, "1393", { code: "002001", host: "10.0.0.9" });
  await stage.clock.advance(3 * 3_600_000);
  // What came before the gateway was known is not owed to it; what came after is.
  assertEquals(await changes(), [4]);
  await server.ask("DELETE", "/api/v1/gns/gateways/001001");
  await stage.clock.advance(3 * 3_600_000);
  assertEquals(await changes(), [4]);
  await server.stop();
  await server.start();
  assertEquals((await mtRoute(server, "1394", { code: "002001", host: "10.0.0.9" })).routeId, 4);
  assertEquals(await changes(), [4, 5]);
});
