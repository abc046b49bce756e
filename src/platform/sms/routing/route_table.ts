/**
 * Routes in memory: which of them has the longest match.
 *
 * @module
 */

/** Where messages go: to this gateway's own centre or providers, to another gateway, or nowhere. */
export type Target = { readonly kind: "local" | "none" } | {
  readonly kind: "gateway";
  readonly code: string;
};

/** A route as the table needs it. */
export interface TableRoute {
  readonly id: string;
  /** Digits; both have the same length. Empty: every number. */
  readonly first: string;
  readonly last: string;
  /** Of several that match with the same length the one with the higher rank counts, then the one written later. */
  readonly rank: number;
  readonly timeStamp: string;
}

/** Routes of one length, by their first number; `reach` is the furthest last number up to each of them. */
interface Level<Route> {
  readonly routes: Route[];
  reach: string[];
}

/** A table of routes. */
export class RouteTable<Route extends TableRoute> {
  readonly #byId = new Map<string, Route>();
  readonly #levels = new Map<number, Level<Route>>();
  /** Lengths that there are, the longest first. */
  #lengths: number[] = [];

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Route | undefined {
    return this.#byId.get(id);
  }

  /** All routes, by id. */
  list(): Route[] {
    return [...this.#byId.values()].sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /** Adds a route, or puts it in the place of the one with its id. */
  put(route: Route): void {
    this.remove(route.id);
    this.#byId.set(route.id, route);
    const { length } = route.first, level = this.#levels.get(length) ?? { routes: [], reach: [] };
    level.routes.splice(after(level.routes, route.first), 0, route);
    this.#settle(length, level);
  }

  remove(id: string): boolean {
    const route = this.#byId.get(id);
    if (!route) return false;
    this.#byId.delete(id);
    const { length } = route.first, level = this.#levels.get(length)!;
    level.routes.splice(level.routes.indexOf(route), 1);
    this.#settle(length, level);
    return true;
  }

  /** The route with the longest match for `number`. */
  find(number: string): Route | undefined {
    for (const length of this.#lengths) {
      if (length > number.length) continue;
      const found = best(this.#levels.get(length)!, number.slice(0, length));
      if (found) return found;
    }
    return undefined;
  }

  #settle(length: number, level: Level<Route>): void {
    if (level.routes.length === 0) this.#levels.delete(length);
    else this.#levels.set(length, level);
    let reach = "";
    level.reach = level.routes.map(({ last }) => reach = last > reach ? last : reach);
    this.#lengths = [...this.#levels.keys()].sort((a, b) => b - a);
  }
}

/** How many of the routes begin at or before `digits`. */
function after(routes: readonly TableRoute[], digits: string): number {
  let low = 0, high = routes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (routes[middle]!.first <= digits) low = middle + 1;
    else high = middle;
  }
  return low;
}

function best<Route extends TableRoute>({ routes, reach }: Level<Route>, digits: string): Route | undefined {
  let found: Route | undefined;
  for (let at = after(routes, digits) - 1; at >= 0 && reach[at]! >= digits; at--) {
    const route = routes[at]!;
    if (route.last >= digits && (!found || beats(route, found))) found = route;
  }
  return found;
}

function beats(a: TableRoute, b: TableRoute): boolean {
  return a.rank !== b.rank ? a.rank > b.rank : a.timeStamp > b.timeStamp;
}
