/**
 * The Debian package, its units and its settings. The executable is a stand-in here: what it does is tried elsewhere.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/toml";
import { fromFileUrl } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { GATEWAY_SETTINGS, PLATFORM_SETTINGS } from "../../src/cli/settings_table.ts";
import { buildDeb } from "./deb.ts";

const HERE = fromFileUrl(new URL(".", import.meta.url));
const EPOCH = 1_790_000_000, maintainer = "A Builder <builder@gate.example.net>";

async function run(program: string, ...args: string[]): Promise<{ code: number; out: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return { code, out: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/binary`, "#!/bin/sh\necho gatehouse\n");
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the package holds the program, its units, its settings and its page, owned by root", () =>
  inFolder(async (folder) => {
    const options = {
      binary: `${folder}/binary`,
      arch: "amd64",
      output: folder,
      epoch: EPOCH,
      maintainer,
    } as const;
    const deb = await buildDeb(options);
    assertEquals(deb, `${folder}/gatehouse_${config.version}_amd64.deb`);
    const info = (await run("dpkg-deb", "--info", deb)).out;
    for (
      const line of [
        `Version: ${config.version}`,
        "Architecture: amd64",
        "Depends: adduser, libc6",
        maintainer,
      ]
    ) {
      assert(info.includes(line), info);
    }
    const listed = (await run("dpkg-deb", "--contents", deb)).out.trim().split("\n");
    assert(listed.every((line) => line.includes(" root/root ")), "not all of it is root's");
    const modes = new Map(listed.map((line) => [line.split(" ").at(-1)!, line.slice(0, 10)]));
    assertEquals(modes.get("./usr/bin/gatehouse"), "-rwxr-xr-x");
    for (
      const path of [
        "./usr/lib/systemd/system/gatehouse-gateway.service",
        "./usr/lib/systemd/system/gatehouse-platform.service",
        "./usr/lib/sysusers.d/gatehouse.conf",
        "./usr/lib/tmpfiles.d/gatehouse.conf",
        "./usr/share/polkit-1/rules.d/60-gatehouse.rules",
        "./usr/lib/udev/rules.d/60-gatehouse.rules",
        "./etc/gatehouse/gateway.toml",
        "./etc/gatehouse/platform.toml",
        "./usr/share/man/man1/gatehouse.1.gz",
        "./usr/share/doc/gatehouse/copyright",
        "./usr/share/doc/gatehouse/changelog.gz",
      ]
    ) assertEquals(modes.get(path), "-rw-r--r--", path);
    await run("dpkg-deb", "--raw-extract", deb, `${folder}/out`);
    assertEquals((await run(`${folder}/out/usr/bin/gatehouse`)).out, "gatehouse\n");
    assertEquals(
      await Deno.readTextFile(`${folder}/out/DEBIAN/conffiles`),
      "/etc/gatehouse/gateway.toml\n/etc/gatehouse/platform.toml\n",
    );
    for (const script of ["postinst", "prerm", "postrm"]) {
      assertEquals((await run("sh", "-n", `${folder}/out/DEBIAN/${script}`)).code, 0, script);
    }
  }));

Deno.test("the same inputs make the same package", () =>
  inFolder(async (folder) => {
    const build = async (output: string) =>
      await Deno.readFile(
        await buildDeb({ binary: `${folder}/binary`, arch: "arm64", output, epoch: EPOCH, maintainer }),
      );
    assertEquals(await build(`${folder}/a`), await build(`${folder}/b`));
  }));

Deno.test("the settings that are shipped are settings that the program knows", async () => {
  for (const [file, table] of [["gateway", GATEWAY_SETTINGS], ["platform", PLATFORM_SETTINGS]] as const) {
    const text = await Deno.readTextFile(`${HERE}${file}.toml`);
    for (const source of [text, text.replaceAll(/^#(?=[a-z-]+ = )/gm, "")]) {
      for (const name of Object.keys(parse(source))) assert(name in table, `${file}.toml: ${name}`);
    }
  }
});

/** What keeps a fault in the program from being a fault of the box. */
const HARDENING = [
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectControlGroups=yes",
  "RestrictNamespaces=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallFilter=@system-service",
  "User=gatehouse",
  "RestartPreventExitStatus=2",
];

Deno.test("the units are hardened, and systemd takes them where it is there to be asked", () =>
  inFolder(async (folder) => {
    for (const role of ["gateway", "platform"]) {
      const source = `${HERE}gatehouse-${role}.service`,
        lines = (await Deno.readTextFile(source)).split("\n");
      for (const wanted of HARDENING) assert(lines.includes(wanted), `${role}: ${wanted}`);
      assert(lines.some((line) => line.startsWith("CapabilityBoundingSet=")), role);
      const known = await run("sh", "-c", "command -v systemd-analyze").then(({ code }) => code === 0);
      if (!known) continue;
      const unit = `${folder}/gatehouse-${role}.service`;
      const text = lines.join("\n").replaceAll("/usr/bin/gatehouse", `${folder}/binary`);
      await Deno.writeTextFile(unit, text.replaceAll(/^Documentation=.*$/gm, ""));
      await Deno.chmod(`${folder}/binary`, 0o755);
      const { out } = await run("systemd-analyze", "verify", unit);
      assert(!out.includes(`gatehouse-${role}.service`), out);
    }
  }));

Deno.test("polkit lets the agent's user restart dnsmasq, and nobody anything else", async () => {
  const text = await Deno.readTextFile(`${HERE}polkit.rules`);
  type Action = { id: string; lookup(name: string): string };
  type Rule = (action: Action, subject: { user: string }) => string | undefined;
  let rule: Rule | undefined;
  new Function("polkit", text)({ addRule: (one: Rule) => rule = one, Result: { YES: "yes" } });
  const ask = (id: string, unit: string, verb: string, user: string) =>
    rule!({ id, lookup: (name) => name === "unit" ? unit : verb }, { user });
  const manage = "org.freedesktop.systemd1.manage-units";
  assertEquals(ask(manage, "dnsmasq.service", "restart", "gatehouse"), "yes");
  for (
    const [id, unit, verb, user] of [
      [manage, "dnsmasq.service", "stop", "gatehouse"],
      [manage, "ssh.service", "restart", "gatehouse"],
      [manage, "dnsmasq.service", "restart", "nobody"],
      ["org.freedesktop.systemd1.manage-unit-files", "dnsmasq.service", "restart", "gatehouse"],
    ] as const
  ) assertEquals(ask(id, unit, verb, user), undefined, `${id} ${unit} ${verb} ${user}`);
});

Deno.test("however a gateway is started as a service, its memory is bounded in the same way", async () => {
  const found = await Promise.all(
    ["gatehouse-gateway.service", "openwrt/gatehouse.init", "entrypoint.sh"].map(async (file) =>
      /--max-semi-space-size=\d+,--max-old-space-size=\d+/.exec(await Deno.readTextFile(HERE + file))?.[0]
    ),
  );
  assertEquals(new Set(found).size, 1, found.join(" "));
  assert(found[0] !== undefined);
});

Deno.test("on OpenWrt the agent keeps what it has to keep on flash, not below /var", async () => {
  const init = await Deno.readTextFile(`${HERE}openwrt/gatehouse.init`);
  assertEquals((await run("sh", "-n", `${HERE}openwrt/gatehouse.init`)).code, 0);
  // What procd is told, by stand-ins for its functions.
  const script = `procd_open_instance() { :; }; procd_close_instance() { :; }
    procd_set_param() { [ "$1" != command ] || { shift; printf '%s\\n' "$@"; }; }
    mkdir() { :; }
    ${init.replace(/^#!.*$/m, "").replace(/^\t\[ -f .*$/m, "")}
    start_service`;
  const told = (await run("sh", "-c", script)).out.trim().split("\n");
  for (
    const [flag, value] of [["--data", "/etc/gatehouse/data"], ["--plugins", "/etc/gatehouse/data/plugins"]]
  ) {
    assertEquals(told[told.indexOf(flag!) + 1], value, told.join(" "));
  }
});

const root = await run("sh", "-c", "id -u; command -v setpriv; command -v unshare; command -v ip");
const rooted = root.code === 0 && root.out.startsWith("0\n");

Deno.test({
  name: `in a container the gateway's programs have its capabilities without root, and a platform has none${
    rooted ? "" : " (ignored: needs root, setpriv, unshare and ip)"
  }`,
  ignore: !rooted,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const program = `${folder}/program`;
      await Deno.writeTextFile(
        program,
        `#!/bin/sh\nid -u\nsed -n 's/^Cap\\(Amb\\|Bnd\\):.//p' /proc/self/status\n` +
          `ip link set lo up 2>/dev/null && echo made || echo refused\n`,
        { mode: 0o755 },
      );
      const start = async (role: string, drop = "") =>
        (await run(
          "sh",
          "-c",
          `GATEHOUSE_PROGRAM=${program} exec unshare --net ${drop} sh "$0" --role "$1"`,
          `${HERE}entrypoint.sh`,
          role,
        )).out.trim().split("\n");
      const [user, bounding, ambient, made] = await start("gateway");
      assertEquals([user, bounding, ambient, made], ["10001", ...Array(2).fill("0000000000003000"), "made"]);
      assertEquals(await start("platform"), ["10001", ...Array(2).fill("0000000000000000"), "refused"]);
      // A container that was given less starts all the same, and has less.
      const without = "setpriv --bounding-set=-net_admin --inh-caps=-net_admin";
      assertEquals((await start("gateway", without)).slice(1), [
        ...Array(2).fill("0000000000002000"),
        "refused",
      ]);
    }),
});
