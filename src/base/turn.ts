/**
 * Giving way.
 *
 * @module
 */

/**
 * Lets everything that waits have its turn: sockets, timers, other work. For long work in pieces over a database in
 * this process, which never waits itself: between two pieces nothing else would be heard.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
