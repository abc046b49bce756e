import { assert, assertEquals, assertRejects } from "@std/assert";
import { PackageError } from "./errors.ts";
import { keyIdOf, makeKeys, readPrivateKey, readPublicKey, signDigest, verifyDigest } from "./signature.ts";

const DIGEST = "ab".repeat(32);

Deno.test("a pair of key files signs and verifies, and the id is the digest of the raw public key", async () => {
  const { id, privateFile, publicFile } = await makeKeys("me");
  const secret = await readPrivateKey(privateFile), known = await readPublicKey(publicFile);
  assertEquals([secret.id, known.id, secret.name, known.name], [id, id, "me", "me"]);
  assertEquals(await keyIdOf(known.publicKey), id);
  const signature = await signDigest(DIGEST, secret);
  assertEquals(await verifyDigest(DIGEST, signature, known.publicKey), true);
  assertEquals(await verifyDigest("cd".repeat(32), signature, known.publicKey), false);
  assertEquals(await verifyDigest(DIGEST, signature, new Uint8Array(32)), false);
  assertEquals(
    await verifyDigest(DIGEST, { key: id, signature: new Uint8Array(64) }, known.publicKey),
    false,
  );
  assertEquals(secret.privateKey.extractable, false);
});

Deno.test("a signature made for something else over the same text does not fit", async () => {
  const { privateFile } = await makeKeys("me");
  const { privateKey, publicKey, id } = await readPrivateKey(privateFile);
  const bare = new Uint8Array(
    await crypto.subtle.sign("Ed25519", privateKey, new TextEncoder().encode(DIGEST)),
  );
  assertEquals(await verifyDigest(DIGEST, { key: id, signature: bare }, publicKey), false);
});

Deno.test("key files whose parts do not belong together are refused, without showing the secret", async () => {
  const [one, two] = [await makeKeys("one"), await makeKeys("two")];
  const mixed = JSON.stringify({
    ...JSON.parse(one.privateFile),
    privateKey: JSON.parse(two.privateFile).privateKey,
  });
  const secret = JSON.parse(two.privateFile).privateKey as string;
  const files = [
    mixed,
    one.privateFile.replace(one.id, two.id),
    one.publicFile,
    "{",
    "null",
    mixed.replace("Ed25519", "RSA"),
  ];
  files.push(one.privateFile.replace(/("privateKey": ")[^"]{10}/, "$1AAAAAAAAAA"));
  files.push(one.privateFile.replace(/("privateKey": ")[^"]{4}/, "$1"));
  for (const text of files) {
    const error = await assertRejects(() => readPrivateKey(text), PackageError);
    assertEquals(error.code, "signature");
    assert(!error.message.includes(secret.slice(20, 40)), error.message);
    assert(
      !error.message.includes((JSON.parse(one.privateFile).privateKey as string).slice(20, 40)),
      error.message,
    );
  }
  await assertRejects(
    () => readPublicKey(one.publicFile.replace(one.id, two.id)),
    PackageError,
    "not that of its key",
  );
  await assertRejects(() => readPublicKey(one.privateFile), PackageError);
});
