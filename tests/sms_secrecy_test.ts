/**
 * What messages say, and providers' secrets, can't be read in what lies on the disk.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { systemNetwork } from "../src/net/mod.ts";
import { encodeText } from "../src/protocol/cmpp/mod.ts";
import { SpClient } from "../src/sp_client/mod.ts";
import { realDeps, testPlatform } from "./support/platform.ts";

const SP = { spId: "900001", secret: "hunter2-hunter2", spCode: "10658888" };
const WORDS = {
  ascii: "the-code-is-471147114711",
  ucs2: "您的验证码是四七一一",
  gbk: "您的订单已经发货了",
  mo: "quit-quit-quit-quit",
};

Deno.test("neither contents nor secrets are readable in any file of the data folder, before and after a stop", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-secrecy-" }),
    local = { host: "127.0.0.1", port: 0 };
  const platform = await testPlatform({
    dataDir,
    settings: { services: ["sms"], sms: { listen: local, short: local, gatewayCode: "001001" } },
  });
  await platform.call("POST", "/api/v1/sms/accounts", SP);
  {
    const deps = realDeps();
    await using sp = new SpClient({ ...deps, network: systemNetwork(deps) }, {
      server: { host: "127.0.0.1", port: platform.ports.sms! },
      ...SP,
    });
    for (const [text, fmt] of [[WORDS.ascii, 0], [WORDS.ucs2, 8], [WORDS.gbk, 15]] as const) {
      const sent = await sp.sendText({ to: ["13800138000"], text, fmt, from: SP.spCode, report: true });
      assertEquals((await sp.reports(sent)).map(({ Stat }) => Stat), ["DELIVRD"]);
    }
  }
  // Nobody is there to take it: it waits on the disk.
  await platform.call("POST", "/api/v1/sms/simulator/mo", {
    from: "13800138000",
    to: SP.spCode,
    text: WORDS.mo,
  });
  const needles: [string, Uint8Array][] = [
    ["the secret", encodeText(SP.secret, 0)],
    ["ASCII", encodeText(WORDS.ascii, 0)],
    ["UCS2", encodeText(WORDS.ucs2, 8)],
    ["GBK", encodeText(WORDS.gbk, 15)],
    ["UTF-8", new TextEncoder().encode(WORDS.ucs2)],
    ["a phone's", encodeText(WORDS.mo, 0)],
  ];
  await look(dataDir, needles, "13800138000");
  await platform.call("GET", "/api/v1/sms/messages"); // the tables are up to date now
  await look(dataDir, needles, "13800138000");
  await platform[Symbol.asyncDispose]();
  await look(dataDir, needles, "13800138000");
  await Deno.remove(dataDir, { recursive: true });
});

/** Looks through all files for all needles; `visible` has to be found, else this would find nothing ever. */
async function look(dir: string, needles: readonly [string, Uint8Array][], visible: string): Promise<void> {
  let seen = false;
  for (const name of await files(dir)) {
    const text = latin1(await Deno.readFile(name));
    for (const [what, needle] of needles) {
      assert(!text.includes(latin1(needle)), `${what} is readable in ${name}`);
    }
    seen ||= text.includes(visible);
  }
  assert(seen, `"${visible}" is in no file: nothing was looked at`);
}

async function files(dir: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(dir)) {
    if (isFile) found.push(`${dir}/${name}`);
    if (isDirectory) found.push(...await files(`${dir}/${name}`));
  }
  return found;
}

function latin1(octets: Uint8Array): string {
  return new TextDecoder("latin1").decode(octets);
}
