/**
 * The plug-in host as a program of its own, for tests and benchmarks.
 *
 * @module
 */
import { runPluginHost } from "../host/mod.ts";

await runPluginHost();
