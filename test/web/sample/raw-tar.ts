// SPDX-License-Identifier: Apache-2.0
import { Header, Pax } from 'tar';

export interface RawEntry {
  path: string;
  content?: string | Buffer;
  mode?: number;
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link';
  linkpath?: string;
  /** What the header says, where that is a lie. */
  size?: number;
}

/** A tar archive with entries as they are given, also such as our own writer refuses. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  const pieces: Buffer[] = [];
  for (const { path, content = '', mode = 0o644, type = 'File', linkpath, size } of entries) {
    const body = Buffer.from(content);
    const fields = {
      path,
      mode,
      type,
      uid: 0,
      gid: 0,
      mtime: new Date(0),
      size: size ?? body.length,
      ...(linkpath === undefined ? {} : { linkpath }),
    };
    const header = new Header(fields);
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    if (header.needPax) pieces.push(new Pax(fields).encode());
    pieces.push(block, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}
