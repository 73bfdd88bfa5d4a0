// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from './bytes.ts';

/** One piece of long work. Every piece ends in `done` or `failed`, or vanishes with `Progress.close`. */
export interface Piece {
  /** How far it is, in the piece's unit; `text` says what is being done. What is left out stays as it was. */
  update(state: { done?: number; total?: number | undefined; text?: string }): void;
  /** @param note how it ended: `done`, `already there`, … */
  done(note?: string): void;
}

/** Shows long work on standard error; standard output belongs to the result. */
export interface Progress {
  piece(label: string, unit?: 'bytes' | 'steps'): Piece;
  /** Takes what is unfinished off the screen. */
  close(): void;
}

interface State {
  label: string;
  unit: 'bytes' | 'steps';
  done: number;
  total: number | undefined;
  text: string;
  note: string | undefined;
}

const REDRAW_MS = 80;
const BAR = 24;
/** Elsewhere than on a terminal, work that goes on says so this often: a log should show that nothing hangs. */
const REPORT_MS = 10_000;

/** Lines that are redrawn in place. */
export async function terminalProgress(stream: NodeJS.WriteStream): Promise<Progress> {
  const { createLogUpdate } = await import('log-update');
  const draw = createLogUpdate(stream, { showCursor: true });
  const pieces: State[] = [];
  const redraw = () => draw(pieces.map((piece) => line(piece, stream.columns ?? 80)).join('\n'));
  const timer = setInterval(redraw, REDRAW_MS);
  timer.unref();
  return {
    piece(label, unit = 'bytes') {
      const state = fresh(label, unit);
      pieces.push(state);
      return mutator(state, () => {});
    },
    close() {
      clearInterval(timer);
      // What did not end would stand there as if it had.
      const ended = pieces.filter((piece) => piece.note !== undefined);
      draw(ended.map((piece) => line(piece, stream.columns ?? 80)).join('\n'));
      draw.done();
    },
  };
}

/** A line when a piece ends, and now and then one while it goes on. */
export function plainProgress(write: (line: string) => void, now: () => number = Date.now): Progress {
  return {
    piece(label, unit = 'bytes') {
      const state = fresh(label, unit);
      let last = now();
      return mutator(state, () => {
        if (state.note !== undefined) {
          write(`${label}: ${[amount(state), state.note].filter(Boolean).join(' ')}`);
        } else if (now() - last >= REPORT_MS) {
          last = now();
          write(`${label}: ${[state.text, amount(state)].filter(Boolean).join(' ')}`);
        }
      });
    },
    close() {},
  };
}

/** For `--quiet` and `--json`. */
export const silentProgress: Progress = {
  piece: () => ({ update() {}, done() {} }),
  close() {},
};

function fresh(label: string, unit: State['unit']): State {
  return { label, unit, done: 0, total: undefined, text: '', note: undefined };
}

function mutator(state: State, changed: () => void): Piece {
  return {
    update(change) {
      Object.assign(state, change);
      changed();
    },
    done(note = 'done') {
      if (state.note !== undefined) return;
      state.note = note;
      changed();
    },
  };
}

function amount({ unit, done, total, note }: State): string {
  const show = (count: number) => (unit === 'bytes' ? formatBytes(count) : String(count));
  if (total === undefined && done === 0) return '';
  if (note !== undefined) return unit === 'bytes' ? show(total ?? done) : '';
  return total === undefined ? show(done) : `${show(done)}/${show(total)}`;
}

function line(state: State, columns: number): string {
  const { label, done, total, text, note } = state;
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  const bar = note !== undefined || share === undefined ? '' : ` ${drawBar(share)}`;
  const rest = note ?? text;
  return `${label}${bar} ${amount(state)}${rest === '' ? '' : ` ${rest}`}`.replace(/ +$/, '').slice(0, columns - 1);
}

function drawBar(share: number): string {
  const filled = Math.round(share * BAR);
  return `[${'#'.repeat(filled)}${' '.repeat(BAR - filled)}]`;
}
