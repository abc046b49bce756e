import { assertEquals, assertMatch } from "@std/assert";
import { decodeBase64 } from "@std/encoding";
import { seededRandom, systemRandom } from "../../base/mod.ts";
import { newSecret, signatures } from "./signature.ts";

Deno.test("the example that libraries of Standard Webhooks test themselves with has the signature that they expect", () => {
  const signed = {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
  };
  assertEquals(
    signatures(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], signed),
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

Deno.test("each secret signs, so that a receiver that knows either is content", () => {
  const signed = { id: "msg_1", timestamp: 1, body: "{}" };
  const [one, two] = [newSecret(seededRandom(1)), newSecret(seededRandom(2))];
  const both = signatures([one, two], signed);
  assertEquals(both, `${signatures([one], signed)} ${signatures([two], signed)}`);
  assertMatch(both, /^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
});

Deno.test("a secret is 32 octets in base64 behind its prefix", () => {
  const secret = newSecret(systemRandom);
  assertMatch(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assertEquals(decodeBase64(secret.slice(6)).length, 32);
});
