/**
 * Name servers: those that are asked, and answers given instead of theirs.
 *
 * @module
 */

/** Names that get an answer of ours, with everything under them. */
export interface Redirection {
  /** `example.com`, in lower case, without a dot at the end. */
  readonly name: string;
  /** IPv4 or IPv6. */
  readonly address: string;
}

/** The name service of the house. */
export interface NameServers {
  /** The addresses of the servers that are asked. @throws {DriverError} */
  servers(): Promise<readonly string[]>;
  /** Asks these instead; none: those that the connection told. @throws {DriverError} */
  setServers(addresses: readonly string[]): Promise<void>;
  /** Answers these so; none: nothing of ours. @throws {DriverError} */
  redirect(redirections: readonly Redirection[]): Promise<void>;
}
