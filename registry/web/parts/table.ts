// SPDX-License-Identifier: Apache-2.0
import type { VNode } from 'preact';
import { type Content, html } from '../html.ts';

export interface Column {
  label: string;
  /** `number`: to the right; `actions`: no label on narrow screens. */
  kind?: 'number' | 'actions' | 'main' | undefined;
  /** Address of the same list in this column's order. */
  sort?: string | undefined;
  /** The list is in this order now. */
  sorted?: 'ascending' | 'descending' | undefined;
}

export interface TableRow {
  cells: readonly Content[];
  id?: string | undefined;
  className?: string | undefined;
}

export interface TableOptions {
  caption: string;
  columns: readonly Column[];
  rows: readonly (TableRow | readonly Content[])[];
  className?: string;
}

/**
 * A table that becomes a list of cards on narrow screens. The roles are written out because browsers forget that it is a
 * table when its cells are laid out otherwise.
 */
export function table({ caption, columns, rows, className = '' }: TableOptions): VNode {
  return html`<table class=${`table ${className}`} role="table">
    <caption class="hidden">${caption}</caption>
    <thead role="rowgroup">
      <tr role="row">${columns.map(heading)}</tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map((row) => ('cells' in row ? row : { cells: row })).map((row: TableRow) => bodyRow(row, columns))}
    </tbody>
  </table>`;
}

function heading({ label, kind, sort, sorted }: Column): VNode {
  const text = sort === undefined ? label : html`<a href=${sort}>${label}</a>`;
  return html`<th role="columnheader" scope="col" class=${kind} aria-sort=${sorted}>
    ${kind === 'actions' ? html`<span class="hidden">${label}</span>` : text}
  </th>`;
}

function bodyRow({ cells, id, className }: TableRow, columns: readonly Column[]): VNode {
  return html`<tr role="row" id=${id} class=${className}>
    ${cells.map((cell, at) => {
      const column = columns[at];
      if (at === 0) return html`<th role="rowheader" scope="row" class=${column?.kind}>${cell}</th>`;
      const label = column?.kind === 'actions' ? undefined : column?.label;
      return html`<td role="cell" class=${column?.kind} data-label=${label}>${cell}</td>`;
    })}
  </tr>`;
}
