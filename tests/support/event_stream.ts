/**
 * A reader of server-sent events that comes back where it was cut off, as browsers do.
 *
 * @module
 */

/** An event as it came. */
export interface HeardEvent {
  readonly id: string | undefined;
  readonly kind: string;
  readonly data: unknown;
}

/** A reader at work. */
export interface Follower {
  /** Ends it; answers how often it came back. */
  stop(): Promise<number>;
}

/** What of `text` is whole events, and the rest. */
export function parseEvents(text: string): { events: HeardEvent[]; rest: string } {
  const blocks = text.split("\n\n"), rest = blocks.pop()!;
  const events = blocks.flatMap((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    const data = field("data");
    return data === undefined
      ? []
      : [{ id: field("id"), kind: field("event") ?? "message", data: JSON.parse(data) }];
  });
  return { events, rest };
}

/** Reads what `url` streams, and comes back after every end with the last id, until it is stopped. */
export function followEvents(
  url: () => string,
  token: string,
  onEvent: (event: HeardEvent) => void,
): Follower {
  const stop = new AbortController();
  let last: string | undefined, visits = 0, reader: ReadableStreamDefaultReader<string> | undefined;
  const visit = async () => {
    const response = await fetch(url(), {
      signal: stop.signal,
      headers: { authorization: `Bearer ${token}`, ...(last === undefined ? {} : { "last-event-id": last }) },
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    visits++;
    let text = "";
    reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const { events, rest } = parseEvents(text + piece.value);
      text = rest;
      for (const event of events) {
        last = event.id ?? last;
        onEvent(event);
      }
    }
  };
  const life = (async () => {
    while (!stop.signal.aborted) {
      await visit().catch(() => {}); // cut off, or nobody there: that is what coming back is for
      if (!stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async stop() {
      stop.abort();
      // The signal alone is not always heard by a body that is being read.
      await reader?.cancel().catch(() => {});
      await life;
      return visits - 1;
    },
  };
}
