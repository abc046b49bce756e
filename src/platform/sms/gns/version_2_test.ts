/**
 * The name server's version 2.0 and answers that are less than the standard asks for, from both sides.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Message } from "../../../protocol/cmpp/mod.ts";
import { CODE } from "../testing_stage.ts";
import {
  Gateways,
  letIn,
  type Node,
  PEER_SECRET,
  PlayedGateway,
  playServer,
} from "../peer/testing_gateways.ts";
import { serveShort } from "./short_link.ts";
import { GNS, knownGateway, MO_ROUTE_UPDATE, mtRoute, nameServer, SERVER, useNameServer } from "./testing.ts";
import { silentLog } from "../../../base/mod.ts";

const TIMES = {
  connectMs: 10_000,
  responseMs: 60_000,
  attempts: 3,
  wrongSecretsPerMinute: 20,
  utcOffsetMinutes: 480,
};
const TO = { code: "002001", host: "10.0.0.2" };
const ADDRESS = { destinationId: TO.code, gatewayIp: TO.host, gatewayPort: 7930 };

const routesOf = async (node: Node) =>
  (await node.ask("GET", "/api/v1/sms/routes")).items.map((r: { first: string; last: string }) =>
    `${r.first}-${r.last}`
  );

/** A name server, and a gateway that may speak only 2.0 with it. */
async function pair(stage: Gateways, tell: boolean): Promise<[Node, Node]> {
  const server = await nameServer(stage);
  return [server, await knownGateway(stage, server, "001001", { version: "2.0", trusted: true, tell })];
}

Deno.test("a question in 2.0 about a segment of seven digits is answered with the six that there is room for", async () => {
  await using stage = new Gateways();
  const [server] = await pair(stage, false);
  await mtRoute(server, "1390013", TO);
  const caller = await PlayedGateway.connect(stage, server, "001001", { port: 9168, version: 0x20 });
  const ask = async (Terminal_Id: string, Source_Id = "001001") => {
    const sequence = caller.next();
    caller.send({ command: "MT_ROUTE", sequence, Source_Id, Terminal_Id });
    await stage.settle();
    return caller.all("MT_ROUTE_RESP").find((one) => one.sequence === sequence)!;
  };
  const answer = await ask("13900139000");
  assertEquals([answer.Result, answer.Destination_Id, answer.Start_Id, answer.End_Id], [
    0,
    "002001",
    "139001",
    "139001",
  ]);
  // 2.0 has no other Result than 1 for whatever is wrong.
  assertEquals([(await ask("13300133000")).Result, (await ask("13900139000", "009001")).Result], [1, 1]);
});

Deno.test("a gateway that may speak only 2.0 is told what 2.0 can say, and nothing behind it waits", async () => {
  await using stage = new Gateways();
  const [server, node] = await pair(stage, true);
  await useNameServer(node, { version: "2.0" });
  await stage.settle();
  await mtRoute(server, "1370010", TO, "1370019");
  const { routeId } = await mtRoute(server, "139001", TO);
  await mtRoute(server, "1380013", TO); // finer than 2.0 can say
  await mtRoute(server, "136001", TO);
  await stage.settle();
  assertEquals(await routesOf(node), ["137001-137001", "139001-139001", "136001-136001"]);
  // A route that grows too fine goes: it is asked for again.
  await server.ask("PUT", `/api/v1/gns/routes/mt/${routeId}`, {
    kind: "mt",
    startId: "1390013",
    endId: "1390013",
    ...ADDRESS,
  });
  await stage.settle();
  assertEquals(await routesOf(node), ["137001-137001", "136001-136001"]);
  const [known] = (await server.ask("GET", "/api/v1/gns/gateways")).items;
  assertEquals(known.told, 5);
});

Deno.test("a change that a gateway refuses again and again is left out in the end, and the next ones are told", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const told: number[] = [], host = "10.0.0.7";
  await using _gateway = serveShort(
    { clock: stage.clock, log: silentLog, metrics: server.metrics },
    stage.network,
    { host, port: 9168 },
    TIMES,
    {
      callerOf: (code) => ({ code, secret: PEER_SECRET, version: 0x30 }),
      answer(_caller, message): Promise<Message | undefined> {
        if (message.command !== "PUSH_MT_ROUTE_UPDATE") return Promise.resolve(undefined);
        const { sequence, Route_Id } = message;
        told.push(Route_Id);
        return Promise.resolve({
          command: "PUSH_MT_ROUTE_UPDATE_RESP",
          sequence,
          Result: Route_Id === 0 ? 5 : 0,
        });
      },
    },
  );
  await server.ask("POST", "/api/v1/gns/gateways", {
    code: "001001",
    secret: PEER_SECRET,
    address: `${host}:9168`,
  });
  await mtRoute(server, "139", TO);
  await mtRoute(server, "138", TO);
  for (let i = 0; i < 12; i++) {
    await stage.settle();
    await stage.clock.advance(60_000);
  }
  assertEquals(told, [...Array(10).fill(0), 1]);
});

Deno.test("a name server that allows 2.0 only is used in 2.0: both tables by GET_ROUTE, questions, and news", async () => {
  await using stage = new Gateways();
  const [server, node] = await pair(stage, false);
  await mtRoute(server, "139001", TO, "139005");
  await mtRoute(server, "1380013", TO); // GET_ROUTE says it as a number: whole
  await mtRoute(server, "0791", TO); // and this one not at all
  await server.ask("POST", "/api/v1/gns/routes", { kind: "mo", spCode: CODE, ...ADDRESS });
  await useNameServer(node);
  await stage.settle();
  // Status 4: it does not speak 3.0.
  const refused = await node.ask("POST", "/api/v1/sms/name-server/refresh");
  assertEquals([refused.refreshedAt, refused.lastError], [null, "CONNECT was answered with Status 4"]);
  const view = await useNameServer(node, { version: "2.0" });
  assertEquals([view.version, view.proveAnswer], ["2.0", false]);
  await stage.settle();
  const taken = await node.ask("POST", "/api/v1/sms/name-server/refresh");
  assertEquals(taken.lastError, null);
  assertEquals(await routesOf(node), [`${CODE}-${CODE}`, "139001-139005", "1380013-1380013"]);
  // Without a Time_stamp the same again is nothing new, and what was removed goes.
  await server.ask("DELETE", "/api/v1/gns/routes/mt/1");
  await stage.clock.advance(1_000);
  await node.ask("POST", "/api/v1/sms/name-server/refresh");
  assertEquals(await routesOf(node), [`${CODE}-${CODE}`, "139001-139005"]);
  await mtRoute(server, "136001", TO);
  const asked = await node.ask("GET", "/api/v1/sms/routes/way?kind=mt&number=13600136000");
  assertEquals(asked.way, "002001");
  const announce = (startId: string) =>
    node.call("POST", "/api/v1/sms/name-server/routes", { kind: "mt", startId, endId: startId, ...ADDRESS });
  assertEquals((await announce("135001")).status, 200);
  const fine = await announce("1350013");
  assertEquals([fine.status, fine.body.code], [422, "unsayable"]);
});

Deno.test("a route of the whole table that can't be one is left out, and those behind it are taken", async () => {
  await using stage = new Gateways();
  const at = { host: "10.0.0.9", port: 9168 };
  const node = await stage.add("001001", { settings: { gnsServer: at } });
  const route = (Route_Id: number, Start_code: number, last: boolean) => ({
    ...{ Route_Id, Destination_Id: "002001", Gateway_IP: "10.0.0.2", Gateway_port: 7930, SP_Code: CODE },
    ...{ Service_Id: "", Start_code, End_code: Start_code, Area_code: "", Result: last ? 2 : 0 },
  });
  await using _server = playServer(stage, at, (message) => {
    const { sequence } = message;
    if (message.command === "CONNECT") return letIn(sequence, 0x20);
    if (message.command !== "GET_ROUTE") return undefined;
    const last = message.Last_route_Id + 1;
    return {
      command: "GET_ROUTE_RESP",
      sequence,
      ...route(last, last === 0 ? 4_000_000_000 : 139_001, last === 1),
    };
  }, { dialect: 2 });
  await useNameServer(node, { version: "2.0" });
  await stage.settle();
  assertEquals((await node.ask("POST", "/api/v1/sms/name-server/refresh")).lastError, null);
  assertEquals((await routesOf(node)).filter((one: string) => one.startsWith("139")), ["139001-139001"]);
});

Deno.test("an answer that can't be made ends its own connection, and nothing else", async () => {
  await using stage = new Gateways();
  const server = await stage.add("001001"), at = { host: "10.0.0.8", port: 9168 };
  await using _server = serveShort(
    { clock: stage.clock, log: silentLog, metrics: server.metrics },
    stage.network,
    at,
    TIMES,
    {
      callerOf: (code) => ({ code, secret: PEER_SECRET, version: 0x30 }),
      answer: ({ code }, { sequence }) =>
        code === "001001"
          ? Promise.reject(new Error("the disk failed"))
          : Promise.resolve({ command: "PUSH_MT_ROUTE_UPDATE_RESP", sequence, Result: 0 }),
    },
  );
  const question = { command: "MT_ROUTE", sequence: 9, Source_Id: "001001", Terminal_Id: "139" } as const;
  const there = { code: "", host: at.host } as Node;
  const [unlucky, other] = [
    await PlayedGateway.connect(stage, there, "001001", { port: at.port }),
    await PlayedGateway.connect(stage, there, "002001", { port: at.port }),
  ];
  for (const one of [unlucky!, other!]) one.send(question);
  await stage.settle();
  assertEquals([unlucky!.all("TERMINATE").length, other!.connection.open], [1, true]);
  assertEquals(other!.all("PUSH_MT_ROUTE_UPDATE_RESP").length, 1);
});

Deno.test("what a name server tells without a Time_stamp is taken, as new as it is here", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const node = await stage.add("001001", { settings: SERVER });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET });
  await useNameServer(node);
  await stage.settle();
  const push = async (Time_stamp: string, Destination_Id: string) => {
    const told = await PlayedGateway.connect(stage, node, GNS.code, { port: 9168 });
    told.send({
      command: "PUSH_MT_ROUTE_UPDATE",
      sequence: told.next(),
      Update_type: 0,
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
    await stage.settle();
    return told.all("PUSH_MT_ROUTE_UPDATE_RESP")[0]?.Result;
  };
  const target = async () => (await node.ask("GET", "/api/v1/sms/routes")).items[0].target;
  assertEquals([await push("", "002001"), await target()], [0, "002001"]);
  assertEquals([await push("20261123115000", "003001"), await target()], [6, "002001"]);
  assertEquals([await push("", "004001"), await target()], [0, "004001"]);
});

Deno.test("a name server must prove its secret where that is asked for; ours does, one without the secret is not used", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
  const node = await stage.add("001001", { settings: SERVER });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET });
  assertEquals((await useNameServer(node, { proveAnswer: true })).proveAnswer, true);
  await stage.settle();
  assertEquals((await node.ask("POST", "/api/v1/sms/name-server/refresh")).lastError, null);
  await server.stop();
  // In its place one that lets everybody in, as it does not know the secret.
  await using _impostor = playServer(
    stage,
    SERVER.gnsServer,
    ({ command, sequence }) => command === "CONNECT" ? letIn(sequence, 0x30) : undefined,
  );
  const refused = await node.ask("POST", "/api/v1/sms/name-server/refresh");
  assertEquals(refused.lastError, "the answer to CONNECT does not prove the secret");
});

Deno.test("a name server that takes no updates is a sub-node: it answers 4 whoever is trusted, and still answers questions", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage, { gnsTakesUpdates: false });
  await server.ask("POST", "/api/v1/gns/gateways", { code: "001001", secret: PEER_SECRET, trusted: true });
  await mtRoute(server, "1390013", TO);
  const caller = await PlayedGateway.connect(stage, server, "001001", { port: 9168 });
  caller.send({
    command: "MT_ROUTE_UPDATE",
    sequence: caller.next(),
    Update_type: 1,
    Route_Id: 0,
    Destination_Id: "",
    Gateway_IP: "",
    Gateway_port: 0,
    Start_Id: "",
    End_Id: "",
    Area_code: "",
    User_type: 0,
  });
  caller.send({ ...MO_ROUTE_UPDATE, sequence: caller.next() });
  caller.send({
    command: "MT_ROUTE",
    sequence: caller.next(),
    Source_Id: "001001",
    Terminal_Id: "13900139000",
  });
  await stage.settle();
  assertEquals(caller.all("MT_ROUTE_UPDATE_RESP").map((r) => [r.Result, r.Route_Id]), [[4, 0]]);
  assertEquals(caller.all("MO_ROUTE_UPDATE_RESP").map((r) => r.Result), [4]);
  assertEquals(caller.all("MT_ROUTE_RESP").map((r) => r.Result), [0]);
});
