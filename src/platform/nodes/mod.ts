/**
 * Several nodes: who is there, who holds which gateway, and how they reach each other.
 *
 * @module
 */
export { type Cluster, type ClusterSettings, MISSED_HEARTBEATS, startCluster } from "./cluster.ts";
export { FilesOfNodes } from "./files.ts";
export { Membership, type MembershipSettings, NodeError } from "./membership.ts";
export { type Held, Owners } from "./owners.ts";
export { nodeMigrations, type NodeTables } from "./schema.ts";
