/**
 * For authors of plug-ins: running and testing one in the sandbox without a gateway, with what each call costs.
 *
 * @module
 */
export { RUNNER, runTests, type TestedCall, type TestResult, type TestSuite } from "./tests.ts";
export { type MeasuredCall, Workbench, type WorkbenchOptions, Workshop } from "./workbench.ts";
