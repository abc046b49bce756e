/**
 * Network diagnosis that takes its time: one command begins it, another asks how it went.
 */
export const manifest = {
  name: "diagnostics",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Pings, traces, download tests and reports from the gateway",
  author: "Gatehouse",
  commands: {
    PING_DIAG_REQ: {
      right: "both",
      fields: [
        { name: "Dest", label: { en: "Destination", zh: "目的地址" }, required: true },
        { name: "time", label: { en: "Requests (1 to 20)", zh: "次数(1 至 20)" }, pattern: "[0-9]{0,2}" },
        { name: "leng", label: { en: "Octets each", zh: "包长(字节)" }, pattern: "[0-9]{0,4}" },
        { name: "WANName", label: { en: "Connection", zh: "WAN 连接" } },
      ],
    },
    GET_PING_RESULT: { right: "both", fields: [] },
    TRACEROUTE_DIAG_REQ: {
      right: "both",
      fields: [
        { name: "Dest", label: { en: "Destination", zh: "目的地址" }, required: true },
        { name: "WANName", label: { en: "Connection", zh: "WAN 连接" } },
      ],
    },
    GET_TRACEROUTE_RESULT: { right: "both", auth: "local" },
    INFORM_DIAG_REQ: { right: "both" },
    HTTP_DOWNLOAD_REQUEST: { right: "both", auth: "local" },
    SET_HTTP_CFG: { right: "both", auth: "local" },
  },
  capabilities: [
    "network.ping",
    "network.traceroute",
    "network.download",
    "network.inform",
    "wan.read",
    "storage",
  ],
  limits: { memoryMb: 16, callMs: 30000 },
};

/** What was begun last, by kind: NONE, RUNNING, SUCCESS or FAIL. */
const last = {
  ping: { status: "NONE", text: "" },
  trace: { status: "NONE", text: "" },
  download: { status: "NONE", text: "" },
};

/** Begins a test of its kind, one at a time, and keeps how it ends. */
function begin(kind, work) {
  if (last[kind].status === "RUNNING") throw new Error("one is running");
  const test = last[kind] = { status: "RUNNING", text: "" };
  work().then(({ ok, ...more }) => {
    Object.assign(test, more, { status: ok ? "SUCCESS" : "FAIL" });
  }, (error) => {
    test.status = "FAIL";
    test.text = error.message;
  });
}

/** A number in a field that may be absent or empty. */
function number(name, text, usual, min, max) {
  if (text === undefined || text === "") return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${name} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

function destinationOf({ Dest }) {
  const destination = String(Dest ?? "");
  if (destination === "") throw new Error("Dest is missing");
  return destination;
}

/** The interface of the connection that `WANName` names; none where it names none. */
async function interfaceOf({ WANName = "" }, host) {
  if (WANName === "") return {};
  const found = (await host.wan.connections()).find((wan) =>
    [wan.name, wan.interface, String(wan.index)].includes(WANName)
  );
  if (!found) throw new Error("there is no such connection");
  return { interface: found.interface };
}

function summary({ sent, received, minMs, avgMs, maxMs }) {
  const lost = Math.round(100 * (sent - received) / Math.max(1, sent));
  const times = avgMs === undefined ? "" : `, min/avg/max ${minMs}/${avgMs}/${maxMs} ms`;
  return `${sent} sent, ${received} received, ${lost}% lost${times}`;
}

export const commands = {
  /** Begins a ping of `Dest`, by the connection `WANName`: `time` requests of `leng` bytes. */
  async PING_DIAG_REQ(request, host) {
    const destination = destinationOf(request);
    const count = number("time", request.time, 4, 1, 20);
    const size = number("leng", request.leng, 56, 0, 1472);
    const out = await interfaceOf(request, host);
    begin("ping", async () => {
      const report = await host.network.ping(destination, { count, size, ...out });
      return { ok: report.received > 0, text: summary(report) };
    });
  },

  GET_PING_RESULT() {
    return { PingStatus: last.ping.status, PingResult: last.ping.text };
  },

  /** Begins to look for the way to `Dest`. */
  async TRACEROUTE_DIAG_REQ(request, host) {
    const destination = destinationOf(request);
    const out = await interfaceOf(request, host);
    begin("trace", async () => {
      const hops = await host.network.traceroute(destination, { maxHops: 20, ...out });
      const lines = hops.map(({ hop, address, ms }) =>
        address === undefined ? `${hop} *` : `${hop} ${address} ${ms} ms`
      );
      return { ok: hops.at(-1)?.address !== undefined, text: lines.join("; ") };
    });
  },

  GET_TRACEROUTE_RESULT() {
    return { TraceStatus: last.trace.status, TraceResult: last.trace.text };
  },

  /** Has the gateway report to its ITMS, and tells how that went. */
  async INFORM_DIAG_REQ(_request, host) {
    const { ok, text } = await host.network.inform();
    return { InformStatus: ok ? "SUCCESS" : "FAIL", InformResult: text };
  },

  /** Where downloads are measured from. */
  async SET_HTTP_CFG({ URL: target }, host) {
    if (typeof target !== "string" || !/^https?:\/\/[^\s]{1,2000}$/.test(target)) {
      throw new Error("URL is no http or https address");
    }
    await host.storage.set("url", target);
  },

  /** `Method`: START begins to measure for `Time` seconds; QUERY, or nothing, tells how it went. Rate in kbit/s. */
  async HTTP_DOWNLOAD_REQUEST({ Method = "", Time }, host) {
    const method = String(Method).toUpperCase();
    if (!["START", "GET", "QUERY", ""].includes(method)) throw new Error("Method is not START or QUERY");
    if (method === "START" || method === "GET") {
      const seconds = number("Time", Time, 10, 1, 30);
      const target = await host.storage.get("url");
      if (typeof target !== "string") throw new Error("no address is set: SET_HTTP_CFG sets one");
      begin("download", async () => {
        const { bytes, rate, seconds: taken } = await host.network.download(target, { seconds });
        return { ok: bytes > 0, text: bytes > 0 ? "" : "nothing came", bytes, rate, taken };
      });
    }
    const { status, text, bytes, rate, taken } = last.download;
    return {
      HttpStatus: status,
      HttpResult: text,
      Rate: rate === undefined ? "" : String(Math.round(rate / 1000)),
      Bytes: bytes === undefined ? "" : String(bytes),
      Time: taken === undefined ? "" : taken.toFixed(2),
    };
  },
};
