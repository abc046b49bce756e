import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { PackageError, type PackageErrorCode } from "./errors.ts";
import { DEFAULT_PACKAGE_LIMITS, type PackageLimits } from "./files.ts";
import { packFolder } from "./folder.ts";
import { packPlugin, signPackage } from "./pack.ts";
import { readPackage } from "./package.ts";
import { checkCode } from "./code.ts";
import { filesOf, freshKey, gzipped, joined, type RawEntry, rawPackage, source } from "./testing.ts";

const MANIFEST = {
  name: "com.example.hello",
  version: "1.0",
  apiVersion: "2026-11-01",
  commands: { HELLO: { right: "both" } },
};
const MANIFEST_ENTRY: RawEntry = { path: "manifest.json", content: JSON.stringify(MANIFEST) };
const CODE_ENTRY: RawEntry = { path: "plugin.js", content: source() };

async function refused(
  promise: Promise<unknown>,
  code: PackageErrorCode,
  words?: string | RegExp,
): Promise<PackageError> {
  const error = await assertRejects(() => promise, PackageError);
  assertEquals(error.code, code, error.message);
  if (words !== undefined) assert(new RegExp(words).test(error.message), error.message);
  return error;
}

function read(entries: readonly RawEntry[], limits: Partial<PackageLimits> = {}) {
  return readPackage(rawPackage(entries), { ...DEFAULT_PACKAGE_LIMITS, ...limits });
}

Deno.test("the same files give the same package, in whatever order they come", async () => {
  const texts = { "plugin.js": source(), "lib/a.js": "export const a = 1;", "icons/one.svg": "<svg/>" };
  const { bytes, plugin } = await packPlugin(filesOf(texts));
  const again = await packPlugin(new Map([...filesOf(texts)].reverse()));
  assertEquals(again.bytes, bytes);
  assertEquals([...plugin.files.keys()], ["manifest.json", "icons/one.svg", "lib/a.js", "plugin.js"]);
  assertEquals(Object.keys(plugin.program.modules).sort(), ["lib/a.js", "plugin.js"]);
  assertEquals(plugin.program.entry, "plugin.js");
  assertEquals({ ...plugin.manifest }, MANIFEST);
  // Pinned: another version of a library must not change what was packed (and signed) before.
  assertEquals(plugin.digest, "cc17fa6807e8624e0dafdae988532770bc5cf9d8d1772c65dd044eb723358f5c");
  assertEquals(plugin.sha256, "303ec8d1b00a308353b0bd2d96a8f6d26401fed3f09da3d5597d65f5a8cc5c29");
});

Deno.test("a package made by hand in the same form is read", async () => {
  const plugin = await read([MANIFEST_ENTRY, CODE_ENTRY]);
  assertEquals(plugin.program.modules["plugin.js"], source());
  assertEquals(plugin.signatures, []);
});

Deno.test("paths that are absolute, leave the folder or trip somebody up are refused", async () => {
  const paths = [
    "/etc/passwd",
    "C:/x.js",
    "../x.js",
    "lib/../../x.js",
    "..",
    "lib/..",
    "./x.js",
    "lib//x.js",
    "lib/",
    ".hidden",
    "lib/.x.js",
    "a b.js",
    "a\\b.js",
    "x\u0001.js",
    "a/b/c/d/e/f/g/h/i.js",
    "~root.js",
  ];
  for (const path of paths) {
    await refused(read([MANIFEST_ENTRY, { path, content: "1" }, CODE_ENTRY]), "path");
    await refused(packPlugin(filesOf({ "plugin.js": source(), [path]: "1" })), "path");
  }
  await refused(read([MANIFEST_ENTRY, { path: "x.js", prefix: "../.." }]), "path", "leaves the folder");
  await refused(packPlugin(filesOf({ "plugin.js": source(), ["x".repeat(101)]: "" })), "path", "longer");
});

Deno.test("links, folders, devices and extended headers are refused", async () => {
  const kinds: [string, PackageErrorCode][] = [
    ["1", "link"],
    ["2", "link"],
    ["3", "link"],
    ["4", "link"],
    ["5", "link"],
    ["6", "link"],
    ["7", "form"],
    ["x", "form"],
    ["g", "form"],
    ["L", "form"],
    ["S", "form"],
    ["\0", "form"],
  ];
  for (const [type, code] of kinds) {
    const link = type === "2" ? "/etc/passwd" : "";
    await refused(read([MANIFEST_ENTRY, { path: "plugin.js", content: source(), type, link }]), code);
  }
  // A regular file with the target of a link is not in the one form.
  await refused(read([MANIFEST_ENTRY, { ...CODE_ENTRY, link: "/etc/passwd" }]), "form");
});

Deno.test("two files of one path are refused, also where only the case differs or one is the other's folder", async () => {
  await refused(read([MANIFEST_ENTRY, CODE_ENTRY, CODE_ENTRY]), "duplicate");
  await refused(read([MANIFEST_ENTRY, { path: "Plugin.js", content: "1" }, CODE_ENTRY]), "duplicate");
  await refused(
    read([MANIFEST_ENTRY, { path: "a", content: "1" }, { path: "a/b.js" }, CODE_ENTRY]),
    "duplicate",
  );
  await refused(read([MANIFEST_ENTRY, { path: "A/b.js" }, { path: "a" }, CODE_ENTRY]), "duplicate");
  await refused(packPlugin(filesOf({ "plugin.js": source(), "plugin.ts": source() })), "duplicate");
});

Deno.test("a file that says it is longer than the archive, and an archive that is longer than it says, are refused", async () => {
  await refused(read([MANIFEST_ENTRY, { ...CODE_ENTRY, size: 1_000_000 }]), "corrupt", "declares 1000000");
  await refused(read([MANIFEST_ENTRY, { ...CODE_ENTRY, size: 8 ** 11 - 1 }]), "corrupt");
  const good = rawPackage([MANIFEST_ENTRY, CODE_ENTRY]);
  const less = good.slice();
  new DataView(less.buffer).setUint32(less.length - 4, 1024, true);
  await refused(readPackage(less), "size", "inflates to more than the 1024");
  const more = good.slice();
  new DataView(more.buffer).setUint32(more.length - 4, 1_000_000, true);
  await refused(readPackage(more), "corrupt");
});

Deno.test("a package over its limits is refused: bytes packed, bytes unpacked, files", async () => {
  await refused(
    readPackage(rawPackage([MANIFEST_ENTRY, CODE_ENTRY]), { ...DEFAULT_PACKAGE_LIMITS, packedBytes: 100 }),
    "size",
  );
  await refused(read([MANIFEST_ENTRY, CODE_ENTRY], { bytes: 2000 }), "size");
  await refused(read([MANIFEST_ENTRY, CODE_ENTRY], { files: 1 }), "files");
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}.txt`, ""]));
  await refused(packPlugin(filesOf({ "plugin.js": source(), ...many })), "files");
  const big = new Map([...filesOf({ "plugin.js": source() }), ["big.bin", new Uint8Array(9 << 20)]]);
  await refused(packPlugin(big), "size");
  const code = filesOf({ "plugin.js": source(), "x.js": "/*" + "x".repeat(1 << 20) + "*/" });
  await refused(packPlugin(code), "size", "bytes of code");
});

Deno.test("an archive that inflates past its limit is dropped early, whatever size it declares", async () => {
  const bomb = gzipped(new Uint8Array(200 << 20));
  assert(bomb.length < 300_000);
  await refused(readPackage(bomb), "size", "declares 209715200");
  // It lies about its size: 4 MiB; the checksum at the end would tell, but by then it would be too late.
  new DataView(bomb.buffer).setUint32(bomb.length - 4, 4 << 20, true);
  const before = Deno.memoryUsage().rss;
  await refused(readPackage(bomb), "size", "inflates to more");
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 64 << 20, `${grown} bytes more in memory`);
});

Deno.test("what is no package, damaged, cut short or followed by something is refused", async () => {
  const good = rawPackage([MANIFEST_ENTRY, CODE_ENTRY]);
  await refused(readPackage(new Uint8Array()), "not_package");
  await refused(readPackage(new TextEncoder().encode(source())), "not_package");
  await refused(
    readPackage(new TextEncoder().encode("PK\x03\x04 a zip archive, for a change")),
    "not_package",
  );
  for (let length = 18; length < good.length; length += 7) {
    const error = await assertRejects(() => readPackage(good.slice(0, length)), PackageError);
    assert(["corrupt", "size"].includes(error.code), error.code);
  }
  const trailing = joined([good.subarray(0, -8), new Uint8Array(5), good.subarray(-8)]);
  await refused(readPackage(trailing), "corrupt");
  await refused(readPackage(joined([good, good])), "corrupt");
  const named = good.slice();
  named[3] = 8; // a file name in the gzip header
  await refused(readPackage(named), "form");
});

Deno.test("an archive in any other form than the one is refused, so that no two unpack to the same files", async () => {
  await refused(read([CODE_ENTRY, MANIFEST_ENTRY]), "form", "order");
  await refused(read([MANIFEST_ENTRY, { ...CODE_ENTRY, mode: "0000755" }]), "form");
  await refused(readPackage(rawPackage([MANIFEST_ENTRY, CODE_ENTRY], new Uint8Array(512))), "form");
  await refused(readPackage(rawPackage([MANIFEST_ENTRY, CODE_ENTRY], new Uint8Array(2048))), "form");
  const tail = new Uint8Array(1024);
  tail[1023] = 1;
  await refused(readPackage(rawPackage([MANIFEST_ENTRY, CODE_ENTRY], tail)), "form");
  await refused(readPackage(gzipped(new Uint8Array(1024))), "manifest");
});

Deno.test("a manifest that is not valid is refused with every fault named by its path", async () => {
  const manifest = {
    name: "-x",
    version: 1,
    apiVersion: "today",
    commands: { "A B": { right: "both" }, C: { right: "everybody" } },
    capabilities: "all",
    limits: { callMs: "5" },
  };
  const content = JSON.stringify(manifest);
  const error = await refused(read([{ path: "manifest.json", content }, CODE_ENTRY]), "manifest");
  assertEquals(error.faults.map((fault) => fault.split(":")[0]).sort(), [
    "manifest.apiVersion",
    "manifest.capabilities",
    "manifest.commands.A B",
    "manifest.commands.C.right",
    "manifest.limits.callMs",
    "manifest.name",
    "manifest.version",
  ]);
  await refused(read([{ path: "manifest.json", content: "{" }, CODE_ENTRY]), "manifest", "not JSON");
  await refused(
    read([{ path: "manifest.json", content: "[".repeat(200) }, CODE_ENTRY]),
    "manifest",
    "nested",
  );
  await refused(
    read([{ path: "manifest.json", content: " ".repeat(70_000) }, CODE_ENTRY]),
    "manifest",
    "larger",
  );
  await refused(read([CODE_ENTRY]), "manifest", 'no "manifest.json"');
  await refused(read([MANIFEST_ENTRY]), "code", 'no "plugin.js"');
  await refused(read([MANIFEST_ENTRY, { path: "plugin.js", content: Uint8Array.of(0xff) }]), "code", "UTF-8");
});

Deno.test("a manifest.json that says other than the code is refused with the paths that differ", async () => {
  const said = { ...MANIFEST, version: "2.0", limits: { callMs: 5 }, capabilities: ["system.cpu"] };
  const files = filesOf({ "manifest.json": JSON.stringify(said), "plugin.js": source() });
  const packed = await refused(packPlugin(files), "mismatch");
  assertEquals(packed.faults.map((fault) => fault.split(":")[0]).sort(), [
    "manifest.capabilities",
    "manifest.limits",
    "manifest.version",
  ]);
  const { files: read } = await readPackage(
    rawPackage([{ path: "manifest.json", content: JSON.stringify(said) }, CODE_ENTRY]),
  );
  await refused(checkCode(read), "mismatch");
  // The order of fields says nothing.
  const turned = JSON.stringify(Object.fromEntries(Object.entries(MANIFEST).reverse()));
  await packPlugin(filesOf({ "manifest.json": turned, "plugin.js": source() }));
});

Deno.test("code that does not parse, or whose manifest can't be read without running it, is refused with its file", async () => {
  await refused(packPlugin(filesOf({ "plugin.js": source(), "lib/x.js": "let = ;" })), "code", '"lib/x.js"');
  await refused(packPlugin(filesOf({ "plugin.js": "export const a = 1;" })), "manifest", '"plugin.js"');
  await refused(packPlugin(filesOf({ "plugin.js": "export const manifest = f();" })), "manifest");
  await refused(packPlugin(filesOf({ "plugin.js": "[".repeat(100_000) })), "code");
  await refused(packPlugin(filesOf({ "plugin.js": "!".repeat(500_000) + "1" })), "code");
});

Deno.test("TypeScript is packed as the JavaScript it becomes, with every line and column in its place", async () => {
  const plugin = `import { greet, type Name } from "./lib/greet.ts";
export const manifest = {
  name: "com.example.ts", version: "1.0", apiVersion: "2026-11-01",
  commands: { HELLO: { right: "both" } },
} as const satisfies Record<string, unknown>;
export const commands = { HELLO: (request: { name: Name }): object => ({ text: greet(request.name!) }) };
`;
  const greet =
    `export type Name = string;\nexport function greet(name: Name): string { return \`hi \${name}\`; }\n`;
  const { plugin: packed } = await packPlugin(
    filesOf({ "plugin.ts": plugin, "lib/greet.ts": greet, "types.d.ts": "declare const x: number;" }),
  );
  assertEquals([...packed.files.keys()], ["manifest.json", "lib/greet.js", "plugin.js"]);
  const code = packed.program.modules["plugin.js"]!;
  assert(code.startsWith(`import { greet`), code);
  assert(code.includes(`from "./lib/greet.js"`), code);
  const lines = (text: string) => text.split("\n").map(({ length }) => length);
  assertEquals(lines(code), lines(plugin));
  assertEquals(code.indexOf("greet(request.name"), plugin.indexOf("greet(request.name"));
  assertEquals(packed.manifest.name, "com.example.ts");
});

Deno.test("TypeScript that is more than types is refused with file, line and column", async () => {
  const error = await refused(
    packPlugin(filesOf({ "plugin.ts": `const a = 1;\n  enum E { A }\n` })),
    "typescript",
    "enum",
  );
  assert(error.message.startsWith('"plugin.ts" line 2, column 3:'), error.message);
});

Deno.test("a folder is packed without tests, declarations and hidden files; links and private keys stop it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/lib`);
    await Deno.writeTextFile(`${dir}/plugin.js`, source());
    await Deno.writeTextFile(`${dir}/lib/a.js`, "export {};");
    for (const name of ["plugin_test.js", "types.d.ts", ".gitignore", "old.ghp"]) {
      await Deno.writeTextFile(`${dir}/${name}`, "nothing to pack");
    }
    const { plugin } = await packFolder(dir);
    assertEquals([...plugin.files.keys()], ["manifest.json", "lib/a.js", "plugin.js"]);
    assertEquals((await packFolder(`${dir}/plugin.js`)).plugin.program.modules["plugin.js"], source());

    await Deno.symlink("/etc/hostname", `${dir}/link.txt`);
    await refused(packFolder(dir), "link");
    await Deno.remove(`${dir}/link.txt`);
    await Deno.writeTextFile(`${dir}/my.key.json`, JSON.stringify({ type: "gatehouse-private-key" }));
    await refused(packFolder(dir), "signature", "private key");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("signing changes neither content nor digest; the same key signs once", async () => {
  const [author, carrier] = [await freshKey("author"), await freshKey("carrier")];
  const plain = await packPlugin(filesOf({ "plugin.js": source() }));
  const once = await signPackage(plain.bytes, author);
  const twice = await signPackage((await signPackage(once.bytes, carrier)).bytes, author);
  assertEquals([once.plugin.digest, twice.plugin.digest], [plain.plugin.digest, plain.plugin.digest]);
  assertEquals(twice.plugin.signatures.map(({ key }) => key), [author.id, carrier.id].sort());
  const together = await packPlugin(filesOf({ "plugin.js": source() }), { keys: [carrier, author] });
  assertEquals(together.bytes, twice.bytes); // Ed25519 is deterministic as well
});

Deno.test("a package that was changed anywhere is refused, or is read as what it was", async () => {
  const key = await freshKey();
  const { bytes, plugin } = await packPlugin(filesOf({ "plugin.js": source(), "a.txt": "asset" }), {
    keys: [key],
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      async (changes) => {
        const changed = bytes.slice();
        for (const [at, by] of changes) changed[at]! ^= by;
        let read;
        try {
          read = await readPackage(changed);
        } catch (error) {
          if (!(error instanceof PackageError)) throw error;
          return;
        }
        // Fields of the gzip header that say nothing: time, flags of the packer, its system.
        assertEquals(read.digest, plugin.digest);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("an archive whose tar was changed anywhere is refused, or has another digest", async () => {
  const { bytes, plugin } = await packPlugin(filesOf({ "plugin.js": source(), "lib/a.js": "export {};" }));
  const tar = new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer(),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(tar.length - 1), fc.nat(255), async (at, byte) => {
      if (tar[at] === byte) return;
      const changed = tar.slice();
      changed[at] = byte;
      try {
        const { digest } = await readPackage(gzipped(changed));
        read++;
        assert(digest !== plugin.digest);
      } catch (error) {
        if (!(error instanceof PackageError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  assert(read > 0, "no change of content was ever read: the property says nothing");
});

Deno.test("random bytes after a gzip header never do more than be refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 10, maxLength: 3000 }), async (noise) => {
      const bytes = joined([Uint8Array.of(0x1f, 0x8b, 8, 0), noise]);
      await assertRejects(() => readPackage(bytes), PackageError);
      await assertRejects(() => readPackage(gzipped(noise)), PackageError);
    }),
    { numRuns: 300 },
  );
});
