/**
 * Wireshark's dissector reads our messages: a witness that shares no line with our codec.
 *
 * It knows 3.0 only (it has no widths of 2.0), and of ISMG to GNS nothing. So it is asked about SP to ISMG: in 3.0 for
 * every field, in 2.0 for the headers, and for the messages that are as long there. Our client and our gateway are
 * listened to on the loopback interface where that may be done; what they need not say is made by the codec.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  authenticatorSource,
  commandIdOf,
  encodeMessage,
  encodeReport,
  encodeText,
  type Message,
  splitMessage,
} from "../src/protocol/cmpp/mod.ts";
import { realDeps, testPlatform } from "./support/platform.ts";
import { capture } from "./support/pcap.ts";
import { canListen, hasTshark, listenTo, type Pdu, pdusIn } from "./support/tshark.ts";
import { systemNetwork } from "../src/net/mod.ts";
import { SpClient } from "../src/sp_client/mod.ts";

/** A dissected layer: names to values or to layers. */
interface Fields {
  readonly [name: string]: string | Fields | undefined;
}

const MSG_ID = 0xbb0f22c003e90001n;
const NUMBER = "8613800138000";
const LONG_PART = splitMessage("汉字".repeat(60), 8, { reference: 7 })[0]!;
const SUBMIT = {
  command: "SUBMIT",
  sequence: 3,
  Msg_Id: 0n,
  Pk_total: 1,
  Pk_number: 1,
  Registered_Delivery: 1,
  Msg_level: 0,
  Service_Id: "TEST",
  Fee_UserType: 2,
  Fee_terminal_Id: "",
  Fee_terminal_type: 0,
  TP_pId: 0,
  TP_udhi: 0,
  Msg_Fmt: 8,
  Msg_src: "900001",
  FeeType: "01",
  FeeCode: "10",
  ValId_Time: "",
  At_Time: "",
  Src_Id: "10658888",
  Dest_terminal_Id: [NUMBER, "8613800138001"],
  Dest_terminal_type: 0,
  Msg_Content: encodeText("你好", 8),
  LinkID: "",
} as const;
const DELIVER = {
  command: "DELIVER",
  sequence: 9,
  Msg_Id: MSG_ID,
  Dest_Id: "10658888",
  Service_Id: "TEST",
  TP_pid: 0,
  TP_udhi: 0,
  Msg_Fmt: 0,
  Src_terminal_Id: NUMBER,
  Src_terminal_type: 0,
  Registered_Delivery: 0,
  Msg_Content: encodeText("hello", 0),
  LinkID: "",
} as const;
const REPORT = encodeReport({
  Msg_Id: MSG_ID,
  Stat: "DELIVRD",
  Submit_time: "2611220350",
  Done_time: "2611220351",
  Dest_terminal_Id: NUMBER,
  SMSC_sequence: 5,
}, 3);

/** Every SP-ISMG message, with who sends it. */
const TALK: readonly [fromClient: boolean, Message][] = [
  [true, {
    command: "CONNECT",
    sequence: 1,
    Source_Addr: "900001",
    AuthenticatorSource: authenticatorSource("900001", "888888", 1122035011),
    Version: 0x30,
    Timestamp: 1122035011,
  }],
  [false, {
    command: "CONNECT_RESP",
    sequence: 1,
    Status: 0,
    AuthenticatorISMG: new Uint8Array(16).fill(1),
    Version: 0x30,
  }],
  [true, SUBMIT],
  [false, { command: "SUBMIT_RESP", sequence: 3, Msg_Id: MSG_ID, Result: 0 }],
  [true, { ...SUBMIT, ...LONG_PART, sequence: 4, Dest_terminal_Id: [NUMBER] }],
  [false, { command: "SUBMIT_RESP", sequence: 4, Msg_Id: 0n, Result: 8 }],
  [false, DELIVER],
  [true, { command: "DELIVER_RESP", sequence: 9, Msg_Id: MSG_ID, Result: 0 }],
  [false, { ...DELIVER, sequence: 10, Registered_Delivery: 1, Msg_Content: REPORT }],
  [true, { command: "DELIVER_RESP", sequence: 10, Msg_Id: MSG_ID, Result: 0 }],
  [true, {
    command: "QUERY",
    sequence: 11,
    Time: "20261122",
    Query_Type: 1,
    Query_Code: "TEST",
    Reserve: "",
  }],
  [false, {
    command: "QUERY_RESP",
    sequence: 11,
    Time: "20261122",
    Query_Type: 1,
    Query_Code: "TEST",
    MT_TLMsg: 1,
    MT_Tlusr: 2,
    MT_Scs: 3,
    MT_WT: 4,
    MT_FL: 5,
    MO_Scs: 6,
    MO_WT: 7,
    MO_FL: 8,
  }],
  [true, { command: "CANCEL", sequence: 12, Msg_Id: MSG_ID }],
  [false, { command: "CANCEL_RESP", sequence: 12, Success_Id: 1 }],
  [false, { command: "ACTIVE_TEST", sequence: 13 }],
  [true, { command: "ACTIVE_TEST_RESP", sequence: 13, Reserved: 0 }],
  [true, { command: "TERMINATE", sequence: 14 }],
  [false, { command: "TERMINATE_RESP", sequence: 14 }],
];

Deno.test({
  name: "Wireshark reads every SP-ISMG message without a malformed frame (needs tshark)",
  ignore: !await hasTshark(),
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".pcap" });
    const segments = TALK.map(([fromClient, message]) => ({
      fromClient,
      payload: encodeMessage(message, 3),
    }));
    await Deno.writeFile(file, capture(segments, 7890));
    const { stdout, success } = await new Deno.Command("tshark", {
      args: ["-r", file, "-d", "tcp.port==7890,cmpp", "-T", "json"],
      stderr: "null",
    }).output();
    await Deno.remove(file);
    assert(success);
    const text = new TextDecoder().decode(stdout);
    assert(!/_ws\.malformed|Malformed/.test(text), text);
    const packets = JSON.parse(text) as { _source: { layers: { cmpp?: Fields } } }[];
    const read = packets.map(({ _source: { layers: { cmpp } } }) => cmpp ?? {});
    assertEquals(
      read.map((fields) => [Number(fields["cmpp.Command_Id"]), Number(fields["cmpp.Sequence_Id"])]),
      TALK.map(([, { command, sequence }]) => [commandIdOf(command), sequence]),
    );
    const submit = read[2]!, report = read[8]!["cmpp.deliver.Report"] as Fields;
    assertEquals(
      [
        submit["cmpp.Servicd_Id"],
        submit["cmpp.submit.Msg_src"],
        submit["cmpp.submit.DestUsr_tl"],
        submit["cmpp.submit.Src_Id"],
        submit["cmpp.Msg_Length"],
      ],
      ["TEST", "900001", "2", "10658888", "4"],
    );
    assertEquals(
      [
        report["cmpp.deliver.Report.Status"],
        report["cmpp.deliver.Report.Done_time"],
        report["cmpp.Dest_terminal_Id"],
        report["cmpp.Report.SMSC_sequence"],
        (report["cmpp.Msg_Id_tree"] as Fields)["cmpp.Msg_Id.timestamp"],
      ],
      ["DELIVRD", "2611220351", NUMBER, "5", "11/22 03:50:11"],
    );
  },
});

const SP = { spId: "900001", secret: "888888", spCode: "10658888" };
/** Commands as they stand on the wire, in each direction. */
const SAID = {
  byClient: [
    "CONNECT",
    "SUBMIT",
    "DELIVER_RESP",
    "QUERY",
    "CANCEL",
    "ACTIVE_TEST",
    "ACTIVE_TEST_RESP",
    "TERMINATE",
  ],
  byGateway: [
    "CONNECT_RESP",
    "SUBMIT_RESP",
    "DELIVER",
    "QUERY_RESP",
    "CANCEL_RESP",
    "ACTIVE_TEST",
    "ACTIVE_TEST_RESP",
    "TERMINATE_RESP",
  ],
} as const;
/** Messages of 2.0 that are shorter there: the dissector, which takes them for 3.0, misses their end. */
const SHORTER_IN_2 = ["CONNECT_RESP", "SUBMIT", "SUBMIT_RESP", "DELIVER", "DELIVER_RESP"] as const;

/** Our client and our gateway say to each other whatever they can; gives what was heard of it. */
async function overheard(version: number): Promise<{ pdus: Pdu[]; port: number }> {
  const local = { host: "127.0.0.1", port: 0 };
  await using platform = await testPlatform({
    settings: {
      services: ["sms"],
      // A link that is quiet for a moment is tested.
      sms: { listen: local, short: local, gatewayCode: "001001", activeTestMs: 150 },
    },
  });
  const port = platform.ports.sms!;
  assertEquals((await platform.call("POST", "/api/v1/sms/accounts", SP)).status, 201);
  await using ear = await listenTo(port);
  const deps = realDeps(), texts = Promise.withResolvers<string | undefined>();
  const connect = async (activeTestMs: number) => {
    const client = new SpClient({ ...deps, network: systemNetwork(deps) }, {
      server: { host: "127.0.0.1", port },
      spId: SP.spId,
      secret: SP.secret,
      version,
      activeTestMs,
    }, { onText: ({ text }) => texts.resolve(text) });
    await client.ready;
    return client;
  };
  const quiet = () => new Promise((done) => setTimeout(done, 300));
  {
    await using client = await connect(100);
    const send = (text: string, to: string[], report: boolean, fields = {}) =>
      client.sendText({ to, text, from: SP.spCode, report, serviceId: "TEST", fields });
    await client.reports(await send("hello", [NUMBER], true));
    await client.reports(await send("汉字".repeat(60), [NUMBER], true));
    await send("two", [NUMBER, "8613800138001"], false);
    const [later] = await send("later", [NUMBER], false, { At_Time: "000001000000000R" });
    await client.request({ command: "CANCEL", Msg_Id: later!.msgId });
    await client.request({ command: "QUERY", Time: "20261122", Query_Type: 0, Query_Code: "", Reserve: "" });
    const mo = { from: "13800138000", to: SP.spCode, text: "喂" };
    assertEquals((await platform.call("POST", "/api/v1/sms/simulator/mo", mo)).status, 202);
    assertEquals(await texts.promise, "喂");
    await quiet(); // the client is the first to test the link
  }
  {
    await using _client = await connect(60_000);
    await quiet(); // and here the gateway is
  }
  return { pdus: await pdusIn(await ear.file(), port), port };
}

const heard = (pdus: readonly Pdu[], fromPort: (port: number) => boolean) =>
  new Set(pdus.filter((pdu) => fromPort(pdu.fromPort)).map((pdu) => pdu.commandId));

Deno.test({
  name:
    "Wireshark reads what our client and our gateway say over a real connection (needs tshark that may listen)",
  ignore: !await canListen(),
  async fn() {
    for (const version of [0x30, 0x20]) {
      const { pdus, port } = await overheard(version);
      for (
        const [names, ids] of [
          [SAID.byClient, heard(pdus, (from) => from !== port)],
          [SAID.byGateway, heard(pdus, (from) => from === port)],
        ] as const
      ) {
        for (const name of names) {
          assert(ids.has(commandIdOf(name)), `${name} of ${version.toString(16)} was not heard`);
        }
      }
      const known = version === 0x30 ? [] : SHORTER_IN_2.map((name) => commandIdOf(name));
      const broken = pdus.filter(({ commandId, malformed }) => malformed && !known.includes(commandId));
      assertEquals(broken, []);
      // Requests and responses of each side pair by Sequence_Id, as Wireshark reads it.
      const answered = pdus.filter(({ commandId }) => commandId >= 0x8000_0000);
      for (const { commandId, sequence, fromPort } of answered) {
        assert(
          pdus.some((one) =>
            one.commandId === commandId - 0x8000_0000 && one.sequence === sequence &&
            one.fromPort !== fromPort
          ),
          `${commandId.toString(16)} ${sequence} answers nothing`,
        );
      }
    }
  },
});
