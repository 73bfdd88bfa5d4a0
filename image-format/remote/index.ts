// SPDX-License-Identifier: Apache-2.0

export { type LoginPlace, removeLogin, saveLogin } from './authorization/login-files.ts';
export { type Line, type LineOptions, openLine } from './fetch/line.ts';
export { openRemote } from './open-remote.ts';
export { openSource, type SourceOptions } from './open-source.ts';
export { type PullOptions, pullImage } from './pull-image.ts';
export { pushImage } from './push-image.ts';
export type { Abortable, BlobPush, Credentials, PullSource, RemoteOptions, RemoteRegistry } from './remote.ts';
export type { Pulled, TransferEvent, TransferOptions, TransferPlan } from './transfer.ts';
