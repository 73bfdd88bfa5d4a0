// SPDX-License-Identifier: Apache-2.0
// What reaches into a guest through its agent. It loads little: a command in a guest must begin at once.
export { exitStatus } from '../../guest-contract/control-channel.ts';
export { forwardSignals } from '../signals/forward.ts';
export { ExecError } from './session.ts';
export { type InstanceStats, processesOfInstance, statsOfInstance } from './stats.ts';
export { type Attached, attachToInstance, execInInstance } from './verbs.ts';
