import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { systemRandom } from "../../base/mod.ts";
import { Seal, SealError } from "./seal.ts";

Deno.test("what was sealed opens again, also after a restart, and no two seals are alike", async () => {
  const dir = await Deno.makeTempDir();
  const seal = await Seal.open(`${dir}/sms.key`, systemRandom), plain = new TextEncoder().encode("content");
  const one = seal.seal(plain), two = seal.seal(plain);
  assertEquals(one.join() === two.join(), false);
  assertEquals((await Seal.open(`${dir}/sms.key`, systemRandom)).open(one), plain);
  assertEquals(seal.open(seal.seal(new Uint8Array(0))), new Uint8Array(0));
  assertEquals((await Deno.stat(`${dir}/sms.key`)).mode! & 0o777, 0o600);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a changed octet, a cut seal and another key are noticed", async () => {
  const seal = new Seal(systemRandom.bytes(32), systemRandom);
  const sealed = seal.seal(Uint8Array.of(1, 2, 3));
  for (let i = 0; i < sealed.length; i++) {
    const changed = sealed.slice();
    changed[i]! ^= 1;
    assertThrows(() => seal.open(changed), SealError);
  }
  for (const length of [0, 12, 20, sealed.length - 1]) {
    assertThrows(() => seal.open(sealed.slice(0, length)), SealError);
  }
  assertThrows(() => new Seal(systemRandom.bytes(32), systemRandom).open(sealed), SealError);
  const dir = await Deno.makeTempDir();
  await Deno.writeFile(`${dir}/sms.key`, new Uint8Array(5));
  await assertRejects(() => Seal.open(`${dir}/sms.key`, systemRandom), SealError, "5 octets");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a key that could not be written whole, and a process that ended meanwhile, leave no half of one", async () => {
  const dir = await Deno.makeTempDir(), path = `${dir}/sms.key`;
  const { writeFile } = Deno, { write } = Deno.FsFile.prototype;
  const full = (wrote: Promise<unknown>): Promise<never> =>
    wrote.then(() => {
      throw new Error("no space left on device");
    });
  Deno.writeFile = (at, bytes, options) => full(writeFile(at, (bytes as Uint8Array).subarray(0, 5), options));
  Deno.FsFile.prototype.write = function (bytes) {
    return full(write.call(this, bytes.subarray(0, 5)));
  };
  try {
    await assertRejects(() => Seal.open(path, systemRandom), Error, "no space left");
  } finally {
    Deno.writeFile = writeFile;
    Deno.FsFile.prototype.write = write;
  }
  await Seal.open(path, systemRandom);
  assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["sms.key"]);
  await Deno.remove(dir, { recursive: true });
});
