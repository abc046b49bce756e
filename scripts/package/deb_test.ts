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
