import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { decryptWifiPassword, encryptWifiPassword, WifiCipherError } from "./wifi_cipher.ts";

const LOID = "0123456789";

/** What OpenSSL makes of it: another implementation than ours. */
async function openssl(password: string, loid: string): Promise<string> {
  const digest = await run("openssl", ["md5", "-r"], loid);
  const key = new TextEncoder().encode(new TextDecoder().decode(digest).slice(0, 32).toUpperCase()).toHex();
  return (await run("openssl", ["enc", "-aes-256-ecb", "-K", key], password)).toHex().toUpperCase();
}

async function run(program: string, args: string[], input: string): Promise<Uint8Array> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`${program} failed`);
  return stdout;
}

const hasOpenssl =
  await (async () => await new Deno.Command("openssl", { args: ["version"], stdout: "null" }).output())()
    .then(() => true, () => false);

Deno.test("a WiFi password of one block is encrypted as worked out by hand with openssl", async () => {
  const pwd = await encryptWifiPassword("home1234", LOID);
  assertEquals(pwd, "53F5421FCBA524C8372D2ADA1DECA6F1");
  assertEquals(await decryptWifiPassword(pwd, LOID), "home1234");
  assertEquals(
    await encryptWifiPassword("0123456789abcdef", LOID),
    "663A7D3A7EFE1BE79D3AE111BB1A0FBA6506CBEFAFBEA243AEB5EF593486AD46",
  );
});

Deno.test({
  name: "WiFi passwords are encrypted as OpenSSL does",
  ignore: !hasOpenssl,
  async fn() {
    for (const password of ["a", "0123456789abcde", "0123456789abcdef", "密码口令12345678", "x".repeat(63)]) {
      for (const loid of [LOID, "A".repeat(24)]) {
        assertEquals(await encryptWifiPassword(password, loid), await openssl(password, loid));
      }
    }
  },
});

Deno.test("every WiFi password comes back under its LOID", async () => {
  await fc.assert(fc.asyncProperty(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
    fc.string({ minLength: 1, maxLength: 24 }),
    async (password, loid) => {
      const pwd = await encryptWifiPassword(password, loid);
      assertMatch(pwd, /^([0-9A-F]{32})+$/);
      assertEquals(await decryptWifiPassword(pwd.toLowerCase(), loid), password);
    },
  ));
  assertEquals(await encryptWifiPassword("", LOID), "");
  assertEquals(await decryptWifiPassword("", LOID), "");
});

Deno.test("a PWD that is no PWD, or another gateway's, is refused without telling what was in it", async () => {
  const codeOf = async (pwd: string, loid = LOID) =>
    (await assertRejects(() => decryptWifiPassword(pwd, loid), WifiCipherError)).code;
  assertEquals(await codeOf("00"), "hex");
  assertEquals(await codeOf("Z".repeat(32)), "hex");
  assertEquals(await codeOf("0".repeat(32 * 100)), "length");
  assertEquals(await codeOf("0".repeat(32)), "key");
  assertEquals(await codeOf(await encryptWifiPassword("home1234", "another"), LOID), "key");
});
