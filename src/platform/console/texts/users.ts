/**
 * Texts of the pages about the phone app's users and who owns a gateway.
 *
 * @module
 */

const en = {
  title: "App users",
  user: (name: string) => `App user ${name}`,
  searchHint: "Beginning of a name",
  name: "Name",
  since: "Since",
  created: "Signed up",
  state: "State",
  active: "active",
  locked: "locked",
  lockedAt: "Locked since",
  lock: "Lock",
  lockAsk: "Lock this user? They are signed out everywhere and can't sign in.",
  unlock: "Unlock",
  gateways: "Gateways",
  gateway: "Gateway",
  role: "As",
  roles: { owner: "owner", member: "member" } as Record<string, string>,
  rights: "May",
  rightNames: { use: "use it", view: "look" } as Record<string, string>,
  devices: "Signed in on",
  device: "Device",
  renewed: "Last renewed",
  signOut: "Sign out",
  signOutAll: "Sign out everywhere",
  binding: "Who owns it (phone app)",
  owner: "Owner",
  members: "Shared with",
  unbound: "Bound to nobody.",
  unbind: "End the ownership",
  unbindAsk: "End it? The owner and all members lose this gateway in their app.",
};

const zh: typeof en = {
  title: "App 用户",
  user: (name) => `App 用户 ${name}`,
  searchHint: "用户名开头",
  name: "用户名",
  since: "开始时间",
  created: "注册时间",
  state: "状态",
  active: "正常",
  locked: "已锁定",
  lockedAt: "锁定时间",
  lock: "锁定",
  lockAsk: "锁定此用户?其所有设备将退出,且不能再登录。",
  unlock: "解锁",
  gateways: "网关",
  gateway: "网关",
  role: "身份",
  roles: { owner: "户主", member: "成员" },
  rights: "权限",
  rightNames: { use: "使用", view: "仅查看" },
  devices: "已登录设备",
  device: "设备",
  renewed: "最近续期",
  signOut: "退出登录",
  signOutAll: "全部退出",
  binding: "归属(手机 App)",
  owner: "户主",
  members: "共享成员",
  unbound: "未绑定。",
  unbind: "解除绑定",
  unbindAsk: "解除绑定?户主与所有成员将在 App 中失去此网关。",
};

/** By language. */
export const users = { en, zh };
