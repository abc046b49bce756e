/**
 * What the name server answers: every question of the protocol, whoever is not trusted, whoever guesses secrets.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Message } from "../../../protocol/cmpp/mod.ts";
import { CODE } from "../testing_stage.ts";
import { Gateways, PEER_SECRET, PlayedGateway } from "../peer/testing_gateways.ts";
import { gateway, MO_ROUTE_UPDATE, mtRoute, nameServer } from "./testing.ts";

Deno.test("every question of the protocol has its answer, and every wrong field its own Result", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage);
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
  // Route_Ids are given from 0 upward, for each kind.
  for (const Route_Id of [0, 1, 2]) {
    const answer = await ask({ ...mt, Start_Id: `139001${Route_Id}`, End_Id: `139001${Route_Id}` });
    assertEquals([answer.Result, answer.Route_Id, answer.Time_stamp.slice(0, 8)], [0, Route_Id, "20261123"]);
  }
  assertEquals((await ask(MO_ROUTE_UPDATE)).Route_Id, 0);
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
    [{ ...MO_ROUTE_UPDATE, SP_Id: "9 0" }, 19],
    [{ ...MO_ROUTE_UPDATE, SP_Code: "" }, 20],
    [{ ...MO_ROUTE_UPDATE, SP_AcessType: 2 }, 21],
    [{ ...MO_ROUTE_UPDATE, Service_Id: "a b" }, 22],
    [{ ...MO_ROUTE_UPDATE, Start_code: 5, End_code: 4 }, 24],
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
  const server = await nameServer(stage);
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
  const server = await nameServer(stage);
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

Deno.test("wrong secrets at speed close the name server's door for a minute; garbage and strangers are closed", async () => {
  await using stage = new Gateways();
  const server = await nameServer(stage, {
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
