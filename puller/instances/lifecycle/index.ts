// SPDX-License-Identifier: Apache-2.0
// What commands on instances need. It loads nothing that only starting one takes: a list must come at once.

export { type EventOptions, readEvents } from '../events/read-events.ts';
export { type LogOptions, readLog } from '../logs/log-reader.ts';
export { encodeRecord, type LogRecord } from '../logs/log-record.ts';
export { SHORT_ID } from '../state/config.ts';
export { createInstance, type NewInstance, renameInstance } from './create.ts';
export { findInstance, instanceFolders } from './find.ts';
export { type Launch, launchInstance, StartError } from './launch.ts';
export { usedImages } from './used-images.ts';
export {
  confirmedUuid,
  recordFailedStart,
  removeInstance,
  restartInstance,
  signalInstance,
  stopInstance,
  waitForInstance,
} from './verbs.ts';
export { type InstanceView, isActive, listInstances, viewOf } from './view.ts';
export { isWantedByPolicy } from './wanted.ts';
