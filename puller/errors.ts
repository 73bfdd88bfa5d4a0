// SPDX-License-Identifier: Apache-2.0
import { CodedError } from '../image-format/errors.ts';

export type PullerErrorCode =
  /** An image that is valid, but that this node cannot run: a contract, profile or layer it does not know. */
  | 'IMAGE_UNSUPPORTED'
  /** The disk of the cache or of the store is full or not writable. */
  | 'STORE_IO'
  /** A program of the host that is needed, such as mke2fs, is not installed. */
  | 'TOOL_MISSING'
  /** A name or a size that no volume can have. */
  | 'VOLUME_INVALID'
  | 'VOLUME_EXISTS'
  | 'VOLUME_MISSING'
  /** The volume's folder lacks its record or its disk. */
  | 'VOLUME_DAMAGED'
  /** A guest uses the volume now. */
  | 'VOLUME_IN_USE'
  /** What cannot be the name of an instance. */
  | 'NAME_INVALID'
  /** Another instance has the name. */
  | 'NAME_IN_USE'
  | 'INSTANCE_MISSING'
  /** The beginning of an id that several instances have. */
  | 'INSTANCE_AMBIGUOUS'
  | 'INSTANCE_DAMAGED'
  /** What was asked for needs an instance that does not run. */
  | 'INSTANCE_RUNNING'
  /** What was asked for needs an instance that runs. */
  | 'INSTANCE_NOT_RUNNING'
  /** Another command changes the same instance, and does not come to an end. */
  | 'INSTANCE_BUSY'
  /** A supervisor that is there and does not answer. */
  | 'SUPERVISOR_SILENT'
  /** A supervisor that ended without having said why. */
  | 'SUPERVISOR_LOST'
  /** The guest has no agent, or it is turned off. */
  | 'AGENT_MISSING'
  /** The guest's agent does too many things at a time already. */
  | 'AGENT_BUSY'
  /** The guest's agent does not answer. */
  | 'AGENT_SILENT'
  /** A command in a guest could not be started. */
  | 'EXEC_FAILED'
  /** Files could not be read or written in a guest, or what a guest sent must not be written here. */
  | 'COPY_FAILED'
  /** No monitor on this machine, or one that is too old. */
  | 'MONITOR_MISSING'
  /** The monitor refused its arguments or ended before the guest had begun. */
  | 'MONITOR_FAILED'
  /** What was asked for cannot be had from this monitor or machine (KVM where there is none, an IPv6 forward). */
  | 'OPTION_UNSUPPORTED'
  /** Less memory than the image needs to unpack itself. */
  | 'MEMORY_TOO_SMALL'
  | 'PORT_IN_USE'
  /** An address of another machine, or a port that only root may have. */
  | 'PORT_UNAVAILABLE'
  /** What the program wrote could not be written here (a full disk). */
  | 'OUTPUT_FAILED'
  /** The guest ended without saying how its program ended. */
  | 'GUEST_CRASHED'
  /** The guest ran, and then answered no more. */
  | 'GUEST_UNRESPONSIVE'
  /** The guest did not come up in time. */
  | 'GUEST_TIMEOUT'
  /** What came over the control port breaks the guest's contract. */
  | 'GUEST_PROTOCOL';

export class PullerError extends CodedError<PullerErrorCode> {
  /** The end of the guest's kernel log, where that says more; the entry point shows it. */
  kernelLog: string | undefined;
}
