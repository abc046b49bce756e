/**
 * The plug-in channel: a TCP connection to the plug-in centre, on which the platform asks and the gateway answers.
 *
 * @module
 */
export { Channel, type ChannelOptions, type ChannelStatus } from "./channel.ts";
export { type InstallLimits, type InstallOrder, type InstallProgress, Installs } from "./installs.ts";
export { channelHandler, giveParameters } from "./management.ts";
export { type ChannelTiming, DEFAULT_CHANNEL_TIMING } from "./timing.ts";
