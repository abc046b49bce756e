import { assert, assertEquals } from "@std/assert";
import type { Message } from "../../../protocol/cmpp/mod.ts";
import { CODE } from "../testing_stage.ts";
import { Gateways, type Node, PEER_SECRET, PlayedGateway } from "../peer/testing_gateways.ts";

const GNS = { code: "000001", host: "10.0.0.1" };
const SERVER = { gnsServer: { host: GNS.host, port: 9168 } };
const MT = { kind: "mt", gatewayPort: 7930, areaCode: "0791", userType: 0 };

/** A gateway that asks the name server. */
async function gateway(
  stage: Gateways,
  server: Node,
  code: string,
  trusted = false,
  tell = true,
): Promise<Node> {
  const node = await stage.add(code, { settings: SERVER });
  const secret = PEER_SECRET;
  await server.ask("POST", "/api/v1/gns/gateways", {
    code,
    secret,
    trusted,
    ...(tell ? { address: `${node.host}:9168` } : {}),
  });
  await node.ask("PUT", "/api/v1/sms/name-server", { code: GNS.code, secret });
  await stage.settle();
  return node;
}

const mtRoute = (server: Node, first: string, to: Pick<Node, "code" | "host">, last = first) =>
  server.ask("POST", "/api/v1/gns/routes", {
    ...MT,
    startId: first,
    endId: last,
    destinationId: to.code,
    gatewayIp: to.host,
  });

const moRoute = (server: Node, spCode: string, to: Pick<Node, "code" | "host">) =>
  server.ask("POST", "/api/v1/gns/routes", {
    kind: "mo",
    spCode,
    destinationId: to.code,
    gatewayIp: to.host,
    gatewayPort: 7930,
  });

const way = async (node: Node, number: string, kind = "mt") =>
  (await node.ask("GET", `/api/v1/sms/routes/way?kind=${kind}&number=${number}`)).way;

Deno.test("messages and phones' messages find their gateways by what the name server says", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
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
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
  const a = await gateway(stage, server, "001001", false, false);
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
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
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
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
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
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
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

Deno.test("every question of the protocol has its answer, and every wrong field its own Result", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET, trusted: true });
  const caller = await PlayedGateway.connect(stage, server, "001001", { port: 9168 });
  const ask = async (message: Record<string, unknown>) => {
    const sequence = caller.next();
    caller.send({ ...message, sequence } as Message);
    await stage.settle();
    // deno-lint-ignore no-explicit-any -- answers of different kinds are looked into
    return caller.got.find((one) => one.sequence === sequence) as any;
  };
  const mt = {
    command: "MT_ROUTE_UPDATE",
    Update_type: 0,
    Route_Id: 0,
    Destination_Id: "002001",
    Gateway_IP: "10.0.0.2",
    Gateway_port: 7930,
    Start_Id: "1390013",
    End_Id: "1390015",
    Area_code: "0791",
    User_type: 1,
  };
  const mo = {
    command: "MO_ROUTE_UPDATE",
    Update_type: 0,
    Route_Id: 0,
    Destination_Id: "002001",
    Gateway_IP: "10.0.0.2",
    Gateway_port: 7930,
    SP_Id: "900001",
    SP_Code: CODE,
    SP_AcessType: 0,
    Service_Id: "",
    Start_code: 0,
    End_code: 0,
  };
  // Route_Ids are given from 0 upward, for each kind.
  for (const Route_Id of [0, 1, 2]) {
    const answer = await ask({ ...mt, Start_Id: `139001${Route_Id}`, End_Id: `139001${Route_Id}` });
    assertEquals([answer.Result, answer.Route_Id, answer.Time_stamp.slice(0, 8)], [0, Route_Id, "20261123"]);
  }
  assertEquals((await ask(mo)).Route_Id, 0);
  const wrong: [Record<string, unknown>, number][] = [
    [{ ...mt, Update_type: 3 }, 10],
    [{ ...mt, Update_type: 2, Route_Id: 99 }, 11],
    [{ ...mt, Destination_Id: "x" }, 12],
    [{ ...mt, Gateway_IP: "10.0.0.256" }, 13],
    [{ ...mt, Gateway_port: 0 }, 14],
    [{ ...mt, Start_Id: "139x" }, 15],
    [{ ...mt, End_Id: "1390012" }, 16],
    [{ ...mt, Area_code: "07a" }, 17],
    [{ ...mt, User_type: 3 }, 18],
    [{ ...mo, SP_Id: "9 0" }, 19],
    [{ ...mo, SP_Code: "" }, 20],
    [{ ...mo, SP_AcessType: 2 }, 21],
    [{ ...mo, Service_Id: "a b" }, 22],
    [{ ...mo, Start_code: 5, End_code: 4 }, 24],
  ];
  for (const [message, result] of wrong) {
    assertEquals((await ask(message)).Result, result, JSON.stringify(message));
  }
  const found = await ask({ command: "MT_ROUTE", Source_Id: "001001", Terminal_Id: "8613900119999" });
  assertEquals([found.Result, found.Route_Id, found.Destination_Id, found.Gateway_IP, found.Gateway_port], [
    0,
    1,
    "002001",
    "10.0.0.2",
    7930,
  ]);
  assertEquals([found.Start_Id, found.Area_code, found.User_type], ["1390011", "0791", 1]);
  const none = await ask({ command: "MT_ROUTE", Source_Id: "001001", Terminal_Id: "13300133000" });
  assertEquals(none.Result, 1);
  const another = await ask({ command: "MT_ROUTE", Source_Id: "002001", Terminal_Id: "13900119999" });
  assertEquals(another.Result, 2);
  const sp = { command: "MO_ROUTE", Source_Id: "001001", Service_Id: "", Service_Code: 0 };
  assertEquals((await ask({ ...sp, SP_Code: `${CODE}12` })).SP_Code, CODE);
  assertEquals((await ask({ ...sp, SP_Code: "1" })).Result, 1);
  // The whole table, one by one.
  const get = { command: "GET_MT_ROUTE", Source_Id: "001001", Route_type: "MT" };
  const seen = [];
  for (let last = -1, more = true; more;) {
    const answer = await ask({ ...get, Last_route_Id: last });
    seen.push([answer.Result, answer.Route_Id, answer.Route_number, answer.Route_total]);
    last = answer.Route_Id;
    more = answer.Route_number < answer.Route_total;
  }
  assertEquals(seen, [[0, 0, 1, 3], [0, 1, 2, 3], [0, 2, 3, 3]]);
  assertEquals((await ask({ ...get, Last_route_Id: 2 })).Result, 1);
  assertEquals((await ask({ ...get, Route_type: "XX", Last_route_Id: -1 })).Result, 3);
  const all = { command: "GET_MO_ROUTE", Source_Id: "001001", Route_type: "MO", Last_route_Id: -1 };
  const first = await ask(all);
  assertEquals([first.Result, first.SP_Id, first.SP_Code, first.Route_total], [0, "900001", CODE, 1]);
  // Deleting needs the Route_Id alone, and the number is not given again.
  assertEquals((await ask({ ...mt, Update_type: 1, Route_Id: 2, Destination_Id: "" })).Result, 0);
  assertEquals((await ask({ ...mt, Start_Id: "1390019", End_Id: "1390019" })).Route_Id, 3);
  // What does not belong here ends the connection.
  caller.send({ command: "CANCEL", sequence: 9_999, Msg_Id: 1n });
  await stage.settle();
  assertEquals(caller.all("TERMINATE").length, 1);
});

Deno.test("version 2.0 has one question for both kinds, and its Result 2 on the last route", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET, trusted: true });
  await mtRoute(server, "139001", { code: "002001", host: "10.0.0.2" });
  await mtRoute(server, "139002", { code: "003001", host: "10.0.0.3" });
  const caller = await PlayedGateway.connect(stage, server, "001001", { port: 9168, version: 0x20 });
  for (const Last_route_Id of [-1, 0, 1]) {
    caller.send({
      command: "GET_ROUTE",
      sequence: caller.next(),
      Source_Id: "001001",
      Route_type: "MT",
      Last_route_Id,
    });
  }
  caller.send({
    command: "MT_ROUTE",
    sequence: caller.next(),
    Source_Id: "001001",
    Terminal_Id: "13900213900",
  });
  await stage.settle();
  const answers = caller.all("GET_ROUTE_RESP").map((r) => [r.Result, r.Start_code, r.Destination_Id]);
  assertEquals(answers, [[0, 139001, "002001"], [2, 139002, "003001"], [1, 0, ""]]);
  assertEquals(caller.all("MT_ROUTE_RESP").map((r) => [r.Result, r.Start_Id]), [[0, "139002"]]);
});

Deno.test("what a gateway that is not trusted says of routes waits for an operator, who approves or refuses it", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
  const a = await gateway(stage, server, "001001");
  const caller = await PlayedGateway.connect(stage, server, "001001", { port: 9168 });
  for (const digits of ["1390013", "1390014"]) {
    caller.send({
      command: "MT_ROUTE_UPDATE",
      sequence: caller.next(),
      Update_type: 0,
      Route_Id: 0,
      Destination_Id: "001001",
      Gateway_IP: "10.0.0.2",
      Gateway_port: 7930,
      Start_Id: digits,
      End_Id: digits,
      Area_code: "",
      User_type: 0,
    });
  }
  await stage.settle();
  assertEquals(caller.all("MT_ROUTE_UPDATE_RESP").map((r) => [r.Result, r.Route_Id]), [[0, 0], [0, 1]]);
  assertEquals((await server.ask("GET", "/api/v1/gns/routes?kind=mt")).items, []);
  const waiting = (await server.ask("GET", "/api/v1/gns/changes")).items;
  assertEquals(waiting.map((c: { source: string; startId: string }) => [c.source, c.startId]), [
    ["001001", "1390013"],
    ["001001", "1390014"],
  ]);
  const approved = await server.ask("POST", `/api/v1/gns/changes/${waiting[0].id}/approve`);
  assertEquals([approved.state, approved.decidedBy], ["valid", "admin"]);
  await server.ask("POST", `/api/v1/gns/changes/${waiting[1].id}/refuse`);
  assertEquals((await server.call("POST", `/api/v1/gns/changes/${waiting[1].id}/approve`)).status, 404);
  await stage.settle();
  assertEquals((await server.ask("GET", "/api/v1/gns/changes")).items, []);
  // It has been told to the gateways.
  const told = (await a.ask("GET", "/api/v1/sms/routes")).items;
  assertEquals(told.map((r: { first: string; target: string }) => [r.first, r.target]), [[
    "1390013",
    "001001",
  ]]);
});

Deno.test("a push is taken from the name server alone, and an older one than what is here is answered 6", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
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

Deno.test("wrong secrets at speed close the name server's door for a minute; garbage and strangers are closed", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, {
    gns: true,
    gateway: false,
    settings: { wrongSecretsPerMinute: 3 },
  });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET });
  const status = async (secret: string) => {
    const one = await PlayedGateway.connect(stage, server, "001001", { port: 9168, secret });
    return one.all("CONNECT_RESP")[0]?.Status;
  };
  assertEquals([await status("wrong!"), await status("wrong!"), await status("wrong!")], [3, 3, 3]);
  assertEquals(await status("wrong!"), 3);
  assertEquals(await status(PEER_SECRET), undefined);
  await stage.clock.advance(60_000);
  assertEquals(await status(PEER_SECRET), 0);
  const stranger = await stage.dial({ host: server.host, port: 9168 });
  stranger.run(() => {});
  stranger.send(new Uint8Array([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 1]));
  await stage.settle();
  assertEquals(stranger.open, false);
});

Deno.test("a whole table of many pages is taken over by a gateway that is never told, and what is gone goes with the next", async () => {
  await using stage = new Gateways();
  const server = await stage.add(GNS.code, { gns: true, gateway: false });
  const to = { code: "002001", host: "10.0.0.9" };
  for (let i = 0; i < 620; i++) await mtRoute(server, String(1_390_000 + i), to);
  const a = await gateway(stage, server, "001001", false, false);
  const refresh = async () => {
    const asked = a.ask("POST", "/api/v1/sms/name-server/refresh");
    for (let i = 0; i < 60; i++) await stage.settle();
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
  const server = await stage.add(GNS.code, {
    gns: true,
    gateway: false,
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
