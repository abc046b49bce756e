// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Builds the Debian package from an executable that was built before.
 *
 * `deno run --allow-read --allow-write --allow-run=dpkg-deb --allow-env=SOURCE_DATE_EPOCH,DEBFULLNAME,DEBEMAIL scripts/package/deb.ts
 * [--binary FILE] [--arch amd64|arm64] [--output DIR]`; the same inputs make the same package, byte by byte, where
 * SOURCE_DATE_EPOCH is set. DEBFULLNAME and DEBEMAIL say who builds it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };

/** What is built. */
export interface DebOptions {
  /** The executable. */
  readonly binary: string;
  readonly arch: "amd64" | "arm64";
  /** The folder that gets the package. */
  readonly output: string;
  /** Seconds since 1970 that every file in it is dated with. */
  readonly epoch: number;
  /** Who builds it, `Name <address>`. */
  readonly maintainer: string;
}

const HERE = fromFileUrl(new URL(".", import.meta.url));

/** Where each file goes, and its mode. */
const FILES: readonly (readonly [source: string, target: string, mode: number])[] = [
  ["gatehouse-gateway.service", "usr/lib/systemd/system/gatehouse-gateway.service", 0o644],
  ["gatehouse-platform.service", "usr/lib/systemd/system/gatehouse-platform.service", 0o644],
  ["sysusers.conf", "usr/lib/sysusers.d/gatehouse.conf", 0o644],
  ["tmpfiles.conf", "usr/lib/tmpfiles.d/gatehouse.conf", 0o644],
  ["polkit.rules", "usr/share/polkit-1/rules.d/60-gatehouse.rules", 0o644],
  ["udev.rules", "usr/lib/udev/rules.d/60-gatehouse.rules", 0o644],
  ["gateway.toml", "etc/gatehouse/gateway.toml", 0o644],
  ["platform.toml", "etc/gatehouse/platform.toml", 0o644],
  ["postinst", "DEBIAN/postinst", 0o755],
  ["prerm", "DEBIAN/prerm", 0o755],
  ["postrm", "DEBIAN/postrm", 0o755],
];
const CONFFILES = ["/etc/gatehouse/gateway.toml", "/etc/gatehouse/platform.toml"];

/** Builds the package; its path. Throws where the executable is not there or `dpkg-deb` fails. */
export async function buildDeb({ binary, arch, output, epoch, maintainer }: DebOptions): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "gatehouse-deb-" });
  try {
    const put = async (target: string, content: Uint8Array | string, mode: number) => {
      const path = join(root, target);
      await Deno.mkdir(join(path, ".."), { recursive: true, mode: 0o755 });
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      await Deno.chmod(path, mode);
    };
    await put("usr/bin/gatehouse", await Deno.readFile(binary), 0o755);
    for (const [source, target, mode] of FILES) {
      await put(target, await Deno.readFile(join(HERE, source)), mode);
    }
    await put(
      "usr/share/man/man1/gatehouse.1.gz",
      await gzip(await Deno.readFile(join(HERE, "gatehouse.1"))),
      0o644,
    );
    await put("usr/share/doc/gatehouse/changelog.gz", await gzip(changelog(epoch, maintainer)), 0o644);
    await put("usr/share/doc/gatehouse/copyright", COPYRIGHT, 0o644);
    await put("DEBIAN/conffiles", CONFFILES.join("\n") + "\n", 0o644);
    await put("DEBIAN/control", control(arch, maintainer, await sizeKiB(root)), 0o644);
    await settle(root, epoch);
    const target = join(output, `gatehouse_${config.version}_${arch}.deb`);
    await Deno.mkdir(output, { recursive: true });
    const { code, stderr } = await new Deno.Command("dpkg-deb", {
      args: ["--root-owner-group", "-Zxz", "-z3", "--build", root, target],
      env: { SOURCE_DATE_EPOCH: String(epoch) },
      stdin: "null",
    }).output();
    if (code !== 0) throw new Error(`dpkg-deb: ${new TextDecoder().decode(stderr).trim()}`);
    return target;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function control(arch: string, maintainer: string, installedKiB: number): string {
  return `Package: gatehouse
Version: ${config.version}
Architecture: ${arch}
Maintainer: ${maintainer}
Installed-Size: ${installedKiB}
Depends: adduser, libc6 (>= 2.31)
Recommends: iproute2, iputils-ping, nftables
Suggests: dnsmasq, ethtool, hostapd, iw, polkitd, traceroute
Section: net
Priority: optional
Description: agent of a home gateway, and the carrier's platform
 As a gateway it registers at a platform, answers a phone app on the LAN, and
 runs plug-ins in a sandbox. As a platform it registers gateways, commands
 them, and serves operators and phone apps over HTTP.
 .
 Neither role starts by itself: write its file in /etc/gatehouse, then enable
 gatehouse-gateway.service or gatehouse-platform.service.
`;
}

const COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: gatehouse

Files: *
Copyright: 2026 the Gatehouse maintainers
License: unspecified
 No license was given yet. Ask the maintainers before you pass this package on.
`;

function changelog(epoch: number, maintainer: string): Uint8Array<ArrayBuffer> {
  const date = new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
  return new TextEncoder().encode(
    `gatehouse (${config.version}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n` +
      ` -- ${maintainer}  ${date}\n`,
  );
}

/** Without a time in it, so that the same content gives the same bytes. */
async function gzip(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { gzipSync } = await import("fflate");
  return gzipSync(content, { level: 9, mtime: 0 });
}

async function sizeKiB(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { path, isFile } of walk(folder)) if (isFile) bytes += (await Deno.stat(path)).size;
  return Math.ceil(bytes / 1024);
}

/** Gives every folder its mode, and everything the same time. */
async function settle(root: string, epoch: number): Promise<void> {
  for await (const { path, isFile } of walk(root)) {
    if (!isFile) await Deno.chmod(path, 0o755);
    await Deno.utime(path, epoch, epoch);
  }
  await Deno.chmod(root, 0o755);
  await Deno.utime(root, epoch, epoch);
}

async function* walk(folder: string): AsyncGenerator<{ path: string; isFile: boolean }> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (!isFile) yield* walk(path);
    yield { path, isFile };
  }
}

if (import.meta.main) {
  const options = parseArgs(Deno.args, {
    string: ["binary", "arch", "output"],
    default: {
      binary: "dist/gatehouse",
      arch: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
      output: "dist",
    },
    unknown: (name: string) => fail(`unknown option "${name}": --binary, --arch and --output are allowed`),
  });
  const { binary, arch, output } = options as { binary: string; arch: string; output: string };
  if (arch !== "amd64" && arch !== "arm64") fail(`--arch "${arch}" is not allowed: amd64 or arm64 is`);
  const epoch = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? Math.floor(Date.now() / 1000));
  if (!Number.isInteger(epoch)) fail("SOURCE_DATE_EPOCH must be a number of seconds");
  const name = Deno.env.get("DEBFULLNAME") ?? "Gatehouse maintainers";
  const maintainer = `${name} <${Deno.env.get("DEBEMAIL") ?? "gatehouse@localhost"}>`;
  try {
    console.log(await buildDeb({ binary, arch, output, epoch, maintainer }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      fail(`"${binary}" is not there, or dpkg-deb is not: run "deno task compile" first, on a Debian system`);
    }
    throw error;
  }
}

function fail(message: string): never {
  console.error(`deb: ${message}`);
  Deno.exit(2);
}
