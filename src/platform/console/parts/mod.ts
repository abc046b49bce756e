/**
 * The parts that pages are made of.
 *
 * @module
 */
export { Bars, LineChart } from "./chart.tsx";
export {
  clockText,
  CommandStatus,
  Facts,
  Json,
  numberText,
  Pages,
  Presence,
  Time,
  timeText,
  zoneText,
} from "./common.tsx";
export { Act, Check, Choice, Form, Submit, TextArea, TextField } from "./form.tsx";
export { commandError, faultText, problemText, Refused } from "./refused.tsx";
export { Badge, Panel, Table, Tabs, Tiles } from "./table.tsx";
export { parametersOf } from "./parameters.ts";
export { commandsOf, type CommandSpec, type FieldSpec, labelOf } from "./commands.ts";
