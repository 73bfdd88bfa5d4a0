// SPDX-License-Identifier: Apache-2.0
export { openRemote } from './open-remote.ts';
export { type PullOptions, pullImage } from './pull-image.ts';
export { pushImage } from './push-image.ts';
export type { Abortable, BlobPush, Credentials, RemoteOptions, RemoteRegistry } from './remote.ts';
export type { Pulled, TransferEvent, TransferOptions } from './transfer.ts';
