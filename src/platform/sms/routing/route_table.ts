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
  routes: Route[];
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
    const level = this.#level(route.first.length), at = after(level.routes, route.first);
    level.routes.splice(at, 0, route);
    level.reach.splice(at, 0, "");
    settle(level, at);
  }

  /** Adds many routes at once, in a time that grows with how many there are and not with its square. */
  putAll(routes: Iterable<Route>): void {
    const touched = new Set<number>();
    for (const route of routes) {
      const before = this.#byId.get(route.id);
      if (before) this.remove(before.id);
      this.#byId.set(route.id, route);
      this.#level(route.first.length).routes.push(route);
      touched.add(route.first.length);
    }
    for (const length of touched) {
      const level = this.#level(length);
      level.routes.sort((a, b) => a.first < b.first ? -1 : a.first > b.first ? 1 : 0);
      let reach = "";
      level.reach = level.routes.map(({ last }) => reach = last > reach ? last : reach);
    }
  }

  remove(id: string): boolean {
    const route = this.#byId.get(id);
    if (!route) return false;
    this.#byId.delete(id);
    const { length } = route.first, level = this.#level(length);
    let at = after(level.routes, route.first) - 1;
    if (level.routes[at] !== route) at = level.routes.lastIndexOf(route);
    level.routes.splice(at, 1);
    level.reach.splice(at, 1);
    settle(level, at);
    if (level.routes.length === 0) {
      this.#levels.delete(length);
      this.#lengths = this.#lengths.filter((one) => one !== length);
    }
    return true;
  }

  /** The routes with this very segment. */
  same(first: string, last: string): Route[] {
    const routes = this.#levels.get(first.length)?.routes ?? [], found: Route[] = [];
    for (let at = after(routes, first) - 1; at >= 0 && routes[at]!.first === first; at--) {
      if (routes[at]!.last === last) found.push(routes[at]!);
    }
    return found;
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

  #level(length: number): Level<Route> {
    let level = this.#levels.get(length);
    if (!level) {
      this.#levels.set(length, level = { routes: [], reach: [] });
      this.#lengths = [...this.#levels.keys()].sort((a, b) => b - a);
    }
    return level;
  }
}

/** Sets `reach` right from `from` on, as far as it changes. */
function settle({ routes, reach }: Level<TableRoute>, from: number): void {
  let furthest = from > 0 ? reach[from - 1]! : "";
  for (let at = from; at < routes.length; at++) {
    const { last } = routes[at]!;
    if (last > furthest) furthest = last;
    if (reach[at] === furthest) return;
    reach[at] = furthest;
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
