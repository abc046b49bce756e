/**
 * Other gateways that messages are exchanged with.
 *
 * @module
 */
import { Act, Check, Form, numberText, Panel, Table, TextField } from "../../parts/mod.ts";
import { type Action, field, numeric, optional, type Page, ticked } from "../../view.ts";
import {
  CodeAndSecret,
  Connected,
  itemsOf,
  mayChange,
  SMS,
  SmsTabs,
  textsOf,
  VersionChoice,
} from "./frame.tsx";

interface Peer {
  readonly code: string;
  readonly address: string | null;
  readonly version: string;
  readonly window: number;
  readonly connected: boolean;
  readonly lastError: string | null;
  readonly waiting: number;
}
interface PeerQueue {
  readonly peer: string;
  readonly state: string;
  readonly count: number;
}

/** `GET /sms/peers`. */
export const peersPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts, may = mayChange(view);
  const [peers, queues] = await Promise.all([
    itemsOf<Peer>(view, "/peers"),
    itemsOf<PeerQueue>(view, "/peers/queues"),
  ]);
  return {
    title: t.peers,
    refreshSeconds: 5,
    content: (
      <>
        <SmsTabs view={view} />
        <Panel id="peers">
          <Table
            label={t.peers}
            head={[
              t.code,
              common.status,
              t.address,
              t.version,
              t.window,
              t.waiting,
              t.lastError,
              may && common.actions,
            ]}
            numbers={[4, 5]}
            empty={common.none}
            rows={peers.map((peer) => [
              peer.code,
              <Connected yes={peer.connected} view={view} />,
              peer.address ?? "",
              peer.version,
              String(peer.window),
              numberText(peer.waiting, view),
              peer.lastError ?? "",
              may && (
                <Act
                  view={view}
                  action="remove"
                  label={common.remove}
                  tone="danger"
                  confirm={`${t.removePeerAsk} ${common.sure}`}
                  fields={{ code: peer.code }}
                  about={peer.code}
                />
              ),
            ])}
          />
        </Panel>
        <Panel title={t.peerQueues} id="queues">
          <Table
            label={t.peerQueues}
            head={[t.code, t.state, t.count]}
            numbers={[2]}
            empty={common.none}
            rows={queues.map((queue) => [queue.peer, queue.state, numberText(queue.count, view)])}
          />
        </Panel>
        {may && (
          <Panel title={t.addPeer}>
            <Form view={view} action="add" label={common.save}>
              <CodeAndSecret view={view} />
              <TextField
                view={view}
                name="address"
                label={t.peerAddress}
                max={300}
                hint={t.peerAddressHint}
              />
              <VersionChoice view={view} />
              <TextField view={view} name="window" type="number" label={t.window} min={1} max={10_000} />
              <Check name="proveAnswer" label={t.proveAnswer} />
            </Form>
          </Panel>
        )}
      </>
    ),
  };
};

/** What the forms of the other gateways' page do. */
export const peerActions: Readonly<Record<string, Action>> = {
  async add(view) {
    await view.client.send("POST", `${SMS}/peers`, {
      code: field(view, "code"),
      secret: field(view, "secret"),
      address: optional(view, "address"),
      version: optional(view, "version"),
      window: numeric(view, "window"),
      proveAnswer: ticked(view, "proveAnswer"),
    });
  },
  async remove(view) {
    await view.client.send("DELETE", `${SMS}/peers/${encodeURIComponent(field(view, "code"))}`);
  },
};
