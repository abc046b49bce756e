/**
 * A short-message centre for tests: the npm library's own SMPP server, over real sockets, told how to behave.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import smpp from "smpp";

/** What the library hands over; it has no declarations of its own. */
// deno-lint-ignore no-explicit-any -- see above
type Library = any;

/** A submit_sm that the centre was handed. */
export interface Submitted {
  readonly source: string;
  readonly destination: string;
  readonly dataCoding: number;
  readonly esmClass: number;
  readonly protocolId: number;
  readonly registeredDelivery: number;
  readonly validityPeriod: string;
  /** As the library reads it: header elements apart, text by data_coding, else octets. */
  readonly message: { readonly udh?: readonly Uint8Array[]; readonly message: unknown };
  /** What the centre called it. */
  readonly ref: string;
}

/** How it behaves; all of it can be changed while it runs. */
export interface Behaviour {
  /** command_status for a submit_sm. */
  status: (nth: number) => number;
  /** The name in submit_sm_resp for the nth message. */
  ref: (nth: number) => string;
  /** Receipts come by themselves, with this state and in this form of the name; undefined: none. */
  receipt: ((nth: number) => { id: string; stat: string }) | undefined;
  /** Receipts come before the answer to their submit_sm. */
  early: boolean;
  /** Takes submit_sm and never answers. */
  mute: boolean;
  /** Answers enquire_link. */
  alive: boolean;
}

/** The centre. */
export class SmppCentre implements AsyncDisposable {
  readonly submitted: Submitted[] = [];
  readonly binds: { systemId: string; password: string; systemType: string; version: number }[] = [];
  /** command_status of each answer to a deliver_sm. */
  readonly answers: number[] = [];
  readonly behaviour: Behaviour = {
    status: () => 0,
    ref: (nth) => String(nth),
    receipt: (nth) => ({ id: String(nth), stat: "DELIVRD" }),
    early: false,
    mute: false,
    alive: true,
  };
  password = "secret";
  enquiries = 0;
  #nth = 0;
  readonly #sessions = new Set<Library>();

  private constructor(private readonly server: Library, readonly port: number) {}

  /** Listens; on a port that was its own before, where one is given. */
  static async start(port = 0): Promise<SmppCentre> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = (smpp as Library).createServer();
    server.listen(port, "127.0.0.1", resolve);
    await promise;
    const centre = new SmppCentre(server, server.address().port);
    server.on("session", (session: Library) => centre.#greet(session));
    return centre;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Cuts every connection off, as a crash would. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Sends a receipt now. */
  report(id: string, stat: string, number: string, more: Record<string, unknown> = {}): void {
    const text =
      `id:${id} sub:001 dlvrd:001 submit date:2611220000 done date:2611220001 stat:${stat} err:000 text:`;
    this.#each((session) =>
      session.deliver_sm(
        { source_addr: number, destination_addr: "10658888", esm_class: 4, short_message: text, ...more },
        (answer: Library) => this.answers.push(answer.command_status),
      )
    );
  }

  /** A phone writes. */
  write(fields: Record<string, unknown>): void {
    const octets = fields.short_message instanceof Uint8Array
      ? { short_message: Buffer.from(fields.short_message) }
      : {};
    this.#each((session) =>
      session.deliver_sm(
        { ...fields, ...octets },
        (answer: Library) => this.answers.push(answer.command_status),
      )
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    this.cut();
    await promise;
  }

  #each(work: (session: Library) => void): void {
    for (const session of this.#sessions) work(session);
  }

  #greet(session: Library): void {
    session.on("error", () => session.destroy());
    session.on("close", () => this.#sessions.delete(session));
    session.on("enquire_link", (pdu: Library) => {
      this.enquiries++;
      if (this.behaviour.alive) session.send(pdu.response());
    });
    session.on("unbind", (pdu: Library) => {
      session.send(pdu.response());
      session.close();
    });
    session.on("bind_transceiver", (pdu: Library) => {
      const { system_id: systemId, password, system_type: systemType, interface_version: version } = pdu;
      this.binds.push({ systemId, password, systemType, version });
      if (password !== this.password) {
        session.send(pdu.response({ command_status: 0x0d }));
        return session.close();
      }
      this.#sessions.add(session);
      session.send(pdu.response({ system_id: "centre" }));
    });
    session.on("submit_sm", (pdu: Library) => this.#take(session, pdu));
  }

  #take(session: Library, pdu: Library): void {
    const nth = ++this.#nth, { behaviour } = this;
    const status = behaviour.status(nth), ref = behaviour.ref(nth);
    if (status === 0) {
      this.submitted.push({
        source: pdu.source_addr,
        destination: pdu.destination_addr,
        dataCoding: pdu.data_coding,
        esmClass: pdu.esm_class,
        protocolId: pdu.protocol_id,
        registeredDelivery: pdu.registered_delivery,
        validityPeriod: pdu.validity_period,
        message: pdu.short_message,
        ref,
      });
    }
    if (behaviour.mute) return;
    const receipt = status === 0 ? behaviour.receipt?.(nth) : undefined;
    if (receipt && behaviour.early) this.report(receipt.id, receipt.stat, pdu.destination_addr);
    session.send(pdu.response(status === 0 ? { message_id: ref } : { command_status: status }));
    if (receipt && !behaviour.early) this.report(receipt.id, receipt.stat, pdu.destination_addr);
  }
}
