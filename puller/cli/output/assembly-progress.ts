// SPDX-License-Identifier: Apache-2.0
import type { AssembleEvent } from '../../index.ts';
import type { Session } from '../context.ts';
import type { Piece, Progress } from './progress.ts';

/** What takes no longer than this is over before anybody reads that it was done. */
const PATIENCE_MS = 500;

/**
 * Shows how far the assembly of an image is: a line for each layer that is unpacked, once the whole has taken a moment.
 */
export function assemblyProgress({ output }: Session): { onProgress(event: AssembleEvent): void; close(): void } {
  const begin = performance.now();
  let progress: Progress | undefined;
  let piece: Piece | undefined;
  let shown = '';
  let note = '';
  let [opened, closed] = [false, false];
  const end = (): void => piece?.done(note);
  const show = ({ phase, number, of, done }: AssembleEvent): void => {
    const label = phase === 'layer' && number !== undefined ? `layer ${number} of ${of}` : phase;
    if (label !== shown) {
      end();
      shown = label;
      note = phase === 'layer' ? 'unpacked' : 'made';
      piece = progress?.piece(label, 'bytes');
    }
    if (done !== undefined) piece?.update({ done });
  };
  return {
    onProgress(event) {
      if (performance.now() - begin < PATIENCE_MS) return;
      if (!opened) {
        opened = true;
        output.progress().then((made) => {
          if (closed) made.close();
          else progress = made;
        });
      }
      if (progress !== undefined) show(event);
    },
    close() {
      closed = true;
      end();
      progress?.close();
    },
  };
}
