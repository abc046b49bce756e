/**
 * Service providers.
 *
 * @module
 */
import { ApiProblem } from "../../client.ts";
import { Act, Choice, Facts, Form, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, numeric, optional, type Page, type View, words } from "../../view.ts";
import { type Connection, ConnectionTable, endConnection } from "./connections.tsx";
import { itemsOf, mayChange, SMS, SmsTabs, textsOf } from "./frame.tsx";
import { compact, daysOf, type Traffic, TrafficCharts, TrafficTable } from "./traffic.tsx";

interface Account {
  readonly spId: string;
  readonly spCode: string;
  readonly serviceIds: readonly string[];
  readonly addresses: readonly string[];
  readonly version: string;
  readonly maxConnections: number;
  readonly ratePerSecond: number;
  readonly window: number;
  readonly times: Readonly<Partial<Record<typeof TIMES[number], number>>> | null;
  readonly connections: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** T, N and C. */
const TIMES = ["responseSeconds", "attempts", "activeTestSeconds"] as const;
const MOST = { responseSeconds: 600, attempts: 100, activeTestSeconds: 3_600 } as const;
const VERSIONS = ["3.0", "2.1", "2.0"].map((version) => [version, version] as const);

/** `GET /sms/accounts`. */
export const accountsPage: Page = async (view) => {
  const t = textsOf(view), accounts = await itemsOf<Account>(view, "/accounts");
  return {
    title: t.accounts,
    refreshSeconds: 10,
    content: (
      <>
        <SmsTabs view={view} />
        <Panel id="accounts">
          <Table
            label={t.accounts}
            head={[t.spId, t.spCode, t.version, t.openConnections, t.rate, t.window, t.addresses]}
            numbers={[3, 4, 5]}
            empty={view.texts.common.none}
            rows={accounts.map((account) => [
              <a href={pathOf(account.spId)}>{account.spId}</a>,
              <span class="mono">{account.spCode}</span>,
              account.version,
              `${account.connections} / ${account.maxConnections}`,
              String(account.ratePerSecond),
              String(account.window),
              account.addresses.join(", ") || t.any,
            ])}
          />
        </Panel>
        {mayChange(view) && (
          <Panel title={t.addAccount}>
            <Form view={view} action="add" label={t.addAccount}>
              <TextField view={view} name="spId" label={t.spId} required max={6} pattern="[!-~]{1,6}" />
              <AccountFields view={view} />
            </Form>
          </Panel>
        )}
      </>
    ),
  };
};

/** Makes a provider: one that is there is refused rather than given another secret. */
export const addAccount: Action = async (view) => {
  const spId = field(view, "spId");
  if ((await itemsOf<Account>(view, "/accounts")).some((account) => account.spId === spId)) {
    throw new ApiProblem(409, "account_exists", `there is a provider "${spId}" already`, "");
  }
  await view.client.send("POST", `${SMS}/accounts`, { spId, ...given(view) });
  return `${pathOf(spId)}?done=1`;
};

/** `GET /sms/accounts/{spId}`. */
export const accountPage: Page = async (view) => {
  const t = textsOf(view), { texts } = view, spId = view.params["spId"]!;
  const account = await view.client.get<Account>(`${SMS}/accounts/${encodeURIComponent(spId)}`);
  const { from, to } = await daysOf(view);
  const [traffic, connections] = await Promise.all([
    itemsOf<Traffic>(view, "/traffic", { from: compact(from), to: compact(to), spId: account.spId }),
    itemsOf<Connection>(view, "/connections"),
  ]);
  return {
    title: t.account(account.spId),
    refreshSeconds: 10,
    content: (
      <>
        <SmsTabs view={view} />
        <div class="grid">
          <Panel title={texts.common.details} id="facts">
            <Facts
              facts={[
                [t.spCode, <span class="mono">{account.spCode}</span>],
                [t.version, account.version],
                [t.serviceIds, account.serviceIds.join(", ") || t.any],
                [t.addresses, account.addresses.join(", ") || t.any],
                [t.openConnections, `${account.connections} / ${account.maxConnections}`],
                [t.rate, String(account.ratePerSecond)],
                [t.window, String(account.window)],
                ...TIMES.flatMap((name) => {
                  const own = account.times?.[name];
                  return own === undefined ? [] : [[t[name], String(own)] as const];
                }),
                [texts.common.created, <Time at={account.createdAt} view={view} />],
                [texts.common.updated, <Time at={account.updatedAt} view={view} />],
              ]}
            />
          </Panel>
          {mayChange(view) && (
            <Panel title={t.changeAccount}>
              <p class="soft">{t.changeHint}</p>
              <Form view={view} action="change" label={texts.common.save}>
                <AccountFields view={view} account={account} />
              </Form>
              <Act
                view={view}
                action="remove"
                label={t.removeAccount}
                tone="danger"
                confirm={`${t.removeAccountAsk} ${texts.common.sure}`}
              />
            </Panel>
          )}
        </div>
        <Panel title={t.connections} id="connections">
          <ConnectionTable view={view} connections={connections.filter((one) => one.spId === account.spId)} />
        </Panel>
        <div class="grid" id="charts" data-live>
          <TrafficCharts view={view} who={account.spId} rows={traffic} from={from} to={to} />
        </div>
        <Panel title={t.traffic} id="traffic">
          <TrafficTable view={view} rows={traffic} />
        </Panel>
      </>
    ),
  };
};

/** What the forms of a provider's page do. */
export const accountActions: Readonly<Record<string, Action>> = {
  async change(view) {
    await view.client.send("PATCH", apiPathOf(view), given(view));
  },
  async remove(view) {
    await view.client.send("DELETE", apiPathOf(view));
    return "/sms/accounts?done=1";
  },
  end: endConnection,
};

function AccountFields({ view, account }: { readonly view: View; readonly account?: Account }) {
  const t = textsOf(view);
  return (
    <>
      <TextField
        view={view}
        name="secret"
        type="password"
        label={t.secret}
        required={account === undefined}
        pattern="[ -~]{6,64}"
        max={64}
        hint={account ? t.secretKept : t.secretNew}
      />
      <TextField
        view={view}
        name="spCode"
        label={t.spCode}
        value={account?.spCode}
        required
        pattern="[0-9]{1,20}"
      />
      <TextField
        view={view}
        name="serviceIds"
        label={t.serviceIds}
        value={account?.serviceIds.join(", ")}
        max={6000}
        hint={t.anyService}
      />
      <TextField
        view={view}
        name="addresses"
        label={t.addresses}
        value={account?.addresses.join(", ")}
        max={5000}
        hint={t.anyAddress}
      />
      <Choice
        view={view}
        name="version"
        label={t.version}
        value={account?.version ?? "3.0"}
        options={VERSIONS}
      />
      {([["maxConnections", t.maxConnections, 1000], ["ratePerSecond", t.rate, 1_000_000], [
        "window",
        t.window,
        10_000,
      ]] as const).map(([name, label, max]) => (
        <TextField
          view={view}
          name={name}
          type="number"
          label={label}
          value={account && String(account[name])}
          min={1}
          max={max}
        />
      ))}
      {TIMES.map((name) => (
        <TextField
          view={view}
          name={name}
          type="number"
          label={t[name]}
          value={String(account?.times?.[name] ?? "")}
          min={1}
          max={MOST[name]}
          hint={t.serviceOwn}
        />
      ))}
    </>
  );
}

/** What a form says of a provider; fields that are empty are left out, lists that are empty mean "any". */
function given(view: View) {
  const times = Object.fromEntries(TIMES.map((name) => [name, numeric(view, name)]));
  return {
    secret: optional(view, "secret"),
    spCode: optional(view, "spCode"),
    serviceIds: words(view, "serviceIds"),
    addresses: words(view, "addresses"),
    version: optional(view, "version"),
    maxConnections: numeric(view, "maxConnections"),
    ratePerSecond: numeric(view, "ratePerSecond"),
    window: numeric(view, "window"),
    times: Object.values(times).every((value) => value === undefined) ? null : times,
  };
}

function pathOf(spId: string): string {
  return `/sms/accounts/${encodeURIComponent(spId)}`;
}

function apiPathOf(view: View): string {
  return `${SMS}/accounts/${encodeURIComponent(view.params["spId"]!)}`;
}
