// SPDX-License-Identifier: Apache-2.0
export { buildCalls, type CallsFiles } from './calls/build-calls.ts';
export { KernelError, type KernelErrorCode } from './errors.ts';
export { type BuiltKernel, type KernelDescription, type KernelOptions, kernelFor } from './kernel-for.ts';
export { type BuiltLibc, type LibcDescription, type LibcOptions, libcFor } from './libc/libc-for.ts';
export type { BuildPhase, KernelProgress } from './progress.ts';
export { kernelBuildRequirements, libcBuildRequirements, type Requirement } from './requirements.ts';
export { fragmentsOf, type KernelRequest, PRESETS, type Preset, VARIANTS } from './variants.ts';
