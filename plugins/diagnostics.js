/**
 * Network diagnosis that takes its time: one command begins it, another asks how it went.
 */
export const manifest = {
  name: "diagnostics",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Pings from the gateway",
  author: "Gatehouse",
  commands: {
    PING_DIAG_REQ: { right: "both" },
    GET_PING_RESULT: { right: "both" },
  },
  capabilities: ["network.ping"],
  limits: { memoryMb: 16, callMs: 5000 },
};

let last = { status: "NONE", text: "" };

/** A number in a field that may be absent or empty. */
function number(name, text, usual, min, max) {
  if (text === undefined || text === "") return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${name} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

function summary({ sent, received, minMs, avgMs, maxMs }) {
  const lost = Math.round(100 * (sent - received) / Math.max(1, sent));
  const times = avgMs === undefined ? "" : `, min/avg/max ${minMs}/${avgMs}/${maxMs} ms`;
  return `${sent} sent, ${received} received, ${lost}% lost${times}`;
}

export const commands = {
  /** Begins a ping of `Dest`: `time` requests of `leng` bytes. */
  PING_DIAG_REQ(request, host) {
    const destination = String(request.Dest ?? "");
    if (destination === "") throw new Error("Dest is missing");
    if (last.status === "RUNNING") throw new Error("a ping is running");
    const count = number("time", request.time, 4, 1, 20);
    const size = number("leng", request.leng, 56, 0, 1472);
    const ping = last = { status: "RUNNING", text: "" };
    host.network.ping(destination, { count, size }).then((report) => {
      ping.status = report.received > 0 ? "SUCCESS" : "FAIL";
      ping.text = summary(report);
    }, (error) => {
      ping.status = "FAIL";
      ping.text = error.message;
    });
    return {};
  },

  /** `PingStatus`: NONE, RUNNING, SUCCESS or FAIL. */
  GET_PING_RESULT() {
    return { PingStatus: last.status, PingResult: last.text };
  },
};
