/**
 * Texts of the pages about the distribution policy.
 *
 * @module
 */

const en = {
  title: "Distribution policy",
  inForce: "In force",
  edit: "Edit",
  versions: "Versions",
  rules: "Rules: the first that matches decides",
  rule: "Rule",
  match: "Where",
  everywhere: "every gateway",
  goes: "Goes to",
  redirect: (address: string) => `asks ${address} instead`,
  noRules: "No rule: gateways are sent to this platform's own access.",
  policy: "The policy as JSON",
  hint:
    'rules: name; match (vendor, model, oui, macFrom, macTo, firmware with *, region, percent); then targets (address "host:port", weight), or redirect.',
  note: "Why (for those who look at the versions)",
  dryRun: "Dry run: where would gateways go?",
  put: "Put into force",
  putAsk: "Put this policy into force?",
  notJson: (why: string) => `This is not JSON: ${why}`,
  result: "What it would do",
  moved: (moved: string, all: string) => `${moved} of ${all} gateways would go elsewhere than now.`,
  nowhere: "nowhere (refused)",
  noRule: "no rule",
  pinned: "pinned by an operator",
  flow: (rule: string, to: string) => `${rule} → ${to}`,
  drain: "Drain an address",
  drainHint:
    "Its weight becomes 0 in every rule. Gateways that are there stay until they are distributed anew.",
  address: "Address",
  drainAsk: "Send nobody there any more?",
  preview: "Where would one gateway go?",
  ask: "Ask",
  goesTo: (to: string, rule: string) => `It would go to ${to} (${rule}).`,
  version: "Version",
  madeAt: "In force since",
  restore: "Put into force again",
  restoreAsk: "Put this earlier version into force again?",
  faults: "What is wrong with it",
};

const zh: typeof en = {
  title: "分发策略",
  inForce: "当前策略",
  edit: "编辑",
  versions: "历史版本",
  rules: "规则:首条匹配的规则生效",
  rule: "规则",
  match: "条件",
  everywhere: "所有网关",
  goes: "去向",
  redirect: (address) => `改向 ${address} 查询`,
  noRules: "无规则:网关分发至本平台的接入服务。",
  policy: "策略(JSON)",
  hint:
    "rules:name;match(vendor、model、oui、macFrom、macTo、firmware 可用 *、region、percent);然后是 targets(address “host:port”、weight)或 redirect。",
  note: "修改原因(记入版本)",
  dryRun: "试运行:网关将去往何处?",
  put: "使之生效",
  putAsk: "使此策略生效?",
  notJson: (why) => `不是有效的 JSON:${why}`,
  result: "试运行结果",
  moved: (moved, all) => `${all} 台网关中有 ${moved} 台去向将改变。`,
  nowhere: "无去向(拒绝)",
  noRule: "无规则",
  pinned: "操作员固定",
  flow: (rule, to) => `${rule} → ${to}`,
  drain: "排空一个地址",
  drainHint: "各规则中该地址的权重变为 0。已在该处的网关保持不变,直至重新分发。",
  address: "地址",
  drainAsk: "不再向该地址分发网关?",
  preview: "某台网关将去往何处?",
  ask: "查询",
  goesTo: (to, rule) => `将去往 ${to}(${rule})。`,
  version: "版本",
  madeAt: "生效时间",
  restore: "恢复此版本",
  restoreAsk: "使此历史版本重新生效?",
  faults: "错误之处",
};

/** By language. */
export const policies = { en, zh };
