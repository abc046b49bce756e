import { assertEquals } from "@std/assert";
import { unknownVariables } from "./environment.ts";

Deno.test("a variable that is no setting is told with the nearest one, and never with its value", () => {
  assertEquals(
    unknownVariables({
      GATEHOUSE_NATZ: "nats://user:secret@host",
      GATEHOUSE_HEART_BEAT: "5",
      GATEHOUSE_http: "127.0.0.1:80",
      GATEHOUSE_WHOLLY_ELSE: "1",
    }),
    [
      { variable: "GATEHOUSE_NATZ", didYouMean: "GATEHOUSE_NATS" },
      { variable: "GATEHOUSE_HEART_BEAT", didYouMean: "GATEHOUSE_HEARTBEAT" },
      { variable: "GATEHOUSE_http", didYouMean: "GATEHOUSE_HTTP" },
      { variable: "GATEHOUSE_WHOLLY_ELSE" },
    ],
  );
});

Deno.test("settings of either role, secrets, what tests and tools read, and links of Kubernetes are no slips", () => {
  assertEquals(
    unknownVariables({
      GATEHOUSE_NATS: "nats://host",
      GATEHOUSE_MGT_URL: "platform.example",
      GATEHOUSE_ADMIN_TOKEN: "t",
      GATEHOUSE_SMS_SECRET: "s",
      GATEHOUSE_TEST_POSTGRES: "p_",
      GATEHOUSE_BENCH_SECONDS: "5",
      GATEHOUSE_EMPTY: "",
      GATEHOUSE_SERVICE_HOST: "10.0.0.1",
      GATEHOUSE_SERVICE_PORT_HTTP: "8080",
      GATEHOUSE_PORT: "tcp://10.0.0.1:8080",
      GATEHOUSE_PORT_8080_TCP_ADDR: "10.0.0.1",
      GATEHOUSES: "many",
      OTHER: "1",
    }),
    [],
  );
});
