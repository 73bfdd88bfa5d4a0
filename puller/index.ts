// SPDX-License-Identifier: Apache-2.0
export { assemble } from './assemble/assemble.ts';
export type { Bootable, BootableRoot, FileSystem, ReadyKernel } from './assemble/bootable.ts';
export type { AssembleEvent, AssembleOptions } from './assemble/options.ts';
export { kernelOfFiles, kernelOfImage } from './assemble/ready-kernel.ts';
export { trimAssemblies } from './assemble/trim.ts';
export * from './errors.ts';
export type { Exit, Failure, Hello, ProgramEnd } from './guest-contract/control-channel.ts';
export type { GuestProcess, GuestStats, MonitorStats } from './instances/agent/reports.ts';
export { type ClientSession, ExecError, type SessionEnd, type SessionStreams } from './instances/agent/session.ts';
export { type InstanceStats, processesOfInstance, statsOfInstance } from './instances/agent/stats.ts';
export { type Attached, attachToInstance, type ExecRequest, execInInstance } from './instances/agent/verbs.ts';
export type { LifeEvent } from './instances/events/event-log.ts';
export { type ExecutionChoice, executionOf } from './instances/execution.ts';
export { type ExtractOptions, extractArchive } from './instances/files/extract.ts';
export { type PackOptions, packPath, repack } from './instances/files/pack.ts';
export { archiveOfGuest, guestPath, type PathKinds, unpackInGuest } from './instances/files/transfer.ts';
export {
  type Instance,
  type Outcome,
  startInstance,
} from './instances/instance.ts';
export type { InstanceEvent, InstanceOptions } from './instances/instance-options.ts';
export * from './instances/lifecycle/index.ts';
export { resolveMounts } from './instances/mounts.ts';
export { runInstance } from './instances/run.ts';
export { forwardSignals } from './instances/signals/forward.ts';
export { signalNumber } from './instances/signals/names.ts';
export type { HealthCheck, InstanceConfig, RestartPolicy } from './instances/state/config.ts';
export type { InstanceFolder } from './instances/state/instance-folder.ts';
export type { InstanceMount } from './instances/storage.ts';
export { type InspectedImage, inspectImage } from './store/inspect.ts';
export { type ImageSummary, summarizeImages } from './store/summary.ts';
export type { AcceleratorWish, Choice } from './vmm/accelerator/choose.ts';
export { checkHost, type HostFinding } from './vmm/check-host.ts';
export type { Accelerator, Machine, Monitor, PortForward } from './vmm/monitor.ts';
export { type RegisterSample, type SampleOptions, sampleRegisters } from './vmm/registers.ts';
export { type CreateOptions as CreateVolumeOptions, createVolume, ensureVolume } from './volumes/create.ts';
export { findVolume, getVolume, listVolumes } from './volumes/find.ts';
export { checkUsable, volumeUse } from './volumes/in-use.ts';
export { type InspectedVolume, inspectVolume } from './volumes/inspect.ts';
export { needsReplay } from './volumes/journal.ts';
export type { VolumeUse } from './volumes/locks.ts';
export { checkRemovable, pruneVolumes, type RemovedVolume, removeVolume, unusedVolumes } from './volumes/remove.ts';
export type { VolumeRequest } from './volumes/request.ts';
export { makeScratchDisk, type ScratchDisk } from './volumes/scratch-disk.ts';
export type { Volume } from './volumes/volume.ts';
