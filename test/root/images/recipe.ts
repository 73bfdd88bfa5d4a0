// SPDX-License-Identifier: Apache-2.0
// What is said of a test image: what goes into it, its configuration, what it must answer. All of it is plain data, so that
// an image can be named by the hash of its recipe.

import { join } from 'node:path';

/** Where the files are that recipes name. */
export const FILES = join(import.meta.dirname, 'files');

/** A file of the image. */
export type ImageFile = {
  /** Absolute, without a symbolic link on the way. */
  path: string;
  /** Octal, as chmod takes it. Default: `644`, for a compiled program `755`. */
  mode?: string;
  /** `UID:GID`. Default: `0:0`. */
  owner?: string;
} & (
  | { text: string }
  /** The name of a file in `files/`. */
  | { copy: string }
  /** The name of a source in `files/`, and what makes a program of it on this machine. */
  | { compile: string; compiler: Compiler }
  /** Where a symbolic link leads. */
  | { link: string }
);

/** `gcc` and `musl-gcc` link dynamically, `go` statically. */
export type Compiler = 'gcc' | 'musl-gcc' | 'go';

/** One step makes one layer. */
export type Step =
  /** Installed by apt inside of the image, which must be a Debian. */
  | { install: readonly string[] }
  /** Unpacked without their scripts and without what they depend on. `finish` is a shell script that runs in the tree. */
  | { unpack: readonly string[]; finish?: string }
  | { files: readonly ImageFile[] }
  /** A shell script that runs inside of the image. */
  | { run: string }
  /** Paths of earlier layers, which leave whiteouts. */
  | { remove: readonly string[] };

/** The parts of an OCI image's configuration that say how it runs, under the names that they have there. */
export interface ImageConfig {
  Entrypoint?: readonly string[];
  Cmd?: readonly string[];
  Env?: Readonly<Record<string, string>>;
  User?: string;
  WorkingDir?: string;
  ExposedPorts?: readonly string[];
  Volumes?: readonly string[];
  StopSignal?: NodeJS.Signals;
  Labels?: Readonly<Record<string, string>>;
}

/** One run of an image. */
export interface Check {
  title: string;
  /** Instead of the image's Cmd. */
  args?: readonly string[];
  entrypoint?: string;
  /** Standard input. Default: empty. */
  input?: string;
  /** What the run must print. Nothing said: it is not looked at. */
  stdout?: string | RegExp;
  /** What it prints is not known beforehand, but `uk run` must print what podman printed. */
  sameStdout?: true;
  /** Exit status. Default: 0. */
  status?: number;
  /** For a server: it is asked until the answer is right, then it gets the image's StopSignal, else SIGTERM. */
  request?: Request;
  /** Where the recipe's one volume is mounted. It is empty at the first check, and later checks find what was left. */
  volume?: string;
  /** Memory of the guest, as `uk run -m` takes it. Default: the one of `uk run`. */
  memory?: string;
}

export interface Request {
  port: number;
  send: string | Uint8Array;
  answer: RegExp;
}

export interface Recipe {
  name: string;
  /** What it shows that no other image does. */
  shows: string;
  /** `debian` is the base layer that images share, see `debian-base.ts`. */
  from: 'debian' | 'scratch';
  steps: readonly Step[];
  config: ImageConfig;
  checks: readonly Check[];
  /** Made and run in a few seconds: part of `npm test`. */
  small?: true;
}
