// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import type { ExecutionConfig } from '../image-config.ts';

/** A layer as a manifest and a config speak of it together. */
export interface Layer {
  descriptor: Descriptor;
  diffId: Digest;
}

/** A kernel as the builder of kernels leaves it. */
export interface KernelFiles {
  /** Path of the stripped ELF with PVH note. */
  vmlinux: string;
  /** Path of its `.config`. */
  config: string;
  /** Path, or the object: version, variant, guestContract, digests of the sources. */
  kernelJson: string | object;
}

/** A libc that programs get instead of the one of the same kind that this machine has. */
export interface LibcFiles {
  /** `ring0-musl` */
  name: string;
  /** Path of the dynamic linker, which is the libc too: musl's. */
  loader: string;
  /** Path of a JSON file that says what it is made of. */
  libcJson: string;
  /** Path of the compiler that links with it, for an error's hint. */
  gcc: string;
}

/** A library that makes the system calls of a dynamic glibc jumps. */
export interface CallsFiles {
  /** Path of the library. */
  library: string;
  /** Path of a list for ld.so that names it. */
  preload: string;
  /** Where the list says that it stands in the image. */
  path: string;
}

/** Files from this machine for one layer. */
export interface AddedPath {
  /** A file, folder or link of this machine. */
  source: string;
  /** Absolute path in the image; a trailing slash means "into that folder". */
  destination: string;
  /** Default: `app`. */
  layer?: 'app' | 'deps' | 'config';
}

/** How the program runs; what is left out stays as it was (`rebuildConfig`) or is left out of the image. */
export interface ExecutionChanges {
  /** `NAME=value`; a name that is there already is replaced. */
  env?: readonly string[];
  /** What stands behind `--`. */
  args?: readonly string[];
  entrypoint?: readonly string[];
  workingDir?: string;
  /** `name`, `uid`, `name:group` or `uid:gid`. */
  user?: string;
  /** `80/tcp` */
  exposedPorts?: readonly string[];
  labels?: Readonly<Record<string, string>>;
}

export interface BuildRequest extends ExecutionChanges {
  /** The program: an ELF file of this machine, or a script whose interpreter is one. */
  app: string;
  /** Its absolute path in the image. Default: the same path below system folders, `/app/NAME` for others. */
  appPath?: string;
  adds?: readonly AddedPath[];
  profile: Profile;
  /** Freshly built files, or the layer of a kernel image that the store holds (see `kernelLayerOf`). */
  kernel: KernelFiles | { layer: Layer; variant: string };
  /** For a program that is linked dynamically against musl. */
  libc?: LibcFiles;
  /** For a program that is linked dynamically against glibc. */
  calls?: CallsFiles;
}

/** An image that is built on the layers of another one, or on a tree. */
export interface StackedRequest extends ExecutionChanges {
  /** In the order in which they are applied; they go into the image as they are. */
  base: readonly Layer[];
  /** How the base says that its program runs. */
  execution: ExecutionConfig;
  /** The program, if it is not the base's: an ELF file of this machine, or a script. */
  app?: string;
  /** Its absolute path in the image. Default: the same path below system folders, `/app/NAME` for others. */
  appPath?: string;
  adds?: readonly AddedPath[];
  profile: Profile;
  /** Freshly built files, or the layer of a kernel image that the store holds (see `kernelLayerOf`). */
  kernel: KernelFiles | { layer: Layer; variant: string };
}

export interface BuildOptions {
  /** Default: zstd. */
  compression?: 'zstd' | 'gzip';
  /** Seconds since 1970: mtime of every file and `created`. Default: `$SOURCE_DATE_EPOCH`; without it 0 and no `created`. */
  sourceDateEpoch?: number;
  /** Where libraries and interpreters are looked up. Default: `/`. */
  sysroot?: string;
  signal?: AbortSignal;
  onProgress?: (event: BuildEvent) => void;
}

export interface BuildEvent {
  phase: 'closure' | 'layer' | 'manifest';
  /** The layer's role. */
  layer?: string;
  /** Files so far, for `closure`. */
  files?: number;
  /** Something that was left out, in one line. */
  warning?: string;
  /** Of a finished layer. */
  size?: number;
}

export interface BuiltImage {
  /** The manifest's. */
  descriptor: Descriptor;
  config: Descriptor;
  /** In the order in which they are applied. */
  layers: Layer[];
}
