// The plug-in that the demo's operator uploads: a command with a parameter, a capability, and an error of its own.
export const manifest = {
  name: "com.example.umbrella",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Says whether to take an umbrella, and how busy the gateway is while it thinks about it",
  commands: { TAKE_UMBRELLA: { right: "both" } },
  capabilities: ["system.cpu"],
};

export const commands = {
  async TAKE_UMBRELLA(request, host) {
    const percent = Number(request.RainPercent);
    if (!(percent >= 0 && percent <= 100)) throw new Error("RainPercent must be from 0 to 100");
    return { Answer: percent > 40 ? "yes" : "no", CpuPercent: String(await host.system.cpuPercent()) };
  },
};
