// SPDX-License-Identifier: Apache-2.0

/** Bytes of a window that somebody has taken. */
export interface Hold {
  /** Gives back all of them but so many. Never takes more. */
  keep(bytes: number): void;
}

/**
 * Bounds how many bytes are asked for and not yet kept, over all transfers at once. So it also bounds what must be sent
 * a second time after a kill or a cut line, wherever the bytes were: on the line, in the buffers of sockets, or here.
 */
export class Window {
  readonly size: number;
  #free: number;
  readonly #waiting: { bytes: number; begin: () => void }[] = [];

  /** @param size bytes */
  constructor(size: number) {
    this.size = size;
    this.#free = size;
  }

  /**
   * Waits until so many bytes may be asked for. Who asks first goes first.
   *
   * @param bytes more than the whole window counts as the whole window
   * @throws the signal's reason where it is aborted while this waits
   */
  async take(bytes: number, signal: AbortSignal | undefined): Promise<Hold> {
    const wanted = Math.min(bytes, this.size);
    signal?.throwIfAborted();
    if (this.#waiting.length > 0 || this.#free < wanted) await this.#wait(wanted, signal);
    else this.#free -= wanted;
    let held = wanted;
    return {
      keep: (rest) => {
        if (rest >= held) return;
        this.#free += held - Math.max(0, rest);
        held = Math.max(0, rest);
        this.#wake();
      },
    };
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const entry = {
        bytes,
        begin: () => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(signal?.reason);
        // It may have kept smaller ones waiting.
        this.#wake();
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(entry);
    });
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.begin();
    }
  }
}
