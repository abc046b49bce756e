/**
 * The fleet as a whole: figures of this moment and of the last hours.
 *
 * @module
 */
export { type History, Recorder, type Series } from "./history.ts";
export { type FleetFigures, Overview, type Share } from "./overview.ts";
export { overviewRoutes, OverviewView } from "./routes.ts";
export { TotalsOfNodes } from "./totals.ts";
