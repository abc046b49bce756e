/**
 * The distribution policy in force: kept in the database, read into memory once.
 *
 * @module
 */
import * as v from "valibot";
import { formatHostPort, type HostPort } from "../../base/mod.ts";
import type { DocumentStore } from "../registry/mod.ts";
import { type Policy, PolicySchema } from "./policy.ts";

const DOCUMENT = "distribution.policy";

/** Holds the policy; until an operator writes one, everybody goes to this platform's own access service. */
export class PolicyStore {
  private constructor(private readonly documents: DocumentStore, public current: Policy) {}

  static async open(documents: DocumentStore, ownAccess: HostPort): Promise<PolicyStore> {
    const row = await documents.read(DOCUMENT);
    return new PolicyStore(
      documents,
      row ? v.parse(PolicySchema, JSON.parse(row.body)) : ownPolicy(ownAccess),
    );
  }

  /** Puts a policy into force; it is kept before it holds. */
  async replace(policy: Policy, by: string): Promise<void> {
    await this.documents.write(DOCUMENT, JSON.stringify(policy), by);
    this.current = policy;
  }
}

function ownPolicy(access: HostPort): Policy {
  return {
    rules: [{ name: "this platform", match: {}, targets: [{ address: formatHostPort(access), weight: 1 }] }],
  };
}
