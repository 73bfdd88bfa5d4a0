// SPDX-License-Identifier: Apache-2.0

export type BuildPhase = 'wait' | 'fetch' | 'unpack' | 'patch' | 'configure' | 'init' | 'compile' | 'strip';

export interface KernelProgress {
  readonly phase: BuildPhase;
  /** Steps done, in `patch` and `compile`. */
  readonly done?: number;
  readonly total?: number;
  /** For a person, one line. */
  readonly text?: string;
}

/** A step of kbuild's output: `  CC      mm/slub.o`. */
const STEP = /^ {2}([A-Z][A-Z0-9_]+) +(?:\[M\] +)?(\S+)/;

/** The file that a line of kbuild's output says it makes. Nothing for other lines. */
export function compiledFile(line: string): string | undefined {
  return STEP.exec(line)?.[2];
}

/** At most so many events a second while a kernel compiles: a terminal needs no more. */
const EVENT_MS = 100;

/** Counts the steps of a build and says how far it is. */
export class CompileProgress {
  #done = 0;
  #last = 0;
  readonly #total: number;
  readonly #report: (event: KernelProgress) => void;
  readonly #fileOf: (line: string) => string | undefined;

  /**
   * @param total how many steps it took the last time; 0 if there was none
   * @param fileOf the file that a line of output says is made
   */
  constructor(total: number, report: (event: KernelProgress) => void, fileOf = compiledFile) {
    this.#total = total;
    this.#report = report;
    this.#fileOf = fileOf;
  }

  get done(): number {
    return this.#done;
  }

  line(text: string): void {
    const file = this.#fileOf(text);
    if (file === undefined) return;
    this.#done += 1;
    const now = performance.now();
    if (now - this.#last < EVENT_MS) return;
    this.#last = now;
    const total = Math.max(this.#total, this.#done);
    this.#report({ phase: 'compile', done: this.#done, ...(this.#total === 0 ? {} : { total }), text: file });
  }
}
