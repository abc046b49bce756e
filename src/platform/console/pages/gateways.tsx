/**
 * The list of gateways.
 *
 * @module
 */
import type * as v from "valibot";
import type { GatewayView } from "../../api/mod.ts";
import { Pages, Presence, Time } from "../parts/mod.ts";
import { type Page, query } from "../view.ts";

type Gateway = v.InferOutput<typeof GatewayView>;

/** `GET /gateways`. */
export const gatewaysPage: Page = async (view) => {
  const { texts } = view, t = texts.gateways;
  const filter = {
    search: query(view, "search"),
    vendor: query(view, "vendor"),
    model: query(view, "model"),
    region: query(view, "region"),
    online: query(view, "online"),
  };
  const page = await view.client.get<{ items: Gateway[]; next?: string }>("/api/v1/gateways", {
    ...filter,
    cursor: query(view, "cursor"),
    limit: "50",
  });
  const filtered = Object.values(filter).some((value) => value !== "");
  return {
    title: t.title,
    content: (
      <>
        <form class="row" method="get" action="/gateways" role="search">
          <label>
            {t.searchHint}
            <input type="search" name="search" value={filter.search} maxlength={80} />
          </label>
          {(["vendor", "model", "region"] as const).map((name) => (
            <label>
              {t[name]}
              <input name={name} value={filter[name]} maxlength={64} />
            </label>
          ))}
          <label>
            {t.state}
            <select name="online">
              <option value="">{texts.common.all}</option>
              <option value="true" selected={filter.online === "true"}>{texts.presence.online}</option>
              <option value="false" selected={filter.online === "false"}>{texts.presence.offline}</option>
            </select>
          </label>
          <button type="submit">{texts.common.search}</button>
        </form>
        <section class="panel">
          {page.items.length === 0
            ? <p class="soft">{filtered ? texts.common.noMatch : texts.common.none}</p>
            : (
              <div class="scroll" tabindex={0} role="region" aria-label={t.title}>
                <table>
                  <caption>{t.count(page.items.length)}</caption>
                  <thead>
                    <tr>
                      {[t.mac, t.state, t.sn, t.vendor, t.model, t.region, t.firmware, t.wanIp, t.lastSeen]
                        .map((name) => <th scope="col">{name}</th>)}
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map((gateway) => (
                      <tr>
                        <th scope="row">
                          <a class="mono" href={`/gateways/${gateway.mac}`}>{gateway.mac}</a>
                        </th>
                        <td>
                          <Presence
                            online={gateway.online}
                            registered={gateway.registeredAt !== null}
                            texts={texts}
                          />
                        </td>
                        <td class="mono">{gateway.sn}</td>
                        <td>{gateway.vendor ?? ""}</td>
                        <td>{gateway.model ?? ""}</td>
                        <td>{gateway.region ?? ""}</td>
                        <td>{gateway.firmware ?? ""}</td>
                        <td class="mono">{gateway.wanIp ?? ""}</td>
                        <td>
                          <Time at={gateway.lastSeenAt} view={view} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          <Pages view={view} next={page.next} />
        </section>
      </>
    ),
  };
};
